import pickle
import threading

import pytest

from agnews_ray.run import progress
from agnews_ray.run.progress import ProgressReporter

PATIENCE_S = 30


@pytest.fixture
def store(monkeypatch):
    """Ray's key-value store, which answers once it is let."""
    may_answer, arrived = threading.Event(), []

    def put(_key, message):
        assert may_answer.wait(PATIENCE_S)
        arrived.append(pickle.loads(message))

    monkeypatch.setattr(progress, "_internal_kv_put", put)
    monkeypatch.setattr(progress, "_key", lambda trial_id: trial_id)
    yield may_answer, arrived
    may_answer.set()


def test_training_does_not_wait_for_ray_to_answer(store):
    _, arrived = store
    reporter = ProgressReporter("t1", num_steps=10, num_epochs=1, does_tell=True)
    reporter.phase("loading")
    reporter.step(1, 0.5, 10.0, 1.0)
    assert arrived == []


def test_messages_arrive_in_order(store):
    may_answer, arrived = store
    reporter = ProgressReporter("t1", num_steps=10, num_epochs=1, does_tell=True)
    reporter.phase("loading")
    reporter.step(5, 0.5, 10.0, 1.0)
    reporter.phase("scoring")
    may_answer.set()
    reporter._messages.shutdown()
    assert [(one.phase, one.step) for one in arrived] == [
        ("loading", 0),
        ("training", 5),
        ("scoring", 0),
    ]


def test_other_ranks_are_silent(store):
    may_answer, arrived = store
    may_answer.set()
    reporter = ProgressReporter("t1", num_steps=10, num_epochs=1, does_tell=False)
    reporter.phase("loading")
    reporter._messages.shutdown()
    assert arrived == []
