"""A worker's callbacks: they measure time, report progress and score the validation split."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from agnews_ray.engine.callbacks import Action, Callback, StepDone
from agnews_ray.engine.divergence import predicted_classes
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Predictions, Rank
from agnews_ray.run.progress import ProgressReporter
from agnews_ray.run.worker_config import ScoredRows


class TrainingClock(Callback):
    """The clock of training, without the time of other work between steps.

    Args:
        pauses: the watch of pauses, entered while training runs.
    """

    def __init__(self, pauses: PauseWatch) -> None:
        self._pauses = pauses
        self._outside_s = self._paused_outside_s = 0.0
        self.first_step_at = 0.0
        """The Unix time of the end of the first step."""
        self.seconds = 0.0
        """The time of all steps so far, pauses included."""
        self.paused_s = 0.0
        """The part of this time in which the process did not run."""

    def after_step(self, done: StepDone) -> Action:
        if not self.first_step_at:
            self.first_step_at = time.time()
            self._paused_outside_s = self._pauses.seconds()  # pauses before the training
        self.paused_s = self._pauses.seconds() - self._paused_outside_s
        self.seconds = done.seconds - self._outside_s
        return Action.GO_ON

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
        if self._reporter.is_due():
            seconds = self._clock.seconds - self._clock.paused_s
            mean_loss = float(done.loss) * self._world_size
            rate = done.step * self._batch_size / seconds
            self._reporter.step(done.step, mean_loss, rate, seconds)
        return Action.GO_ON


class Validation(Callback):
    """Scores the validation split after each epoch; that time does not count as training.

    Args:
        predict: the function that scores the whole split; all ranks call it, rank 0 keeps its
            result.
        clock: the clock of the training.
        rank: this rank.
    """

    def __init__(
        self, predict: Callable[[], Predictions], clock: TrainingClock, rank: Rank
    ) -> None:
        self._predict, self._clock, self._rank = predict, clock, rank
        self.found: list[ScoredRows] = []
        """The scored rows, one entry per finished epoch, on rank 0."""

    def after_epoch(self, epoch: int) -> Action:  # noqa: ARG002  # every epoch is scored
        if self._rank.device.type == "cuda":
            torch.cuda.synchronize(self._rank.device)  # queued steps belong to training
        with self._clock.left_out():
            predictions = self._predict()
            if self._rank.index == 0:
                self.found.append(scored(predictions))
        return Action.GO_ON


def scored(found: Predictions) -> ScoredRows:
    """Reduce logits to predicted classes, and keep the labels."""
    return ScoredRows(labels=found.labels, predicted=predicted_classes(found.logits))
