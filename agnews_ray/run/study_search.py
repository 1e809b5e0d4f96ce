"""The search of a whole study: each variant's settings, then the winners beside the defaults."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agnews_ray.plan.graph import Ready
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import RungScore, TrialRecord
from agnews_ray.run.trial_source import PlannedTrials
from agnews_ray.run.variant_search import VariantSearch


@dataclass(kw_only=True)
class StudySearch:
    """A source of trials: searches first, which score no test rows, then the trials of the table.

    Each variant's search has the same number of settings.
    """

    searches: Sequence[VariantSearch]
    """One for each variant."""
    plan_final: Callable[[], Sequence[PlannedTrial]]
    """A function that plans, once all searches are over, the trials of winners and defaults that
    have no record."""
    _final: PlannedTrials | None = field(default=None, init=False)

    def ready(
        self, done: Mapping[str, TrialRecord], failed: Collection[str], num_at_once: int
    ) -> Ready:
        found: list[PlannedTrial] = []
        for search in self.searches if self._final is None else ():
            if len(found) < num_at_once:
                found += search.open_trials(done, failed, num_at_once - len(found))
        if found:
            return Ready(startable=tuple(found), has_more=True)
        if self._final is None:
            self._final = PlannedTrials(self.plan_final())
        return self._final.ready(done, failed, num_at_once)

    def goes_on(self, trial: PlannedTrial, score: RungScore) -> bool:
        by_name = {search.name: search for search in self.searches}
        name = trial.search.variant if trial.search else ""
        return name not in by_name or by_name[name].goes_on(trial, score)
