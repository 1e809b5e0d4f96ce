import math

from agnews_ray.cli.screen import PlainScreen
from agnews_ray.cluster.events import PREFIX, read_events, show_event
from agnews_ray.record.json_text import to_json
from agnews_ray.run.told import TrialProgress
from tests.fakes.events import A_RETRY, TRIALS, WHY, a_diverged_run, a_log, a_run, progress


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


def test_a_diverged_trial_is_said_on_the_screen(capsys):
    for event in read_events(a_log(a_diverged_run)):
        show_event(event, PlainScreen())
    assert f"done  t1: DIVERGED: {WHY}" in capsys.readouterr().out


def test_a_retry_is_shown_once_and_older_versions_show_it_too(capsys):
    log = a_log(lambda events: events.retried(A_RETRY))
    for event in read_events(log):
        show_event(event, PlainScreen())
    assert capsys.readouterr().out == f"{A_RETRY.text}\n"
    assert [event.event for event in read_events(log)] == ["note", "retry"]
