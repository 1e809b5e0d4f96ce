"""The state of a job, put together from its log."""

import pytest

from agnews_ray.cluster.events import read_events
from agnews_ray.cluster.job_state import JobState, fold, state_of
from agnews_ray.cluster.jobs_client import Job
from agnews_ray.run.told import RecordFacts
from tests.fakes.events import A_RETRY, TRIALS, WHY, a_diverged_run, a_log, a_run, progress
from tests.fakes.records import a_record


def a_state(log, status="RUNNING"):
    state = JobState(
        job_id="j", study="demo", status=status, started_at=None, ended_at=None, storage=""
    )
    return fold(state, read_events(log))


def test_a_study_that_is_planned_again_has_the_new_trials_alone():
    def write(events):
        events.study("demo", "/d", TRIALS[:1], ())
        events.study("demo", "/d", TRIALS[1:], ())

    assert [trial.trial_id for trial in a_state(a_log(write)).trials] == ["t2"]


def test_a_state_is_put_together_from_events():
    state = a_state(a_log(a_run))
    done, waiting = state.trials
    assert (done.state, done.step, done.accuracy) == ("done", 10, a_record().test.accuracy)
    assert (waiting.state, waiting.waits_for) == ("waiting", "1 GPU (0 there)")
    assert state.location == "s3://b/demo"


def test_a_trial_that_a_search_adds_while_it_runs_is_one_of_the_jobs():
    def write(events):
        events.study("demo", "/d", TRIALS[:1], ())
        events.started(TRIALS[1])
        events.finished(TRIALS[1], RecordFacts.of(a_record()))

    assert [(trial.trial_id, trial.state) for trial in a_state(a_log(write)).trials] == [
        ("t1", "planned"),
        ("t2", "done"),
    ]


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


@pytest.mark.parametrize("name", ["error", "note"])
def test_words_about_the_whole_study_are_kept(name):
    state = a_state(a_log(lambda e: getattr(e, name)("no room")))
    assert "no room" in (state.error if name == "error" else state.phase)


@pytest.mark.parametrize("phase", ["loading", "trying the GPU", "scoring", "saving"])
def test_a_phase_beside_training_keeps_the_last_step(phase):
    def write(events):
        events.study("demo", "/d", TRIALS[:1], ())
        events.progress(progress(TRIALS[0], step=7))
        events.progress(progress(TRIALS[0], phase, step=0))

    (trial,) = a_state(a_log(write)).trials
    assert (trial.state, trial.step, trial.loss) == (phase, 7, 0.5)


def test_a_time_left_that_is_not_known_yet_is_none():
    def write(events):
        events.study("demo", "/d", TRIALS[:1], ())
        events.progress(progress(TRIALS[0]))

    (trial,) = a_state(a_log(write)).trials
    assert (trial.state, trial.seconds_left) == ("training", None)


def test_a_trial_that_got_its_workers_waits_for_nothing():
    def write(events):
        a_run(events)
        events.progress(progress(TRIALS[1], "loading"))

    trial = a_state(a_log(write)).trials[1]
    assert (trial.state, trial.waits_for) == ("loading", None)


def test_trials_with_a_record_are_done_from_the_start():
    log = a_log(lambda events: events.study("demo", "/d", TRIALS, {"t2"}))
    assert [trial.state for trial in a_state(log).trials] == ["planned", "done"]


def test_the_work_outside_trials_is_shown_until_a_trial_goes_on():
    def tokenise(events):
        events.study("demo", "/d", TRIALS, ())
        events.tokenised("bert", "train", 1000, 1000)

    def go_on(events):
        tokenise(events)
        events.started(TRIALS[0])

    assert a_state(a_log(tokenise)).phase == "tokenising train: 1,000 of 1,000 rows"
    assert a_state(a_log(go_on)).phase is None


def test_the_studys_own_error_is_told_before_the_last_line_of_its_log():
    log = [*a_log(lambda events: events.error(ValueError("no room"))), "Traceback of Ray"]
    assert a_state(log, "FAILED").error == "no room"


def test_a_job_without_a_log_is_explained_by_ray():
    job = Job(
        job_id="j",
        status="FAILED",
        message="Runtime env setup failed\nTraceback of Ray",
        study="demo",
        storage="s3://b",
        started_at=1.0,
        ended_at=2.0,
    )
    state = fold(state_of(job), [])
    assert (state.message, state.error) == ("Runtime env setup failed",) * 2
    assert (state.study, state.storage, state.ended_at) == ("demo", "s3://b", 2.0)
    assert (state.trials, state.location) == ([], None)


def test_a_diverged_trial_is_done_and_says_why_it_has_no_scores():
    trial = a_state(a_log(a_diverged_run)).trials[0]
    assert (trial.state, trial.diverged, trial.accuracy) == ("done", WHY, None)


def test_what_a_job_that_ended_well_did_not_start_was_left_out():
    def write(events):
        events.study("demo", "/d", TRIALS[:1], ())

    (trial,) = a_state(a_log(write), "SUCCEEDED").trials
    assert trial.state == "left out"


def test_retries_are_counted_and_the_latest_cause_is_kept():
    def write(events):
        events.study("demo", "/d", TRIALS[:1], ())
        for cause in ("preempted", "lost worker"):
            events.started(TRIALS[0])
            events.progress(progress(TRIALS[0]))
            events.retried(A_RETRY.model_copy(update={"cause": cause}))

    (trial,) = a_state(a_log(write)).trials
    assert (trial.state, trial.num_retries, trial.retry_cause) == ("starting", 2, "lost worker")
