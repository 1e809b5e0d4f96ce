"""What is said of a job and its trials."""

import time

import pytest

from agnews_ray.cli.job_text import describe_trial, times_of
from agnews_ray.cluster.job_state import JobState, TrialState

STARTED = time.mktime((2026, 1, 2, 3, 4, 0, 0, 0, -1))
"""A time of this machine's clock, which is the one that is shown."""


def a_job(started_at, ended_at=None):
    facts = {"job_id": "j", "study": "demo", "status": "RUNNING", "storage": ""}
    return JobState(started_at=started_at, ended_at=ended_at, **facts)


def a_trial(state, **facts):
    return TrialState(trial_id="t", model="bert", seed=1, num_steps=2000, state=state, **facts)


def test_a_job_is_told_with_its_start_and_how_long_it_took():
    assert times_of(a_job(STARTED, STARTED + 3661)) == "01-02 03:04 for 1:01:01"
    assert times_of(a_job(None)) == "not started"


def test_a_job_that_runs_is_told_with_how_long_it_has_taken(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: STARTED + 62.0)
    assert times_of(a_job(STARTED)) == "01-02 03:04 for 1:02"


@pytest.mark.parametrize(
    ("trial", "said"),
    [
        (a_trial("planned"), "planned"),
        (a_trial("saving"), "saving"),
        (a_trial("waiting", waits_for="1 GPU (0 there)"), "waits for 1 GPU (0 there)"),
        (a_trial("done", accuracy=0.9, macro_f1=0.8), "done: accuracy 0.9000, macro-F1 0.8000"),
        (a_trial("done", diverged="loss is not a number"), "DIVERGED: loss is not a number"),
        (a_trial("done"), "done"),  # it does not score test, or was done before
        (a_trial("failed", error="no room"), "FAILED: no room"),
        (a_trial("stopped"), "stopped"),
    ],
    ids=lambda value: value.state if isinstance(value, TrialState) else "",
)
def test_a_trial_is_told_by_where_it_stands(trial, said):
    assert describe_trial(trial) == said


def test_training_is_told_with_the_time_left_once_that_is_known():
    facts = {"step": 1234, "samples_per_second": 56.7}
    said = "training: step 1,234 of 2,000, 57 samples/s"
    assert describe_trial(a_trial("training", **facts)) == said
    assert describe_trial(a_trial("training", seconds_left=75.0, **facts)) == f"{said}, 1:15 left"
    assert describe_trial(a_trial("training")) == "training: step 0 of 2,000, 0 samples/s"


def test_a_trial_that_started_again_says_how_often_and_why():
    once = a_trial("saving", num_retries=1, retry_cause="preempted")
    assert describe_trial(once) == "saving (started again once, last after: preempted)"
    twice = a_trial("saving", num_retries=2, retry_cause="lost worker")
    assert describe_trial(twice) == "saving (started again 2 times, last after: lost worker)"
