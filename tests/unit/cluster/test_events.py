import io
import math

import pytest

from agnews_ray.cli.screen import PlainScreen
from agnews_ray.cluster.events import PREFIX, EventWriter, read_events, show_event
from agnews_ray.cluster.job_state import JobState, fold
from agnews_ray.record.json_text import to_json
from agnews_ray.record.schema import Scores
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress
from tests.fakes.records import a_record
from tests.unit.run.test_queue import some_trials

TRIALS = [
    TrialFacts(
        trial_id=f"t{seed}",
        variant={"name": "bert"},
        seed=seed,
        device="cpu",
        precision="fp32",
        num_steps=10,
    )
    for seed in (1, 2)
]


def progress(trial, phase="training", step=3):
    return TrialProgress(trial_id=trial.trial_id, phase=phase, step=step, num_steps=10, loss=0.5)


def a_log(write):
    stream = io.StringIO()
    write(EventWriter(stream))
    return stream.getvalue().splitlines()


def a_run(events):
    events.study("demo", "s3://b/demo", TRIALS, set())
    events.tokenised("bert", "train", 100, 100)
    events.started(TRIALS[0])
    events.progress(progress(TRIALS[0]))
    events.finished(TRIALS[0], RecordFacts.of(a_record(trial_id="t1")))
    events.started(TRIALS[1])
    events.waiting(TRIALS[1], "1 GPU (0 there)")


def a_state(log, status="RUNNING"):
    state = JobState(
        job_id="j", study="demo", status=status, started_at=None, ended_at=None, storage=""
    )
    return fold(state, read_events(log))


def test_events_are_shown_as_a_local_run_would(capsys):
    log = a_log(a_run)
    screen = PlainScreen()
    for event in read_events(log):
        show_event(event, screen)
    shown = capsys.readouterr().out
    assert "start t1: 10 steps, fp32" in shown
    assert "t1: -:-- left  loss 0.500" in shown
    assert "done  t1: accuracy" in shown
    assert "t2: waits for 1 GPU (0 there)" in shown


def test_a_connection_taken_up_again_shows_nothing_twice():
    log = a_log(a_run)
    again = [*log[:4], *log]
    assert [e.number for e in read_events(again)] == [e.number for e in read_events(log)]


def test_other_lines_stay_text_and_half_lines_are_left():
    log = ["Running entrypoint", *a_log(a_run)[:1], '@agnews-ray {"number": 9, "ev']
    first, event = read_events(log)
    assert first == "Running entrypoint"
    assert event.event == "study"


def test_what_only_a_newer_version_says_is_left_out():
    newer = '@agnews-ray {"number": 9, "event": "weather", "text": "fine"}'
    started = a_log(lambda events: events.started(TRIALS[0]))[0]
    with_more = started.replace('"seed": 1', '"seed": 1, "mood": "good"')
    (event,) = read_events([newer, with_more])
    assert event.trial == TRIALS[0]


def test_an_event_is_written_again_as_it_was_read():
    log = a_log(a_run)
    assert [f"{PREFIX}{to_json(event, indent=None)}" for event in read_events(log)] == log


def test_a_study_that_is_planned_again_has_the_new_trials_alone():
    def write(events):
        events.study("demo", "/d", TRIALS[:1], ())
        events.study("demo", "/d", TRIALS[1:], ())

    assert [trial.trial_id for trial in a_state(a_log(write)).trials] == ["t2"]


def test_what_is_told_of_a_trial_is_taken_from_its_plan_and_record():
    (trial,) = some_trials(1)
    assert TrialFacts.of(trial).model_dump() == {
        "trial_id": "t0",
        "variant": {"name": "bert"},
        "seed": 0,
        "num_steps": 1,
        "precision": "fp32",
        "device": "cpu",
    }
    assert RecordFacts.of(a_record()).test.accuracy == a_record().test.accuracy


def test_a_state_is_put_together_from_events():
    state = a_state(a_log(a_run))
    done, waiting = state.trials
    assert (done.state, done.step, done.accuracy) == ("done", 10, a_record().test.accuracy)
    assert (waiting.state, waiting.waits_for) == ("waiting", "1 GPU (0 there)")
    assert state.location == "s3://b/demo"


def test_the_first_failed_trial_explains_the_job():
    def write(events):
        a_run(events)
        events.failed(TRIALS[1], ValueError("the cause"))

    state = a_state([*a_log(write), "Traceback of Ray"], "FAILED")
    assert state.error == "the cause"


def test_a_job_that_never_began_is_explained_by_its_last_line():
    state = a_state(["line", "ModuleNotFoundError: No module named 'torch'", ""], "FAILED")
    assert state.error == "ModuleNotFoundError: No module named 'torch'"


def test_what_was_stopped_is_not_called_training():
    state = a_state(a_log(a_run), "STOPPED")
    assert [trial.state for trial in state.trials] == ["done", "stopped"]


def test_progress_is_written_seldom_and_phases_at_once():
    def write(events):
        for step in range(5):
            events.progress(progress(TRIALS[0], step=step))
        events.progress(progress(TRIALS[0], "scoring"))

    kinds = [event.progress.phase for event in read_events(a_log(write))]
    assert kinds == ["training", "scoring"]


def test_numbers_that_json_has_not_come_back():
    log = a_log(lambda e: e.progress(TrialProgress(trial_id="t1", phase="loading")))
    assert "NaN" not in log[0]
    (event,) = read_events(log)
    assert math.isnan(event.progress.loss)


@pytest.mark.parametrize("name", ["error", "note"])
def test_words_about_the_whole_study_are_kept(name):
    state = a_state(a_log(lambda e: getattr(e, name)("no room")))
    assert "no room" in (state.error if name == "error" else state.phase)


def test_a_diverged_trial_is_said_by_screen_and_state(capsys):
    why = "loss is not a number from step 3 of 10 on"
    record = a_record(trial_id="t1", diverged=why, test=Scores.none_of(10))

    def write(events):
        events.study("demo", "s3://b/demo", TRIALS, set())
        events.finished(TRIALS[0], RecordFacts.of(record))

    log = a_log(write)
    for event in read_events(log):
        show_event(event, PlainScreen())
    assert f"done  t1: DIVERGED: {why}" in capsys.readouterr().out
    trial = a_state(log).trials[0]
    assert (trial.state, trial.diverged, trial.accuracy) == ("done", why, None)
