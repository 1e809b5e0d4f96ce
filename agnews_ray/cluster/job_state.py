"""The state of a job, from Ray's description of it and from its events."""

import math
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from agnews_ray.cluster import event_kinds as kinds
from agnews_ray.cluster.event_kinds import Event
from agnews_ray.cluster.jobs_client import Job
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress


class TrialState(BaseModel):
    """The state of a trial of a job."""

    model_config = ConfigDict(protected_namespaces=())

    trial_id: str
    model: str
    seed: int
    num_steps: int
    state: str = "planned"
    """One of planned, starting, waiting, loading, training, scoring, saving, done, failed,
    stopped, left out (by the study's budget)."""
    step: int = 0
    loss: float | None = None
    samples_per_second: float | None = None
    seconds_left: float | None = None
    waits_for: str | None = None
    num_retries: int = 0
    """The number of times that it has started again in this job."""
    retry_cause: str | None = None
    """Why it started again the last time (``record.attempts.Cause``)."""
    accuracy: float | None = None
    macro_f1: float | None = None
    diverged: str | None = None
    """Why a finished trial has no scores."""
    train_seconds: float | None = None
    error: str | None = None


class JobState(BaseModel):
    """The state of a job."""

    job_id: str
    study: str
    status: str
    """Ray's status: PENDING, RUNNING, SUCCEEDED, FAILED, STOPPED."""
    started_at: float | None
    ended_at: float | None
    storage: str
    location: str | None = None
    """The place of the study's results; None before it has started."""
    message: str = ""
    """Ray's message on the whole job."""
    error: str | None = None
    """Why the job failed."""
    phase: str | None = None
    """The current work outside trials."""
    trials: list[TrialState] = []


def state_of(job: Job) -> JobState:
    """Make the first state from Ray's description of a job."""
    return JobState(
        job_id=job.job_id,
        study=job.study,
        status=job.status,
        started_at=job.started_at,
        ended_at=job.ended_at,
        storage=job.storage,
        message=job.message.partition("\n")[0],
    )


def fold(state: JobState, events: Iterable[Event | str]) -> JobState:
    """Add what events say to a job's state.

    Args:
        state: the state without trials.
        events: events of ``cluster.events``, in order, and other lines as text.

    Returns:
        The same state, filled in; its error is that of the first failed trial, if there is one.
    """
    trials: dict[str, TrialState] = {}
    said = ""
    for event in events:
        if isinstance(event, str):
            said = event.strip() or said
            continue
        trial_id = kinds.trial_of(event)
        state.phase = None
        if trial_id is None:
            _change_study(state, event, trials)
            continue
        if isinstance(event, kinds.Started) and trial_id not in trials:
            trials[trial_id] = _planned(event.trial)  # a search plans its trials as it goes
        if trial_id in trials:
            _change(trials[trial_id], event)
    _explain_end(state, trials, said)
    state.trials = list(trials.values())
    return state


def _explain_end(state: JobState, trials: dict[str, TrialState], said: str) -> None:
    """Say why a job failed: from its first failed trial, its own error, or its log's last line."""
    if state.status in ("FAILED", "STOPPED"):
        for trial in trials.values():
            if trial.state not in ("done", "failed"):
                trial.state = "stopped"
    if state.status == "SUCCEEDED":
        for trial in trials.values():
            if trial.state == "planned":
                trial.state = "left out"
    if state.status == "FAILED":
        failed = (trial.error for trial in trials.values() if trial.error)
        state.error = next(failed, None) or state.error or said or state.message


def _planned(trial: TrialFacts, *, is_done: bool = False) -> TrialState:
    return TrialState(
        trial_id=trial.trial_id,
        model=trial.variant.name,
        seed=trial.seed,
        num_steps=trial.num_steps,
        state="done" if is_done else "planned",
    )


def _change_study(state: JobState, event: Event, trials: dict[str, TrialState]) -> None:
    match event:
        case kinds.StudyPlanned():
            state.location = event.location
            trials.clear()  # planned again, some have other ids
            trials.update({t.trial_id: _planned(t, is_done=t.is_done) for t in event.trials})
        case kinds.Tokenised():
            state.phase = f"tokenising {event.split}: {event.done:,} of {event.total:,} rows"
        case kinds.Noted():
            state.phase = event.text
        case kinds.Errored():
            state.error = event.error


def _change(trial: TrialState, event: Event) -> None:
    trial.waits_for = None
    match event:
        case kinds.Progressed():
            _progress(trial, event.progress)
        case kinds.Started():
            trial.state = "starting"
        case kinds.Waiting():
            trial.state, trial.waits_for = "waiting", event.reason
        case kinds.Retried():
            trial.state, trial.retry_cause = "starting", event.retry.cause
            trial.num_retries += 1
        case kinds.Failed():
            trial.state, trial.error = "failed", event.error
        case kinds.Finished():
            _finish(trial, event.record)


def _finish(trial: TrialState, record: RecordFacts) -> None:
    trial.state, trial.step = "done", trial.num_steps
    trial.accuracy, trial.macro_f1 = record.test.accuracy, record.test.macro_f1
    trial.diverged = record.diverged
    trial.train_seconds = record.training.train_seconds
    trial.samples_per_second = record.training.samples_per_second
    trial.seconds_left = None


def _progress(trial: TrialState, progress: TrialProgress) -> None:
    trial.state = progress.phase
    if progress.phase == "training":
        trial.step, trial.loss = progress.step, _or_none(progress.loss)
        trial.samples_per_second = progress.samples_per_second
        trial.seconds_left = _or_none(progress.seconds_left)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
