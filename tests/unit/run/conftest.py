"""What several tests of ``run`` stand in for Ray with."""

import itertools
import pickle
from types import SimpleNamespace

import pytest

from agnews_ray.run import mailbox, rungs

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
