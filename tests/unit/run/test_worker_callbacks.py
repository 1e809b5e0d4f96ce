"""What a worker does while it trains."""

import time

import numpy as np
import pytest
import torch

from agnews_ray.engine.callbacks import StepDone
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Predictions, Rank
from agnews_ray.run.worker_callbacks import ProgressTeller, TrainingClock, Validation

LOGITS = np.array([[0.0, 1.0], [1.0, 0.0], [np.nan, 0.0]], np.float32)
FOUND = Predictions(np.arange(3), np.array([1, 1, 0]), LOGITS)


def step(number, seconds):
    return StepDone(number, torch.tensor(0.25), seconds)


def test_scoring_is_no_part_of_training():
    clock = TrainingClock(PauseWatch())
    clock.after_step(step(1, 1.0))
    start = time.perf_counter()
    Validation(lambda: time.sleep(0.05) or FOUND, clock, Rank()).after_epoch(1)
    scoring = time.perf_counter() - start
    clock.after_step(step(2, 2.0 + scoring))
    assert clock.seconds == pytest.approx(2.0, abs=0.02)


def test_a_pause_counts_in_mid_training_but_not_while_scoring():
    now = [0.0]
    pauses = PauseWatch(clock=lambda: now[0], computed=lambda: 0.0, tick_s=0.0, threshold_s=3.0)

    def pause():
        now[0] += 10.0
        return FOUND

    clock = TrainingClock(pauses)
    pause()  # before the first step
    clock.after_step(step(1, 1.0))
    pause()
    clock.after_step(step(2, 12.0))
    Validation(pause, clock, Rank()).after_epoch(1)
    clock.after_step(step(3, 13.0))
    assert clock.paused_s == 10.0


def test_each_epoch_is_scored_and_rank_0_keeps_it():
    clock = TrainingClock(PauseWatch())
    for rank, num_kept in ((Rank(), 2), (Rank(index=1, world_size=2), 0)):
        validation = Validation(lambda: FOUND, clock, rank)
        validation.after_epoch(1)
        validation.after_epoch(2)
        assert [one.predicted.tolist() for one in validation.found] == [[1, 0, -1]] * num_kept


class Reporter:
    """Stands in for what talks to Ray."""

    def __init__(self, is_due):
        self.is_due = lambda: is_due
        self.told = []

    def step(self, *facts):
        self.told.append(facts)


@pytest.mark.parametrize("is_due", [True, False])
def test_progress_is_told_when_it_is_due(is_due):
    reporter, clock = Reporter(is_due), TrainingClock(PauseWatch())
    clock.after_step(step(4, 2.0))
    ProgressTeller(reporter, clock, 16, 2).after_step(step(4, 2.0))
    assert reporter.told == [(4, 0.5, 32.0, 2.0)] * is_due
