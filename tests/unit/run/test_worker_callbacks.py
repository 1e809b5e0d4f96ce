"""What a worker does while it trains."""

import pickle
import time

import numpy as np
import pytest
import torch

from agnews_ray.engine.callbacks import Action, StepDone, tell
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Predictions, Rank
from agnews_ray.run.worker_callbacks import (
    ProgressTeller,
    Rungs,
    TrainingClock,
    Validation,
)
from tests.unit.engine.fused.ranks import in_processes
from tests.unit.run import rung_ranks

LOGITS = np.array([[0.0, 1.0], [1.0, 0.0], [np.nan, 0.0]], np.float32)
FOUND = Predictions(np.arange(3), np.array([1, 1, 0]), LOGITS)


def step(number, seconds):
    return StepDone(number, torch.tensor(0.25), seconds)


def test_scoring_is_no_part_of_training():
    clock = TrainingClock(PauseWatch())
    clock.after_step(step(1, 1.0))
    start = time.perf_counter()
    Validation(lambda: time.sleep(0.05) or FOUND, clock, Rank(), 2).after_epoch(1)
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
    Validation(pause, clock, Rank(), 2).after_epoch(1)
    clock.after_step(step(3, 13.0))
    assert clock.paused_s == 10.0


def test_each_epoch_is_scored_and_rank_0_keeps_it():
    clock = TrainingClock(PauseWatch())
    for rank, num_kept in ((Rank(), 2), (Rank(index=1, world_size=2), 0)):
        validation = Validation(lambda: FOUND, clock, rank, 2)
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


GOOD = Predictions(np.arange(4), np.array([1, 1, 0, 1]), np.eye(2, dtype=np.float32)[[1, 1, 0, 0]])


def callbacks_with_rungs(steps, ask, found=GOOD):
    """Validation and rungs over epochs of 4 steps, and how often the split was scored."""
    clock, num_scored = TrainingClock(PauseWatch()), []
    validation = Validation(lambda: num_scored.append(1) or found, clock, Rank(), 2)
    rungs = Rungs(
        steps=steps,
        steps_per_epoch=4,
        validation=validation,
        ask=ask,
        clock=clock,
        rank=Rank(),
    )
    return [clock, validation, rungs], num_scored


def train(callbacks, num_epochs=2):
    """Go through epochs of 4 steps; gives the last step that was made."""
    for number in range(1, 4 * num_epochs + 1):
        if Action.STOP in tell(callbacks, step(number, float(number))):
            return number
        if number % 4 == 0 and Action.STOP in tell(callbacks, number // 4):
            return number
    return 4 * num_epochs


def test_a_rung_asks_with_the_scores_of_its_step():
    asked = []
    callbacks, _ = callbacks_with_rungs({3, 6}, lambda score: asked.append(score) or True)
    assert train(callbacks) == 8
    assert [(one.step, one.epochs) for one in asked] == [(3, 0.75), (6, 1.5)]
    assert [one.accuracy for one in asked] == [0.75, 0.75]
    assert callbacks[-1].found == asked
    assert not callbacks[-1].is_stopped


def test_a_training_ends_at_the_rung_whose_answer_is_no():
    callbacks, _ = callbacks_with_rungs({3, 6, 7}, lambda score: score.step < 6)
    assert train(callbacks) == 6
    assert callbacks[-1].is_stopped
    assert len(callbacks[1].found) == 1  # of the finished epoch


def test_a_rung_at_an_epochs_end_is_scored_once():
    callbacks, num_scored = callbacks_with_rungs({4}, lambda score: False)
    assert train(callbacks) == 4
    assert len(num_scored) == len(callbacks[1].found) == 1
    assert callbacks[-1].found[0].epochs == 1.0


def test_a_wait_for_an_answer_is_no_part_of_training():
    def wait(score):
        time.sleep(0.05)
        return True

    callbacks, _ = callbacks_with_rungs({1}, wait)
    start = time.perf_counter()
    tell(callbacks, step(1, 1.0))
    waited = time.perf_counter() - start
    tell(callbacks, step(2, 2.0 + waited))
    assert callbacks[0].seconds == pytest.approx(2.0, abs=0.02)


def test_the_latest_scores_are_none_if_a_row_has_no_class():
    for logits, expected in ((GOOD, (0.75, pytest.approx(11 / 15))), (FOUND, (None, None))):
        validation = Validation(
            lambda logits=logits: logits, TrainingClock(PauseWatch()), Rank(), 2
        )
        assert validation.latest("accuracy") is None
        validation.after_epoch(1)
        assert (validation.latest("accuracy"), validation.latest("macro-f1")) == expected


def test_all_ranks_do_what_the_driver_answered_rank_0(tmp_path):
    in_processes(rung_ranks.decide, 2, 2, tmp_path)
    first, second = (pickle.loads((tmp_path / f"2-{index}").read_bytes()) for index in range(2))
    assert first == second
    assert first[0] == [Action.GO_ON, Action.STOP]
