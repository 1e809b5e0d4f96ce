"""A worker's callbacks: they measure time, report progress, score the validation split, and ask.

They ask the driver of a search whether a training goes on.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from agnews_ray.engine.callbacks import Action, Callback, StepDone
from agnews_ray.engine.divergence import predicted_classes
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Predictions, Rank
from agnews_ray.fail_points import reach
from agnews_ray.record.schema import RungScore
from agnews_ray.run.engine_choice import of_all_ranks
from agnews_ray.run.progress import ProgressReporter
from agnews_ray.run.worker_config import ScoredRows
from agnews_ray.spec import metrics


class TrainingClock(Callback):
    """The clock of training, without the time of other work between steps.

    Args:
        pauses: the watch of pauses, entered while training runs.
    """

    def __init__(self, pauses: PauseWatch) -> None:
        self._pauses = pauses
        self._outside_s = self._paused_outside_s = 0.0
        self._told_at = 0.0
        self._earlier_s = self._paused_earlier_s = 0.0
        self._has_begun = False
        self.first_step_at = 0.0
        """The Unix time of the end of this attempt's first step; if it has none to make, of its
        start."""
        self.seconds = 0.0
        """The time of all steps so far, of earlier attempts too, pauses included."""
        self.paused_s = 0.0
        """The part of this time in which the process did not run."""

    def after_step(self, done: StepDone) -> Action:
        if not self._has_begun:
            self._has_begun = True
            self.first_step_at = time.time()
            self._paused_outside_s = self._pauses.seconds()  # pauses before the training
        paused_s = self._pauses.seconds() - self._paused_outside_s
        self.paused_s = self._paused_earlier_s + paused_s
        self.seconds = self._earlier_s + done.seconds - self._outside_s
        self._told_at = time.perf_counter()
        return Action.GO_ON

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "paused_s": self.paused_s}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._earlier_s, self._paused_earlier_s = state["seconds"], state["paused_s"]
        self.seconds, self.paused_s = state["seconds"], state["paused_s"]
        self.first_step_at = time.time()

    def wait_for_steps(self, device: torch.device) -> None:
        """Wait for the steps that are only queued on a GPU: their time belongs to training."""
        if device.type == "cuda":
            torch.cuda.synchronize(device)
            self.seconds += time.perf_counter() - self._told_at
            self._told_at = time.perf_counter()

    def leave_out(self, seconds: float) -> None:
        """Leave out time that has just passed."""
        self._outside_s += seconds

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Return a context whose time does not count as training."""
        start, paused = time.perf_counter(), self._pauses.seconds()
        yield
        self._outside_s += time.perf_counter() - start
        self._paused_outside_s += self._pauses.seconds() - paused


class ProgressTeller(Callback):
    """Reports a step now and then.

    Args:
        reporter: the trial's reporter.
        clock: the clock, which is called for each step before this callback.
        batch_size: the number of rows of a global batch.
        world_size: the number of ranks.
    """

    def __init__(
        self, reporter: ProgressReporter, clock: TrainingClock, batch_size: int, world_size: int
    ) -> None:
        self._reporter = reporter
        self._clock = clock
        self._batch_size, self._world_size = batch_size, world_size

    def after_step(self, done: StepDone) -> Action:
        self._reporter.done = done.step
        reach("worker.step")
        if self._reporter.is_due():
            seconds = self._clock.seconds - self._clock.paused_s
            mean_loss = float(done.loss) * self._world_size
            rate = done.step * self._batch_size / seconds
            self._reporter.step(done.step, mean_loss, rate, seconds)
        return Action.GO_ON


class Validation(Callback):
    """Scores the validation split after each epoch; that time does not count as training.

    Args:
        predict: the function that scores the whole split; all ranks call it, and each gets all
            rows.
        clock: the clock of the training.
        rank: this rank.
        num_classes: the number of classes.
    """

    def __init__(
        self,
        predict: Callable[[], Predictions],
        clock: TrainingClock,
        rank: Rank,
        num_classes: int,
    ) -> None:
        self._predict, self._clock, self._rank = predict, clock, rank
        self._num_classes = num_classes
        self._latest: ScoredRows | None = None
        self.found: list[ScoredRows] = []
        """The scored rows, one entry per finished epoch, on rank 0."""

    def after_epoch(self, epoch: int) -> Action:  # noqa: ARG002  # every epoch is scored
        found = self.score()
        if self._rank.index == 0:
            self.found.append(found)
        return Action.GO_ON

    def state_dict(self) -> dict[str, Any]:
        return {
            "found": [{"labels": one.labels, "predicted": one.predicted} for one in self.found],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        found = [ScoredRows(**one) for one in state["found"]]
        self._latest = found[-1] if found else None
        self.found = found if self._rank.index == 0 else []

    def score(self) -> ScoredRows:
        """Score the split with the weights of now; each rank makes the same call."""
        self._clock.wait_for_steps(self._rank.device)
        with self._clock.left_out():
            self._latest = scored(self._predict())
        return self._latest

    def latest(self, metric: Literal["accuracy", "macro-f1"]) -> float | None:
        """Return a score of the rows that were scored last, the same on each rank.

        Returns:
            A fraction in [0, 1]; None if nothing was scored yet, or a logit is not a number.
        """
        rows = self._latest
        if rows is None or (rows.predicted < 0).any():
            return None
        confusion = metrics.confusion_matrix(rows.labels, rows.predicted, self._num_classes)
        compute = metrics.accuracy if metric == "accuracy" else metrics.macro_f1
        return compute(confusion)


@dataclass(slots=True, kw_only=True)
class Rungs(Callback):
    """Asks after some steps whether the training goes on; waiting does not count as training.

    It comes after ``validation`` in the list of callbacks. A rung at the end of an epoch is asked
    with that epoch's scores.
    """

    steps: Collection[int]
    """The rungs: the steps after which it asks."""
    steps_per_epoch: int
    validation: Validation
    """The callback that scores the validation split."""
    ask: Callable[[RungScore], bool]
    """The function that asks the driver, called on rank 0: whether the training goes on."""
    clock: TrainingClock
    rank: Rank
    found: list[RungScore] = field(default_factory=list)
    """The scores with which it asked, on each rank."""
    is_stopped: bool = False
    """Whether the last answer ended the training."""

    def after_step(self, done: StepDone) -> Action:
        if done.step not in self.steps or done.step % self.steps_per_epoch == 0:
            return Action.GO_ON
        self.validation.score()
        return self._decide(done.step)

    def after_epoch(self, epoch: int) -> Action:
        step = epoch * self.steps_per_epoch
        return self._decide(step) if step in self.steps else Action.GO_ON

    def state_dict(self) -> dict[str, Any]:
        return {"found": [score.model_dump() for score in self.found]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Ask again at the rungs before: a new driver has not heard of them."""
        self.found = [RungScore.model_validate(one) for one in state["found"]]
        for score in self.found if self.rank.index == 0 else ():
            self.ask(score)

    def _decide(self, step: int) -> Action:
        score = RungScore(
            step=step,
            epochs=step / self.steps_per_epoch,
            accuracy=self.validation.latest("accuracy"),
            macro_f1=self.validation.latest("macro-f1"),
        )
        self.found.append(score)
        with self.clock.left_out():
            mine = self.ask(score) if self.rank.index == 0 else True
            goes_on = of_all_ranks(mine, self.rank)[0]
        self.is_stopped = not goes_on
        return Action.GO_ON if goes_on else Action.STOP


def scored(found: Predictions) -> ScoredRows:
    """Reduce logits to predicted classes, and keep the labels."""
    return ScoredRows(labels=found.labels, predicted=predicted_classes(found.logits))
