"""Where the queue's trials come from: a fixed plan, or a search that adds trials as it learns."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from agnews_ray.plan.graph import Ready, TrialGraph
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import RungScore, TrialRecord


class TrialSource(Protocol):
    """The trials of a study, as the queue asks for them; only its thread calls this."""

    def ready(
        self, done: Mapping[str, TrialRecord], failed: Collection[str], num_at_once: int
    ) -> Ready:
        """Find the trials that may start now.

        Args:
            done: the records of trials that have finished in this run, by id.
            failed: the ids of failed trials.
            num_at_once: the number of trials that may run at the same time.

        Returns:
            The trials that have not ended and may start, including those that already run.
        """

    def goes_on(self, trial: PlannedTrial, score: RungScore) -> bool:
        """Whether a trial that has reached one of its rungs goes on."""


class PlannedTrials:
    """A fixed number of trials.

    Args:
        trials: trials that are not finished; they only wait for each other.

    Raises:
        SpecError: trials wait for each other in a circle, or for one that is not among them.
    """

    def __init__(self, trials: Sequence[PlannedTrial]) -> None:
        self._graph = TrialGraph(trials)

    def ready(
        self,
        done: Mapping[str, TrialRecord],
        failed: Collection[str],
        num_at_once: int,  # noqa: ARG002  # all are known
    ) -> Ready:
        return self._graph.ready(done, failed)

    def goes_on(self, trial: PlannedTrial, score: RungScore) -> bool:  # noqa: ARG002
        return True
