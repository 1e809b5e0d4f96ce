"""What a worker process does trial after trial, without Ray: its context and data are stand-ins."""

import gc
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from agnews_ray.data.subsets import as_bits
from agnews_ray.engine.malloc import give_back_memory
from agnews_ray.run import rungs
from agnews_ray.run.rungs import answer
from agnews_ray.run.worker import Worker
from agnews_ray.spec.recipe import StopSpec
from tests.fakes.token_rows import some_rows
from tests.unit.model.test_build import tiny
from tests.unit.run.conftest import RECIPE


@pytest.fixture
def train(lone_rank, tmp_path):
    """Trains one trial in this process; gives its summary and the folder of its files."""
    rows = {"train-0": some_rows(32), "test": some_rows(16, seed=1)}

    def train(name, engine="fast", validates=False, **settings):
        used = rows | ({"validation": rows["test"]} if validates else {})
        setup = lone_rank(name, used, variant=tiny(name="one", engine=engine), **settings)
        summary = Worker(setup).run()
        setup.close()
        return summary, tmp_path / name

    return train


def logits_of(_summary, staged):
    found = pq.read_table(staged / "predictions.parquet")
    return np.array(found["logits"].to_pylist())


def test_a_trial_comes_out_the_same_whatever_ran_before_it(train):
    first = logits_of(*train("first"))
    for number, engine in enumerate(["reference", "reference-best", "fast"]):
        train(f"between-{number}", engine, seed=2)
        torch.rand(5)
    assert np.array_equal(logits_of(*train("fifth")), first)


def test_a_trial_that_does_not_score_test_leaves_no_predictions(train):
    summary, staged = train("blind", scores_test=False)
    assert (summary.test, summary.diverged) == (None, None)
    assert sorted(path.name for path in staged.iterdir()) == ["artifact", "curve.parquet"]


@pytest.fixture
def stop_at(monkeypatch, questions):
    """Has the driver answer as soon as it is asked: no at that step, else yes."""

    def stop_at(last):
        def put(key, message):
            questions[key] = message
            for question in rungs.open_questions(["searched"]):
                step = question.score.step
                answer("searched", step, goes_on=step != last)

        monkeypatch.setattr(rungs, "kv_put", put)

    return stop_at


SEARCHED = {"scores_test": False, "keeps_artifact": False, "validates": True, "rungs": (3, 4, 6)}


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize(("last", "num_validated"), [(3, 0), (4, 1), (6, 1), (None, 2)])
def test_a_trial_ends_where_the_driver_stops_it(train, stop_at, engine, last, num_validated):
    stop_at(last)
    summary, staged = train("searched", engine, **SEARCHED)
    num_steps = last or 8
    assert [one.step for one in summary.rungs] == [n for n in (3, 4, 6) if n <= num_steps]
    assert summary.is_stopped == (last is not None)
    assert len(summary.validation) == num_validated
    assert summary.training.num_steps == num_steps
    assert summary.training.num_train_examples == 32
    made = summary.training.samples_per_second * summary.training.train_seconds
    assert made == pytest.approx(8 * num_steps)
    curve = pq.read_table(staged / "curve.parquet")
    assert curve["epoch"].to_pylist()[-1] == num_steps / 4


def test_a_trial_whose_model_is_not_kept_saves_none_and_knows_its_size(train):
    kept, _ = train("kept", scores_test=False)
    summary, staged = train("searched", scores_test=False, keeps_artifact=False)
    assert [path.name for path in staged.iterdir()] == ["curve.parquet"]
    assert summary.artifact_deviation is None
    assert summary.size_bytes == 4 * summary.num_parameters
    assert summary.size_bytes == pytest.approx(kept.size_bytes, rel=0.1)  # a header less


def test_a_rung_at_an_epochs_end_has_the_scores_of_that_epoch(train, stop_at):
    stop_at(None)
    summary, _ = train("searched", **SEARCHED)
    (rung,) = (one for one in summary.rungs if one.step == 4)
    of_epoch = summary.validation[0]
    assert rung.accuracy == pytest.approx(np.mean(of_epoch.labels == of_epoch.predicted))


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_trial_with_a_share_sees_only_its_rows(train, engine):
    chosen, others = (as_bits(np.arange(start, 32, 2)) for start in (0, 1))
    summary, _ = train("share", engine, scores_test=False, train_rows=chosen, num_steps=4)
    assert (summary.training.num_train_examples, summary.training.num_steps) == (16, 4)
    found = logits_of(*train("again", engine, train_rows=chosen, num_steps=4))
    other = logits_of(*train("others", engine, train_rows=others, num_steps=4))
    assert not np.array_equal(found, other)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_the_best_epoch_is_scored_on_test_and_recorded(train, engine):
    """Here the test rows are the validation rows; at this rate some epoch is worse than another."""
    rule = StopSpec(patience=2)
    recipe = RECIPE.model_copy(update={"num_epochs": 12, "stop": rule, "learning_rate": 3e-2})
    summary, _ = train("ruled", engine, recipe=recipe, validates=True)
    right = [int((one.labels == one.predicted).sum()) for one in summary.validation]
    training = summary.training
    assert training.best_epoch == 1 + right.index(max(right))
    assert training.stopped_after_epoch == len(right) == training.num_steps / 4 < 12
    assert np.array_equal(
        summary.test.predicted, summary.validation[training.best_epoch - 1].predicted
    )


def test_a_rule_that_ends_nothing_is_recorded_as_such(train):
    recipe = RECIPE.model_copy(update={"stop": StopSpec(patience=2)})
    training = train("ruled", recipe=recipe, validates=True)[0].training
    assert training.best_epoch in (1, 2)
    assert (training.stopped_after_epoch, training.num_steps) == (None, 8)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_trial_leaves_no_thread_and_no_tensor(train, engine):
    def state():
        give_back_memory()
        tensors = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]
        return {one.name for one in threading.enumerate()}, len(tensors)

    train("first", engine)  # what libraries load once
    before = state()
    train("second", engine)
    assert state() == before
