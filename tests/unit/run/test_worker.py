"""What a worker process does trial after trial, without Ray: its context and data are stand-ins."""

import gc
import pickle
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from agnews_ray.data.subsets import as_bits
from agnews_ray.engine.malloc import give_back_memory
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.run import worker
from agnews_ray.run.worker import Worker
from agnews_ray.run.worker_config import WorkerConfig
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import some_rows
from tests.unit.model.test_build import NAMES, a_tokenizer, tiny


class Context:
    """A Ray Train context of one worker."""

    def get_world_rank(self):
        return 0

    get_local_rank = get_node_rank = get_world_rank

    def get_world_size(self):
        return 1

    get_local_world_size = get_world_size


@pytest.fixture
def train(monkeypatch, tmp_path):
    """Trains one trial in this process; gives the logits of its test rows, where it scores them."""
    cpu = torch.device("cpu")
    monkeypatch.setattr(worker.ray.train, "get_context", Context)
    monkeypatch.setattr(worker.ray.train.torch, "get_device", lambda: cpu)
    monkeypatch.setattr(worker, "iter_windows", lambda rows, window_rows: iter([rows]))
    monkeypatch.setattr(worker.ProgressReporter, "_put", lambda self, progress: None)
    rows = {"train-0": some_rows(32), "test": some_rows(16, seed=1)}
    tokenizer = pickle.dumps(a_tokenizer())

    def train(name, engine="fast", seed=1, scores_test=True, chosen=None, num_steps=8):
        staged = tmp_path / name
        staged.mkdir()
        config = WorkerConfig(
            trial_id=name,
            variant=tiny(name="one", engine=engine),
            seed=seed,
            recipe=RecipeSpec(num_epochs=2, global_batch_size=8, learning_rate=1e-2),
            precision="fp32",
            num_steps=num_steps,
            class_names=NAMES,
            class_weights=None,
            pickled_tokenizer=tokenizer,
            threads_per_worker=1,
            window_rows={"train": 0, "test": 0},
            staged=str(staged),
            facts=ArtifactFacts(
                class_names=NAMES,
                max_length_tokens=20,
                text_columns=("text",),
                label_kind="names",
            ),
            replayed=(),
            unrecorded=None,
            train_rows=None if chosen is None else as_bits(chosen),
            scores_test=scores_test,
            started_at=0.0,
        )
        one = Worker(config, rows)
        summary = one.run()
        one.close()
        if not scores_test:
            return summary, staged
        found = pq.read_table(staged / "predictions.parquet")
        return np.array(found["logits"].to_pylist())

    return train


def test_a_trial_comes_out_the_same_whatever_ran_before_it(train):
    first = train("first")
    for number, engine in enumerate(["reference", "reference-best", "fast"]):
        train(f"between-{number}", engine, seed=2)
        torch.rand(5)
    assert np.array_equal(train("fifth"), first)


def test_a_trial_that_does_not_score_test_leaves_no_predictions(train):
    summary, staged = train("blind", scores_test=False)
    assert (summary.test, summary.diverged) == (None, None)
    assert sorted(path.name for path in staged.iterdir()) == ["artifact", "curve.parquet"]


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_trial_with_a_share_sees_only_its_rows(train, engine):
    chosen = np.arange(0, 32, 2)
    summary, _ = train("share", engine, scores_test=False, chosen=chosen, num_steps=4)
    assert (summary.training.num_train_examples, summary.training.num_steps) == (16, 4)
    found = train("again", engine, chosen=chosen, num_steps=4)
    assert not np.array_equal(found, train("others", engine, chosen=chosen + 1, num_steps=4))


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
