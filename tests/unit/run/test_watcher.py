"""A watcher that fails ends no trial."""

import pytest

from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress
from agnews_ray.run.watcher import SteadyWatcher, StudyWatcher
from tests.fakes.events import A_RETRY
from tests.fakes.records import a_record
from tests.unit.run.test_queue import some_trials

TRIAL = TrialFacts.of(some_trials(1)[0])
EVENTS = {
    "study": ("demo", "/runs/demo", [TRIAL], {"t0"}),
    "note": ("a note",),
    "tokenised": ("bert", "train", 1, 2),
    "started": (TRIAL,),
    "waiting": (TRIAL, "1 GPU"),
    "progress": (TrialProgress(trial_id="t0", phase="training"),),
    "retried": (A_RETRY,),
    "finished": (TRIAL, RecordFacts.of(a_record())),
    "failed": (TRIAL, ValueError("no room")),
}


class Watcher:
    """Keeps what it is told, and raises what it is made with."""

    def __init__(self, error=None):
        self.told = []
        self.error = error

    def __getattr__(self, name):
        def tell(*facts):
            self.told.append((name, facts))
            if self.error is not None:
                raise self.error

        return tell


def test_every_event_of_a_study_is_here():
    assert {name for name in vars(StudyWatcher) if not name.startswith("_")} == EVENTS.keys()


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_passed_on_as_it_is(name):
    watcher = Watcher()
    getattr(SteadyWatcher(watcher), name)(*EVENTS[name])
    assert watcher.told == [(name, EVENTS[name])]


@pytest.mark.parametrize("name", EVENTS)
def test_a_watcher_that_failed_is_told_nothing_more(name, caplog):
    watcher = Watcher(BrokenPipeError("gone"))
    steady = SteadyWatcher(watcher)
    getattr(steady, name)(*EVENTS[name])
    for other, facts in EVENTS.items():
        getattr(steady, other)(*facts)
    assert [told for told, _ in watcher.told] == [name]
    (line,) = caplog.records
    assert "the watcher failed" in line.message
    assert line.exc_info[0] is BrokenPipeError


def test_an_interrupt_is_no_failure_of_a_watcher():
    watcher = Watcher(KeyboardInterrupt())
    steady = SteadyWatcher(watcher)
    with pytest.raises(KeyboardInterrupt):
        steady.note("a note")
    watcher.error = None
    steady.note("another")
    assert len(watcher.told) == 2
