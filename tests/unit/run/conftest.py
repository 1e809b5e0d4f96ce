"""What several tests of ``run`` stand in for Ray with."""

import itertools
import pickle
from types import SimpleNamespace

import pytest
import torch

from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.run import mailbox, rungs, worker_rows, worker_setup
from agnews_ray.run.mailbox import Task
from agnews_ray.run.progress import ProgressReporter
from agnews_ray.run.worker_config import WorkerConfig
from agnews_ray.run.worker_setup import WorkerSetup
from agnews_ray.spec.recipe import RecipeSpec
from tests.unit.model.test_build import NAMES, a_tokenizer, tiny

JOBS = itertools.count()


@pytest.fixture
def letters(monkeypatch):
    """What lies in the mailbox."""
    held = {}
    job = str(next(JOBS))  # threads of other tests look under other names
    context = SimpleNamespace(get_job_id=lambda: job)
    monkeypatch.setattr(mailbox, "ray", SimpleNamespace(get_runtime_context=lambda: context))
    monkeypatch.setattr(mailbox, "kv_put", held.__setitem__)
    monkeypatch.setattr(mailbox, "kv_get", held.get)
    monkeypatch.setattr(mailbox, "kv_delete", lambda key: held.pop(key, None))
    monkeypatch.setattr(mailbox, "pickle_with_objects", lambda value: (pickle.dumps(value), []))
    return held


@pytest.fixture
def questions(monkeypatch):
    """What lies in the store about rungs; the store answers nothing by itself."""
    held = {}
    context = SimpleNamespace(get_job_id=lambda: "job")
    monkeypatch.setattr(rungs, "ray", SimpleNamespace(get_runtime_context=lambda: context))
    monkeypatch.setattr(rungs, "kv_put", held.__setitem__)
    monkeypatch.setattr(rungs, "kv_get", held.get)
    monkeypatch.setattr(rungs, "kv_delete", lambda key: held.pop(key, None))
    return held


RECIPE = RecipeSpec(num_epochs=2, global_batch_size=8, learning_rate=1e-2)
"""The recipe of a worker's trials, unless a test has another one."""


class Context:
    """A Ray Train context of one worker."""

    def get_world_rank(self):
        return 0

    get_local_rank = get_node_rank = get_world_rank

    def get_world_size(self):
        return 1

    get_local_world_size = get_world_size


@pytest.fixture
def lone_rank(monkeypatch, tmp_path):
    """Makes the only rank of a trial in this process, with stand-ins for Ray's context and data.

    ``rows`` are those of the splits, each one window; the trial's files are left in a folder with
    its name.
    """
    cpu = torch.device("cpu")
    monkeypatch.setattr(worker_setup.ray.train, "get_context", Context)
    monkeypatch.setattr(worker_setup.ray.train.torch, "get_device", lambda: cpu)
    monkeypatch.setattr(worker_rows, "iter_windows", lambda rows, window_rows: iter([rows]))
    monkeypatch.setattr(worker_rows.ray, "get", lambda labels: labels)
    monkeypatch.setattr(ProgressReporter, "_put", lambda self, progress: None)
    tokenizer = pickle.dumps(a_tokenizer())

    def lone_rank(name, rows, soft_labels=(), **settings):
        staged = tmp_path / name
        staged.mkdir()
        recipe = settings.pop("recipe", RECIPE)
        num_steps = settings.pop("num_steps", None) or 4 * recipe.num_epochs
        usual = {
            "trial_id": name,
            "variant": tiny(name="one"),
            "seed": 1,
            "precision": "fp32",
            "num_train_rows": 8 * num_steps // recipe.num_epochs,
            "class_names": NAMES,
            "class_weights": None,
            "pickled_tokenizer": tokenizer,
            "threads_per_worker": 1,
            "window_rows": {split.split("-")[0]: 0 for split in rows},
            "staged": str(staged),
            "facts": ArtifactFacts(
                class_names=NAMES,
                max_length_tokens=20,
                text_columns=("text",),
                label_kind="names",
            ),
            "replayed": (),
            "unrecorded": None,
            "started_at": 0.0,
        }
        config = WorkerConfig(**usual | settings, recipe=recipe, num_steps=num_steps)
        return WorkerSetup(Task(config=config, datasets=rows, soft_labels=tuple(soft_labels)))

    return lone_rank
