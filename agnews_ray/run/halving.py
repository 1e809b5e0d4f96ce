"""Whether a trial of a search goes on, by Ray Tune's asynchronous successive halving."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from agnews_ray.compare.searches import SearchMetric, validation_score
from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.search import SearchSpec

if TYPE_CHECKING:  # Ray must not be imported before this process's own Ray is configured
    from ray.tune.schedulers import AsyncHyperBandScheduler

EPOCHS, SCORE = "epochs", "score"

NO_CONTROLLER: Any = None
"""Stands for Ray Tune's controller, which this scheduler does not ask for anything."""


class Reached(NamedTuple):
    """A score that a trial reached."""

    trial_id: str
    epochs: float
    score: float
    """On the validation split, in [0, 1]."""
    is_end: bool = False
    """Whether its training ended there."""


class Halving:
    """The rungs of one variant's search (Li et al. 2020, arXiv:1810.05934).

    Ray Tune's scheduler is asked directly, without Ray Tune's controller: it needs no more of a
    trial than its id.

    Args:
        search: the search.
        max_epochs: the most epochs that a setting may have.
    """

    def __init__(self, search: SearchSpec, max_epochs: float) -> None:
        self._search, self._max_epochs = search, max_epochs
        self._new: list[Reached] = []
        self._scheduler: AsyncHyperBandScheduler | None = None
        self._known: set[str] = set()

    def note(self, reached: Reached) -> None:
        """Note a score that needs no decision; it counts in those that follow."""
        self._new.append(reached)

    def goes_on(self, reached: Reached) -> bool:
        """Note the score of a trial that asks, and decide.

        Args:
            reached: its score at a rung.

        Returns:
            Whether it is in the best share of those that were at this rung before.
        """
        for earlier in self._new:
            self._decide(earlier)
        self._new.clear()
        return self._decide(reached)

    def _decide(self, reached: Reached) -> bool:
        from ray.tune.schedulers import TrialScheduler

        scheduler = self._made()
        trial: Any = SimpleNamespace(trial_id=reached.trial_id)
        result = {EPOCHS: reached.epochs, SCORE: reached.score}
        if reached.trial_id not in self._known:
            self._known.add(reached.trial_id)
            scheduler.on_trial_add(NO_CONTROLLER, trial)
        if reached.is_end:
            self._known.discard(reached.trial_id)
            scheduler.on_trial_complete(NO_CONTROLLER, trial, result)
            return True
        decision = scheduler.on_trial_result(NO_CONTROLLER, trial, result)
        return bool(decision != TrialScheduler.STOP)

    def _made(self) -> "AsyncHyperBandScheduler":
        if self._scheduler is None:
            from ray.tune.schedulers import AsyncHyperBandScheduler

            # Ray Tune annotates whole numbers, and computes with fractions of epochs as well.
            limits: Any = {
                "max_t": self._max_epochs,
                "grace_period": min(self._search.min_epochs, self._max_epochs),
            }
            self._scheduler = AsyncHyperBandScheduler(
                **limits,
                time_attr=EPOCHS,
                metric=SCORE,
                mode="max",
                reduction_factor=self._search.reduction_factor,
                stop_last_trials=False,
            )
        return self._scheduler


def metric_of(record: TrialRecord, metric: SearchMetric) -> float:
    """Return the validation score of a search's trial.

    Args:
        record: the record of a trial with a validation split.
        metric: ``accuracy`` or ``macro-f1``.

    Returns:
        The score where the trial was stopped, else of the weights that it kept; 0 if the model
        diverged.
    """
    return validation_score(record, metric) or 0.0
