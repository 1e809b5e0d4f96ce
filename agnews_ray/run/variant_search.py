"""The search for one variant's best settings: which trials it needs next, and what they showed."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from pydantic import JsonValue, ValidationError

from agnews_ray.errors import AgnewsError, one_line
from agnews_ray.plan.looks import NEVER, Looks
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import RungScore, TrialRecord
from agnews_ray.run.halving import Halving, Reached, metric_of
from agnews_ray.spec.search import SearchSpec, is_in

MAX_DRAWS = 20
"""The number of draws after which a space is said to hold no other settings."""

Records = Mapping[str, TrialRecord]
Settings = dict[str, JsonValue]
PlanSetting = Callable[[int, Settings], tuple[PlannedTrial, ...]]
"""A function that plans the trials of a setting, one for each seed, from its number and values."""


def in_words(values: Mapping[str, JsonValue]) -> str:
    """Write settings in a line, by the last parts of their paths."""
    return ", ".join(f"{path.rpartition('.')[2]} {value}" for path, value in values.items())


@dataclass(slots=True, kw_only=True)
class Setting:
    """Settings that are tried."""

    number: int
    values: Settings
    trials: tuple[PlannedTrial, ...] = ()
    """One for each seed; the search looks at the first before it starts the others."""
    score: float | None = None
    """The mean validation score over seeds; None until all have ended, and if none has one."""
    is_over: bool = False
    is_stopped: bool = False
    why_not: str = ""
    """Why it has no score; empty if it has one, or may still get one."""

    def __str__(self) -> str:
        return f"{self.number} ({in_words(self.values)})"


@dataclass(kw_only=True)
class VariantSearch:
    """The state of one variant's search.

    It is computed from records alone, so that an interrupted search goes on where it stood.
    """

    name: str
    """The variant's name."""
    search: SearchSpec
    default: Settings | None
    """The variant's own values, tried first; None if they are not in the space."""
    plan: PlanSetting
    kept: Records
    """The records of this study's earlier runs, by trial id."""
    tell: Callable[[str], None]
    """A function that gets a line for each setting that was tried in this run."""
    halving: Halving
    has_time: Callable[[], bool] = lambda: True
    """Whether the study's budget holds another setting."""
    longest_s: float = 0.0
    """The time of the longest trial so far, in seconds."""
    settings: list[Setting] = field(default_factory=list)
    _is_exhausted: bool = False

    def open_trials(
        self, done: Records, failed: Collection[str], num_at_once: int
    ) -> list[PlannedTrial]:
        """Find the trials that may run now, and choose new settings while there is room.

        Args:
            done: the records of trials that have finished in this run.
            failed: the ids of failed trials.
            num_at_once: the number of trials that may run at the same time.

        Returns:
            The trials that have not ended, in order; none once the search is over.
        """
        while True:
            found: list[PlannedTrial] = []
            for setting in self.settings:
                if not setting.is_over:
                    found += self._look_at(setting, done, failed)
            if len(found) >= num_at_once or not self._add():
                return found

    def is_chosen(self) -> bool:
        """Whether the settings of all trials are known from earlier runs."""
        return all(number in self._kept_settings() for number in range(self.search.num_trials))

    def _kept_settings(self) -> dict[int, Settings]:
        """Return the settings of earlier runs by number; those of another space do not count."""
        places = [record.search for record in self.kept.values() if record.search is not None]
        return {
            place.number: {path: place.settings[path] for path in self.search.space}
            for place in places
            if place.variant == self.name and is_in(self.search.space, place.settings)
        }

    def best(self) -> Setting | None:
        """Return the best setting that was not stopped; the first of several that are as good."""
        whole = [one for one in self.settings if one.score is not None and not one.is_stopped]
        return max(whole, key=lambda one: one.score or 0.0, default=None)

    def goes_on(self, trial: PlannedTrial, score: RungScore) -> bool:
        """Decide about a trial that has reached a rung; logits that are not numbers end it."""
        reached = self._reached(trial, score)
        return reached is not None and self.halving.goes_on(reached)

    def _reached(self, trial: PlannedTrial, score: RungScore) -> Reached | None:
        """Return a score at the epochs of its rung, to which its step is the nearest."""
        looks = looks_of(self.search).steps(trial.recipe.num_epochs, trial.num_steps)
        value = getattr(score, self.search.metric.replace("-", "_"))
        epochs = looks.get(score.step, score.epochs)
        return None if value is None else Reached(trial.trial_id, epochs, value)

    def _add(self) -> bool:
        """Choose another setting; False if all are chosen."""
        number = len(self.settings)
        if number >= self.search.num_trials or self._is_ended(number):
            return False
        values = self._choose(number)
        if values is None:
            return False
        setting = Setting(number=number, values=values)
        self.settings.append(setting)
        try:
            setting.trials = self.plan(number, values)
        except (AgnewsError, ValidationError) as error:  # values that do not fit together
            setting.is_over, setting.why_not = True, one_line(error)
            self.tell(f"search {self.name}: setting {setting} is left out: {setting.why_not}")
        return True

    def _is_ended(self, number: int) -> bool:
        """Whether the study's budget ends the search before this setting; a first one is tried."""
        if number == 0 or self.has_time():
            return False
        if not self._is_exhausted:
            self.tell(f"search {self.name}: the budget ends it after {number} setting(s)")
        self._is_exhausted = True
        return True

    def _choose(self, number: int) -> Settings | None:
        kept = self._kept_settings().get(number)
        if kept is not None:
            return kept
        if number == 0 and self.default is not None:
            return self.default
        if self._is_exhausted:
            return None
        from agnews_ray.run.suggestions import suggest  # Ray, which a finished search needs not

        known = {_key(one.values) for one in self.settings}
        tried = [(one.values, one.score) for one in self.settings if one.score is not None]
        for draw in range(MAX_DRAWS):
            values = suggest(self.search, tried, number + draw * self.search.num_trials)
            if _key(values) not in known:
                return values
        self._is_exhausted = True
        self.tell(f"search {self.name}: {number} setting(s) are all that the space holds")
        return None

    def _look_at(
        self, setting: Setting, done: Records, failed: Collection[str]
    ) -> list[PlannedTrial]:
        """Return the trials that a setting still needs; without any, it gets its score."""
        records = {
            trial.trial_id: done.get(trial.trial_id) or self.kept.get(trial.trial_id)
            for trial in setting.trials
        }
        first = setting.trials[0].trial_id
        first_record = records[first]
        if first_record is None and first not in failed:
            return [setting.trials[0]]
        is_stopped = _is_stopped(first_record)
        wanted = setting.trials[:1] if is_stopped or first in failed else setting.trials
        missing = [t for t in wanted if records[t.trial_id] is None and t.trial_id not in failed]
        if missing:
            return missing
        found = [record for t in wanted if (record := records[t.trial_id]) is not None]
        self.longest_s = max(self.longest_s, *(one.total_seconds or 0.0 for one in found), 0.0)
        setting.is_over, setting.is_stopped = True, is_stopped
        if found:
            setting.score = fmean(metric_of(record, self.search.metric) for record in found)
        else:
            setting.why_not = "its trial failed"
        self._note(
            setting, found, is_new=any(t.trial_id in done or t.trial_id in failed for t in wanted)
        )
        return []

    def _note(self, setting: Setting, records: Sequence[TrialRecord], *, is_new: bool) -> None:
        """Tell the halving what an earlier run found, and the user what this one found."""
        for record in records[:1]:
            rungs = record.search.rungs if record.search else ()
            for rung in rungs if not is_new else ():
                reached = self._reached(setting.trials[0], rung)
                if reached is not None:
                    self.halving.note(reached)
            if not setting.is_stopped:
                epochs, score = record.recipe.num_epochs, metric_of(record, self.search.metric)
                self.halving.note(Reached(record.trial_id, epochs, score, is_end=True))
        if is_new:
            self.tell(self._line(setting, records))

    def _line(self, setting: Setting, records: Sequence[TrialRecord]) -> str:
        head = f"search {self.name}: setting {setting} of {self.search.num_trials}"
        if setting.score is None:
            return f"{head}: {setting.why_not}"
        result = f"{self.search.metric} {setting.score:.4f}"
        if setting.is_stopped and records[0].search:
            result += f", stopped after {records[0].search.rungs[-1].epochs:.2g} epochs"
        best = self.best()
        if best is not None and best.number != setting.number:
            result += f"; best: {best.score:.4f} by setting {best.number}"
        return f"{head}: {result}"


def looks_of(search: SearchSpec) -> Looks:
    """Return the points at which a search looks at a setting's first trial."""
    if search.scheduler == "none":
        return NEVER
    return Looks(min_epochs=search.min_epochs, reduction_factor=search.reduction_factor)


def _is_stopped(record: TrialRecord | None) -> bool:
    return record is not None and record.search is not None and record.search.is_stopped


def _key(values: Settings) -> str:
    return json.dumps(values, sort_keys=True)
