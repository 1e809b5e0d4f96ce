"""A running study in trackers: what they are told, and what becomes of their errors."""

import threading

import pytest

from agnews_ray.app import live_tracking
from agnews_ray.app.live_tracking import tracking
from agnews_ray.cli.screen import SilentScreen
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.store import StudyStore
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress
from tests.fakes.studies import a_study
from tests.fakes.tracked import KeptTracker


class Screen(SilentScreen):
    """Keeps its notes."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def store(tmp_path):
    return StudyStore.at(a_study(tmp_path, seeds=(1,)))


def facts_of(record: TrialRecord) -> TrialFacts:
    return TrialFacts(
        trial_id=record.trial_id,
        variant={"name": record.variant.name},
        seed=record.seed,
        num_steps=100,
        precision="fp32",
        device="cpu",
    )


def at(trial, step, phase="training", loss=0.5):
    return TrialProgress(trial_id=trial.trial_id, phase=phase, step=step, num_steps=100, loss=loss)


def follow(store, tracker, events):
    """Follow a study through these events; give the screen and the watcher."""
    screen = Screen()
    with tracking(screen, store.location, "study", {"kept": tracker}) as watcher:
        events(watcher)
    return screen, watcher


def test_a_trial_is_followed_live_then_exported_and_then_the_study(store):
    record, _ = store.records()
    trial = facts_of(record)

    def events(watcher):
        watcher.started(trial)
        watcher.progress(at(trial, 0, "loading"))
        watcher.progress(at(trial, 3))
        watcher.progress(at(trial, 3))  # nothing new
        watcher.progress(at(trial, 5, loss=float("nan")))
        watcher.finished(trial, RecordFacts.of(record))
        watcher.progress(at(trial, 9))  # a last message may come after the end

    tracker = KeptTracker()
    screen, watcher = follow(store, tracker, events)
    assert [told[:3] for told in tracker.told[:2]] == [
        ("live_start", "v0-s1", "study"),
        ("live_point", "v0-s1", 3),
    ]
    rest = [told[:2] for told in tracker.told[2:]]
    whole = [("export", "v0-s1"), ("export", "v1-s1"), ("describe", "study")]
    assert rest == [("export", "v0-s1"), *whole]
    assert (watcher.problems, screen.notes) == ([], [])
    assert watcher.tracked[0].runs == {"v0-s1": "new", "v1-s1": "new"}


def test_a_failed_trial_ends_its_live_run(store):
    trial = facts_of(store.records()[0])

    def events(watcher):
        watcher.started(trial)
        watcher.failed(trial, ValueError("no room"))

    tracker = KeptTracker()
    follow(store, tracker, events)
    assert ("live_end", "v0-s1", "failed") in tracker.told


def test_an_interrupt_ends_the_live_runs_and_exports_nothing_more(store):
    trial = facts_of(store.records()[0])

    def events(watcher):
        watcher.started(trial)
        raise KeyboardInterrupt

    tracker = KeptTracker()
    with pytest.raises(KeyboardInterrupt):
        follow(store, tracker, events)
    assert [told[0] for told in tracker.told] == ["live_start", "live_end"]
    assert tracker.told[-1] == ("live_end", "v0-s1", "interrupted")


@pytest.mark.parametrize("call", ["live_start", "live_point", "export"])
def test_a_tracker_that_fails_is_noted_once_and_gets_nothing_more(store, call, caplog):
    record, _ = store.records()
    trial = facts_of(record)

    def events(watcher):
        watcher.started(trial)
        watcher.progress(at(trial, 3))
        watcher.finished(trial, RecordFacts.of(record))
        wait_for(watcher)
        watcher.progress(at(trial, 4))
        watcher.progress(at(trial, 5))

    tracker = KeptTracker(fails_at=call)
    screen, watcher = follow(store, tracker, events)
    assert not any(told[0] == "describe" for told in tracker.told)
    (problem,) = watcher.problems
    assert f"agnews-ray track {store.location} --to kept" in problem
    assert screen.notes == [f"note  {problem}"]
    assert watcher.tracked == []


def wait_for(watcher):
    """Wait until the thread has done what it was given so far."""
    done = threading.Event()
    for one in watcher._threads:
        one._actions.put(done.set)
        if not one.problem:
            break
    while not done.is_set() and not any(one.problem for one in watcher._threads):
        done.wait(0.01)


def test_a_tracker_that_hangs_does_not_hold_the_study(store, monkeypatch):
    monkeypatch.setattr(live_tracking, "MAX_WAIT_S", 0.05)
    trial, answer = facts_of(store.records()[0]), threading.Event()

    class Hanging(KeptTracker):
        def live_start(self, study, trial_id, name):
            answer.wait()

    def events(watcher):
        watcher.started(trial)
        for step in range(1, 100):
            watcher.progress(at(trial, step))

    tracker = Hanging()
    _, watcher = follow(store, tracker, events)
    answer.set()
    assert "takes too long" in watcher.problems[0]


def test_points_that_wait_too_long_are_left_out(store):
    trial, answer = facts_of(store.records()[0]), threading.Event()

    class Slow(KeptTracker):
        def live_start(self, study, trial_id, name):
            answer.wait()

    def events(watcher):
        watcher.started(trial)
        for step in range(1, 100):
            watcher.progress(at(trial, step))
        answer.set()

    tracker = Slow()
    follow(store, tracker, events)
    points = [told for told in tracker.told if told[0] == "live_point"]
    assert 0 < len(points) <= live_tracking.MAX_WAITING
    assert tracker.told[-1][0] == "describe"


def test_without_trackers_the_screen_is_all(store):
    screen = Screen()
    with tracking(screen, store.location, "study", {}) as watcher:
        watcher.note("a line")
    assert (screen.notes, watcher.tracked) == (["a line"], [])


def test_a_teachers_labels_are_no_live_run_and_a_pre_training_is_one(store):
    trial = facts_of(store.records()[0])

    def events(watcher):
        for work in ("labelling", "pretraining"):
            watcher.started(trial.model_copy(update={"trial_id": work, "work": work}))

    tracker = KeptTracker()
    follow(store, tracker, events)
    started = [told[1:] for told in tracker.told if told[0] == "live_start"]
    assert [(trial_id, name) for trial_id, _, name in started] == [
        ("pretraining", "first · pre-training · seed 1")
    ]
