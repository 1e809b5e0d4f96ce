"""The facts about running trials that are reported to a screen here, or through the log of a job.

The module is small, because screens and the readers of a job's log import it; it does not import
Ray.
"""

from dataclasses import dataclass
from math import nan
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import TrialRecord

Number = Annotated[float, BeforeValidator(lambda value: nan if value is None else value)]
"""A number, for which JSON has null if it is NaN."""


class Facts(BaseModel):
    """Reported facts; further ones of a newer version are ignored."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, use_attribute_docstrings=True, protected_namespaces=()
    )


class VariantFacts(Facts):
    """The reported facts about a variant."""

    name: str


class TrialFacts(Facts):
    """The reported facts about a planned trial."""

    trial_id: str
    variant: VariantFacts
    seed: int
    num_steps: int
    precision: str
    device: str
    train_share: float = 1.0
    """The share of the train rows, in (0, 1]; missing in events of older packages."""
    work: str = "fine-tuning"
    """What the trial does (``record.taught.Work``); missing in events of older packages."""
    num_rows: int = 0
    """The number of rows of an epoch, or of rows to label; missing in older events."""

    @classmethod
    def of(cls, trial: PlannedTrial) -> "TrialFacts":
        """Make the facts about a planned trial."""
        return cls.model_validate(trial)


class TrainingFacts(Facts):
    """The reported facts about the training of a trial."""

    train_seconds: float
    samples_per_second: float
    best_epoch: int | None = None
    """The epoch whose weights were kept, under a rule to stop; missing in older events."""
    stopped_after_epoch: int | None = None
    """The epoch after which this rule ended the training, if it did."""
    num_train_examples: int = 0
    """The number of rows of an epoch, or of labelled rows; missing in older events."""
    final_loss: float | None = None
    """The mean loss of the last steps; missing in older events."""


class ScoreFacts(Facts):
    """The reported scores of a trial on test; None if there are none."""

    accuracy: float | None
    macro_f1: float | None


class RecordFacts(Facts):
    """The reported facts about a finished trial."""

    training: TrainingFacts
    test: ScoreFacts
    diverged: str | None = None
    """Why there are no scores; missing in events of older packages."""
    work: str = "fine-tuning"
    """As in ``TrialFacts``."""

    @classmethod
    def of(cls, record: TrialRecord) -> "RecordFacts":
        """Make the facts about a finished trial from its record."""
        return cls.model_validate(record)


class TrialRetry(Facts):
    """A trial that starts again after a failed attempt."""

    trial_id: str
    cause: str
    """Why the attempt ended (``record.attempts.Cause``)."""
    attempt: int
    """The number of the attempt that begins, from 2 on; those of earlier submits count."""
    step: int
    """The last known step of the failed attempt."""
    text: str
    """What happened and what is changed, in a line that names the trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProgress:
    """The state of a trial, which is sent by pickle twice a second."""

    trial_id: str
    phase: str
    """One of loading, trying the GPU, training, scoring, saving; of a linear model also what it
    does in its fit, in a few words."""
    step: int = 0
    num_steps: int = 0
    epoch: float = 0.0
    loss: Number = nan
    samples_per_second: float = 0.0
    seconds_left: Number = nan
    note: str = ""
    """Notes, a line each, that are shown once for the whole study."""
    from_step: int = 0
    """The number of steps of earlier attempts from which this one went on."""
    machine: str = ""
    """The host name of rank 0's machine."""
