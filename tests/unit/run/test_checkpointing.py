"""A trial that is ended anywhere goes on from its newest checkpoint, to the same result."""

import time
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from agnews_ray import fail_points
from agnews_ray.engine.callbacks import Action
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Rank
from agnews_ray.record.checkpoints import MARKER
from agnews_ray.run import rungs
from agnews_ray.run.checkpointing import MIN_INTERVAL_S, NOTICE_S, Checkpoints
from agnews_ray.run.pretrainer import Pretrainer
from agnews_ray.run.rungs import answer
from agnews_ray.run.worker import Worker
from agnews_ray.run.worker_callbacks import TrainingClock
from agnews_ray.run.worker_config import CheckpointSettings
from agnews_ray.spec.distillation import PretrainingSpec
from agnews_ray.spec.recipe import StopSpec
from agnews_ray.spec.recovery import RecoverySpec
from tests.fakes.token_rows import some_rows
from tests.unit.model.test_build import tiny
from tests.unit.run.conftest import RECIPE
from tests.unit.run.test_pretrainer import some_texts
from tests.unit.run.test_worker_callbacks import step

ROWS = {"train-0": some_texts(), "test": some_rows(16, seed=1)}
ROWS["validation"] = ROWS["test"]


@pytest.fixture
def attempt(lone_rank, tmp_path):
    """Makes one attempt at a trial; gives its summary and folder, or None if it failed there."""
    numbers = iter(range(99))

    def attempt(trial_id, fails="", every="1 steps", kind=Worker, **settings):
        number = next(numbers)
        settings["checkpoints"] = CheckpointSettings(
            location=str(tmp_path / "kept" / trial_id),
            attempt=f"a{number}",
            recovery=RecoverySpec(checkpoint_every=every),
        )
        setup = lone_rank(trial_id, ROWS, **{"variant": tiny(name="one"), **settings})
        folder = tmp_path / trial_id
        fail_points.set_up(fails)
        try:
            return kind(setup).run(), folder.rename(tmp_path / f"{trial_id}-{number}")
        except RuntimeError:
            assert fails
            folder.rename(tmp_path / f"failed-{number}")
            return None
        finally:
            fail_points.set_up("")
            setup.close()

    return attempt


def left(summary, folder):
    """What must be the same: weights, predictions, losses, scores."""
    files = [(folder / "artifact/model.safetensors").read_bytes()]
    if (folder / "predictions.parquet").exists():
        files.append((folder / "predictions.parquet").read_bytes())
    curve = pq.read_table(folder / "curve.parquet")
    scored = [one.predicted.tolist() for one in summary.validation]
    return files, curve.drop(["seconds"]), scored, summary.training.best_epoch


@pytest.mark.parametrize(
    "fails", ["worker.step=error@2", "worker.step=error@6", "worker.save=error"]
)
def test_a_trial_that_fails_goes_on_to_the_same_result(attempt, fails):
    assert attempt("torn", fails) is None
    again, whole = attempt("torn"), attempt("whole", every="off")
    assert left(*again) == left(*whole)
    made = {"worker.step=error@2": 1, "worker.step=error@6": 5, "worker.save=error": 8}[fails]
    assert again[0].started_from_step == made
    assert whole[0].started_from_step == 0


def test_a_trial_that_fails_again_and_again_goes_on(attempt):
    for _ in range(3):
        assert attempt("torn", "worker.step=error@3") is None
    again = attempt("torn")
    assert again[0].started_from_step == 6
    assert left(*again) == left(*attempt("whole", every="off"))


def test_the_best_epoch_is_found_across_attempts(attempt):
    recipe = RECIPE.model_copy(update={"stop": StopSpec(patience=2), "num_epochs": 4})
    assert attempt("torn", "worker.step=error@10", recipe=recipe) is None
    again = attempt("torn", recipe=recipe)
    assert again[0].started_from_step == 9
    whole = attempt("whole", every="off", recipe=recipe)
    assert left(*again) == left(*whole)
    assert len(again[0].validation) == len(whole[0].validation)


def test_a_search_is_asked_again_for_the_rungs_before(attempt, questions, monkeypatch):
    asked = []

    def put(key, message):
        questions[key] = message
        for question in rungs.open_questions(["torn"]):
            asked.append(question.score.step)
            answer("torn", question.score.step, goes_on=True)

    monkeypatch.setattr(rungs, "kv_put", put)
    settings = {"rungs": (2, 6), "scores_test": False}
    assert attempt("torn", "worker.step=error@5", **settings) is None
    summary, _ = attempt("torn", **settings)
    assert asked == [2, 2, 6]
    assert [score.step for score in summary.rungs] == [2, 6]


def test_a_pretraining_goes_on(attempt):
    variant = tiny(name="one", pretraining=PretrainingSpec(objective="masked-lm"))
    settings = {"kind": Pretrainer, "work": "pretraining", "variant": variant}
    assert attempt("torn", "worker.step=error@6", **settings) is None
    again = attempt("torn", **settings)
    assert again[0].started_from_step == 5
    assert left(*again) == left(*attempt("whole", every="off", **settings))


def test_a_damaged_newest_checkpoint_is_not_used(attempt, tmp_path):
    assert attempt("torn", "worker.step=error@6") is None
    before, newest = sorted(path.parent for path in (tmp_path / "kept/torn").glob(f"*/{MARKER}"))
    part = newest / "rank-0/state.safetensors"
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    again = attempt("torn")
    assert before.name.startswith(f"step-{again[0].started_from_step:09d}~")
    assert left(*again) == left(*attempt("whole", every="off"))


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_training(attempt, tmp_path):
    found = attempt("full", "checkpoint.part=full@2; checkpoint.mark=full@3")
    assert left(*found) == left(*attempt("whole", every="off"))
    kept = sorted(path.parent.name for path in (tmp_path / "kept/full").glob(f"*/{MARKER}"))
    assert [name[:14] for name in kept] == ["step-000000007", "step-000000008"]


def test_the_trainers_engine_starts_again(attempt):
    variant = tiny(name="one", engine="reference")
    assert attempt("torn", "worker.step=error@6", variant=variant) is None
    assert attempt("torn", variant=variant)[0].started_from_step == 0


class Reporter:
    """Stands in for what talks to the driver."""

    def __init__(self):
        self.is_wanted = False
        self.answered = []

    def is_save_wanted(self):
        return self.is_wanted

    def saved(self, step):
        self.answered.append(step)

    def tell(self, text):
        raise AssertionError(text)


class Folder:
    """Stands in for a place where a checkpoint takes some time of a processor."""

    def __init__(self, cost_s=0.0):
        self.cost_s = cost_s
        self.written = []

    def name_at(self, step):
        return str(step)

    def write_part(self, name, _index, _write):
        end = time.thread_time() + self.cost_s
        while time.thread_time() < end:
            pass
        self.written.append(int(name))

    def complete(self, *_):
        pass

    def keep_newest(self, _):
        pass


def train_for(
    step_s, num_steps, every="auto", folder=None, num_parameters=0, reporter=None, ask=None
):
    """Make steps that each take a time, by their numbers; return the steps that were saved."""
    clock, folder = TrainingClock(PauseWatch()), folder or Folder()
    setup = SimpleNamespace(rank=Rank(), reporter=reporter or Reporter())
    kept = Checkpoints(folder, setup, RecoverySpec(checkpoint_every=every), clock, [clock])
    kept.draining_nodes = ask
    kept.expect(num_parameters, 0)
    for number in range(1, num_steps + 1):
        done = step(number, number * step_s)
        clock.after_step(done)
        if Action.SAVE in kept.after_step(done):
            kept.save({"num_done": number})
            kept._writing.exception()
    kept.close()
    return folder.written


def test_by_default_cheap_checkpoints_are_made_every_few_seconds():
    assert np.diff([0, *train_for(1.0, 30)]) == pytest.approx(MIN_INTERVAL_S, abs=1)


def test_by_default_expensive_ones_are_rare():
    # The first is expected to take 2 s, so it is made after 133 s; it takes 1 s.
    found = train_for(1.0, 400, folder=Folder(cost_s=1.0), num_parameters=50_000_000)
    assert found[0] == 134
    assert 0.01 < 1.0 / np.diff(found).min() < 0.02


def test_stated_intervals_are_kept():
    assert train_for(1.0, 10, "4 steps") == [4, 8]
    assert np.diff(train_for(1.0, 30, "10s")) == pytest.approx(10, abs=1)


def test_a_driver_that_ends_gets_a_checkpoint_at_once():
    reporter = Reporter()
    reporter.is_wanted = True
    assert train_for(0.01, 3, "1h", reporter=reporter) == [1, 2, 3]
    assert reporter.answered == [1, 2, 3]


def test_a_notice_gets_one_checkpoint_and_another_node_one_more():
    answers = iter([(), ("a",), ("a",), ("a", "b"), ("b",), ()])
    reporter = Reporter()
    told = []
    reporter.tell = told.append
    written = train_for(1.0, 30, "1h", reporter=reporter, ask=lambda: next(answers))
    assert len(list(answers)) == 0
    assert np.diff(written) == pytest.approx(2 * NOTICE_S, abs=1)
    line = "a node will be taken away: a checkpoint is made after step"
    assert told == [f"{line} {step}" for step in written]
