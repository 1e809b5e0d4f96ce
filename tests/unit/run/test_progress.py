import pickle
import threading

import pytest

from agnews_ray.run import progress
from agnews_ray.run.progress import ProgressReporter

PATIENCE_S = 30


class Store:
    """Ray's key-value store, which answers once it is let."""

    def __init__(self):
        self.may_answer = threading.Event()
        self.arrived = []

    def put(self, _key, message):
        assert self.may_answer.wait(PATIENCE_S)
        self.arrived.append(pickle.loads(message))


@pytest.fixture
def store(monkeypatch):
    store = Store()
    monkeypatch.setattr(progress, "kv_put", store.put)
    monkeypatch.setattr(progress, "_key", lambda trial_id: trial_id)
    return store


@pytest.fixture
def start_reporter(store):
    """Make a reporter whose last message leaves before the store does."""
    made = []

    def start(*, does_tell):
        made.append(ProgressReporter("t1", num_steps=10, num_epochs=1, does_tell=does_tell))
        return made[-1]

    yield start
    store.may_answer.set()
    for reporter in made:
        reporter._messages.shutdown()


def test_training_does_not_wait_for_ray_to_answer(store, start_reporter):
    reporter = start_reporter(does_tell=True)
    reporter.phase("loading")
    reporter.step(1, 0.5, 10.0, 1.0)
    assert store.arrived == []


def test_messages_arrive_in_order(store, start_reporter):
    reporter = start_reporter(does_tell=True)
    reporter.phase("loading")
    reporter.step(5, 0.5, 10.0, 1.0)
    reporter.phase("scoring")
    store.may_answer.set()
    reporter._messages.shutdown()
    phases = [(one.phase, one.step) for one in store.arrived]
    assert phases == [("loading", 0), ("training", 5), ("scoring", 0)]


def test_other_ranks_are_silent(store, start_reporter):
    reporter = start_reporter(does_tell=False)
    store.may_answer.set()
    reporter.phase("loading")
    reporter._messages.shutdown()
    assert store.arrived == []


def test_a_wanted_checkpoint_is_one_that_was_begun_after_the_request(monkeypatch):
    held = {}
    monkeypatch.setattr(progress, "kv_put", held.__setitem__)
    monkeypatch.setattr(progress, "kv_get", held.get)
    monkeypatch.setattr(progress, "kv_delete", lambda key: held.pop(key, None))
    monkeypatch.setattr(progress, "_key", lambda trial_id: trial_id)
    reporter = ProgressReporter("t1", num_steps=10, num_epochs=1, does_tell=True)
    held[progress._save_key("t1")] = b"now"
    reporter.done = 7
    reporter.step(7, 0.5, 10.0, 1.0)
    reporter._messages.submit(int).result()  # until the message has left
    assert reporter.is_save_wanted()
    reporter.saved(5)  # its writing had begun before
    reporter._messages.submit(int).result()
    assert progress._save_key("t1") in held
    reporter.saved(8)
    reporter._messages.shutdown()
    assert progress._save_key("t1") not in held
    assert not reporter.is_save_wanted()
