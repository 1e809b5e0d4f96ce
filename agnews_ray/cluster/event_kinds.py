"""The events of a job's log, as they are written there."""

from typing import Literal

from agnews_ray.run.told import Facts, RecordFacts, TrialFacts, TrialProgress, TrialRetry


class Numbered(Facts):
    """What all events have."""

    number: int = 0
    """From 1 on, in the order of writing; a reader that sees one again leaves it out."""
    time: float = 0.0
    """Unix time."""


class PlannedFacts(TrialFacts):
    """A trial of a study, as it was planned."""

    is_done: bool
    """Whether it had a record already."""


class StudyPlanned(Numbered):
    """What will run."""

    event: Literal["study"] = "study"
    name: str
    location: str
    """Where its results are left."""
    trials: tuple[PlannedFacts, ...]


class Noted(Numbered):
    """A line about the whole study."""

    event: Literal["note"] = "note"
    text: str


class Tokenised(Numbered):
    """Rows of a split tokenised so far."""

    event: Literal["tokenised"] = "tokenised"
    variant: str
    split: str
    done: int
    total: int


class Started(Numbered):
    """A trial's workers are being started."""

    event: Literal["started"] = "started"
    trial: TrialFacts


class Waiting(Numbered):
    """A started trial has no workers yet."""

    event: Literal["waiting"] = "waiting"
    trial: TrialFacts
    reason: str


class Progressed(Numbered):
    """A trial's latest step or phase."""

    event: Literal["progress"] = "progress"
    progress: TrialProgress


class Retried(Numbered):
    """A trial starts again; the line about it is a note of its own."""

    event: Literal["retry"] = "retry"
    retry: TrialRetry


class Finished(Numbered):
    """A trial's record is in its place."""

    event: Literal["finished"] = "finished"
    trial: TrialFacts
    record: RecordFacts


class Failed(Numbered):
    """A trial ended without a record."""

    event: Literal["failed"] = "failed"
    trial: TrialFacts
    error: str


class Errored(Numbered):
    """The whole study ended, and why."""

    event: Literal["error"] = "error"
    error: str


class Probed(Numbered):
    """What ``doctor`` asked for."""

    event: Literal["probe"] = "probe"
    facts: str
    """A JSON document."""


class Ended(Numbered):
    """Every trial has ended."""

    event: Literal["end"] = "end"


Event = (
    StudyPlanned
    | Noted
    | Tokenised
    | Started
    | Waiting
    | Progressed
    | Retried
    | Finished
    | Failed
    | Errored
    | Probed
    | Ended
)


def trial_of(event: Event) -> str | None:
    """Name the trial that an event is about; None where it is about the whole study."""
    if isinstance(event, Progressed):
        return event.progress.trial_id
    if isinstance(event, Retried):
        return event.retry.trial_id
    if isinstance(event, Started | Waiting | Finished | Failed):
        return event.trial.trial_id
    return None
