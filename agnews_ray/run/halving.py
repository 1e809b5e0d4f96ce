"""Whether a trial of a search goes on, by Ray Tune's asynchronous successive halving."""

from types import SimpleNamespace
from typing import Any

from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.search import SearchSpec

EPOCHS, SCORE = "epochs", "score"

NO_CONTROLLER: Any = None
"""Stands for Ray Tune's controller, which this scheduler does not ask for anything."""


class Halving:
    """The rungs of one variant's search (Li et al. 2020, arXiv:1810.05934).

    Ray Tune's scheduler is asked directly, without Ray Tune's controller: it needs no more of a
    trial than its id.

    Args:
        search: the search.
        max_epochs: the most epochs that a setting may have.
    """

    def __init__(self, search: SearchSpec, max_epochs: float) -> None:
        # Ray Tune annotates whole numbers, and computes with fractions of epochs as well.
        limits: Any = {
            "max_t": max_epochs,
            "grace_period": min(search.min_epochs, max_epochs),
        }
        self._scheduler = AsyncHyperBandScheduler(
            **limits,
            time_attr=EPOCHS,
            metric=SCORE,
            mode="max",
            reduction_factor=search.reduction_factor,
            stop_last_trials=False,
        )
        self._known: set[str] = set()

    def goes_on(self, trial_id: str, epochs: float, score: float) -> bool:
        """Note a trial's score at a rung, and decide.

        Args:
            trial_id: the trial.
            epochs: the epochs of the rung.
            score: its validation score, in [0, 1].

        Returns:
            Whether its score is in the best share of those that were at this rung before.
        """
        trial = self._trial(trial_id)
        decision = self._scheduler.on_trial_result(
            NO_CONTROLLER, trial, {EPOCHS: epochs, SCORE: score}
        )
        return bool(decision != TrialScheduler.STOP)

    def ended(self, trial_id: str, epochs: float, score: float) -> None:
        """Note the score at the end of a trial that was not stopped."""
        trial = self._trial(trial_id)
        self._scheduler.on_trial_complete(NO_CONTROLLER, trial, {EPOCHS: epochs, SCORE: score})
        self._known.discard(trial_id)

    def _trial(self, trial_id: str) -> Any:
        """Return what the scheduler needs of a trial, which is added at its first score."""
        trial: Any = SimpleNamespace(trial_id=trial_id)
        if trial_id not in self._known:
            self._known.add(trial_id)
            self._scheduler.on_trial_add(NO_CONTROLLER, trial)
        return trial


def metric_of(record: TrialRecord, metric: str) -> float:
    """Return the validation score of a search's trial.

    Args:
        record: the record of a trial with a validation split.
        metric: ``accuracy`` or ``macro_f1``.

    Returns:
        The score where the trial was stopped, else after its last epoch; 0 if the model diverged.
    """
    stopped_at = record.search.rungs[-1:] if record.search and record.search.is_stopped else ()
    found = getattr((*stopped_at, *record.validation)[0 if stopped_at else -1], metric)
    return 0.0 if found is None or record.diverged else float(found)
