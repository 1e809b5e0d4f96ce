"""What a study will take: each trial by its probe and the errors of the past, and all together."""

import dataclasses
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agnews_ray.plan.past_errors import Past
from agnews_ray.plan.probed import Workload
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import PredictionRecord, TrialRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A predicted time in seconds."""

    median: float
    low: float
    high: float
    """The ends of the interval in which it lies in 8 of 10 cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialForecast:
    """What one trial will take."""

    train: Span
    total_s: float
    """From its start to its record, with scoring and saving, without tokenising."""
    workload: Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that a study may take."""

    text: str
    """The limit as the user wrote it."""
    seconds: float
    adds_up: bool = False
    """Whether trials side by side add up, as for money on several machines; otherwise it is the
    time from the start to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the trials of a study will take on one kind of machine."""

    workloads: Mapping[str, Workload]
    """By the name of the variant."""
    unmeasured: Mapping[str, str]
    """Why a variant could not be measured, by its name."""
    past: Past
    num_at_once: int = 1
    """The number of trials that run side by side."""
    num_machines: int = 1
    """The number of machines that a trial pays for."""
    done: frozenset[str] = frozenset()
    """The tokenizers whose splits are tokenised."""

    def variant(self, name: str) -> TrialForecast | None:
        """Predict a trial of a variant with all train rows; None if it could not be measured."""
        if name not in self.workloads:
            return None
        return self._of(self.workloads[name])

    def trial(self, trial: PlannedTrial) -> TrialForecast | None:
        """Predict a trial, which may have a share of the rows, or other epochs than its variant.

        Labelling is taken as a third of training on the rows, which is its forward pass.

        Args:
            trial: the trial.

        Returns:
            The prediction; None for pre-training, or if the variant could not be measured.
        """
        work = self.workloads.get(trial.variant.name)
        if work is None or trial.work == "pretraining":
            return None
        if trial.work == "labelling":
            steps = trial.num_rows / trial.recipe.global_batch_size
            seconds = work.train_s / work.num_steps * steps / 3
            scoring_s = work.scoring_s if trial.scores_test else 0.0
            forward = dataclasses.replace(
                work, train_s=seconds, validation_s=0.0, scoring_s=scoring_s, saving_s=0.0
            )
            return self._of(forward)
        share = trial.num_steps / work.num_steps
        scoring_s = work.scoring_s if trial.scores_test else 0.0
        return self._of(
            dataclasses.replace(work, train_s=work.train_s * share, scoring_s=scoring_s)
        )

    def _of(self, work: Workload) -> TrialForecast:
        correction = self.past.correction(work.probe)
        train_s = work.train_s * correction.factor
        width = correction.width()
        return TrialForecast(
            train=Span(median=train_s, low=train_s / width, high=train_s * width),
            total_s=train_s + work.rest_s,
            workload=work,
        )

    def record(
        self, trial: PlannedTrial, since_start_s: float, startup_s: float
    ) -> PredictionRecord | None:
        """Make the part of a trial's record; None if its variant could not be measured.

        Args:
            trial: the trial.
            since_start_s: the time that has passed since the moment from which its record counts.
            startup_s: the time for which it still waits for workers.
        """
        found = self.trial(trial)
        if found is None:
            return None
        work = found.workload
        return PredictionRecord(
            train_seconds=found.train.median,
            train_seconds_low=found.train.low,
            train_seconds_high=found.train.high,
            measured_seconds=work.train_s,
            num_learned_from=len(self.past.errors),
            num_steps=trial.num_steps,
            scoring_seconds=work.scoring_s,
            total_seconds=since_start_s + startup_s + found.total_s,
            startup_seconds=startup_s,
            peak_memory_bytes=work.peak_memory_bytes,
            size_bytes=work.size_bytes,
            is_quiet=work.is_quiet,
            probe=work.probe,
        )

    def learned(self, record: TrialRecord) -> "Forecast":
        """Return the same, having learned from one more trial."""
        return dataclasses.replace(self, past=self.past.with_record(record))

    def scaled(self, rows: float, epochs: float) -> "Forecast":
        """Return the forecast of the same study with a share of its train rows and epochs."""
        changed = {
            name: dataclasses.replace(
                work,
                train_s=work.train_s * rows * epochs,
                validation_s=work.validation_s * epochs,
            )
            for name, work in self.workloads.items()
        }
        return dataclasses.replace(self, workloads=changed)

    def cost(self, trials: Sequence[PlannedTrial], limit: Limit | None = None) -> Span:
        """Predict what trials take together, start-up and tokenising included.

        Args:
            trials: the trials to run, in their order; those that could not be measured count 0.
            limit: says what counts: the time until the end (None too), or the sum over trials.
        """
        width = self._width(trials)
        ends = [self._cost(trials, limit, factor) for factor in (1.0, 1 / width, width)]
        return Span(median=ends[0], low=ends[1], high=ends[2])

    def fitting(
        self, trials: Sequence[PlannedTrial], limit: Limit, spent_s: float = 0.0
    ) -> tuple[tuple[PlannedTrial, ...], tuple[PlannedTrial, ...]]:
        """Part the trials that a running study would start from those that it would leave out.

        Args:
            trials: the trials to run, in their order.
            limit: the limit.
            spent_s: what is spent already.

        Returns:
            The trials that end in time by their median, and the others.
        """
        kept: list[PlannedTrial] = []
        left: list[PlannedTrial] = []
        for trial in trials:
            has_lost = any(one.trial_id in trial.waits_for for one in left)
            fits = spent_s + self._cost([*kept, trial], limit, 1.0) <= limit.seconds
            (kept if fits and not has_lost else left).append(trial)
        return tuple(kept), tuple(left)

    def _cost(self, trials: Sequence[PlannedTrial], limit: Limit | None, factor: float) -> float:
        seconds = self._seconds(trials, factor)
        if not seconds:
            return 0.0
        if limit is not None and limit.adds_up:
            return self.num_machines * (self.past.startup_s + sum(seconds))
        return self.past.startup_s + _makespan(seconds, self.num_at_once)

    def _seconds(self, trials: Sequence[PlannedTrial], factor: float) -> list[float]:
        """Give the seconds of each trial, with tokenising where it is the first that needs it."""
        tokenised, found = set(self.done), []
        for trial in trials:
            one = self.trial(trial)
            if one is None:
                found.append(0.0)
                continue
            seconds = one.total_s + one.train.median * (factor - 1)
            if one.workload.tokenizer not in tokenised:
                tokenised.add(one.workload.tokenizer)
                seconds += one.workload.tokenising_s
            found.append(seconds)
        return found

    def _width(self, trials: Sequence[PlannedTrial]) -> float:
        """The factor to the upper end of the sum's interval: chance averages out, bias does not."""
        known = [one for one in map(self.trial, trials) if one]
        total = sum(one.train.median for one in known)
        if not total:
            return 1.0
        share = sum((one.train.median / total) ** 2 for one in known)
        widths = [self.past.correction(one.workload.probe).width(share) for one in known]
        return max(widths)


def seeds_first(trials: Sequence[PlannedTrial]) -> tuple[PlannedTrial, ...]:
    """Order trials so that all variants of the first seed come first, then those of the second.

    If a budget ends a study early, seeds are missing then, and no model. Labelling and pre-training
    come with the first seed that waits for them.

    Args:
        trials: planned trials, each after those that it waits for.
    """
    seeds = dict.fromkeys(trial.seed for trial in trials if trial.work == "fine-tuning")
    order = {seed: place for place, seed in enumerate(seeds)}
    place: dict[str, int] = {}
    for trial in reversed(trials):
        own = order[trial.seed] if trial.work == "fine-tuning" else len(order)
        place[trial.trial_id] = min(own, place.get(trial.trial_id, own))
        for one in trial.waits_for:
            place[one] = min(place[trial.trial_id], place.get(one, len(order)))
    return tuple(sorted(trials, key=lambda trial: place[trial.trial_id]))


def _makespan(seconds: Sequence[float], num_at_once: int) -> float:
    """Return the end of the last trial, if each starts where one has ended."""
    ends = [0.0] * max(1, num_at_once)
    for one in seconds:
        heapq.heappush(ends, heapq.heappop(ends) + one)
    return max(ends)
