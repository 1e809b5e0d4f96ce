"""What is told of trials while they run: to a screen here, or through the log of a job.

Light, since screens and the readers of a job's log import it; Ray is not.
"""

from dataclasses import dataclass
from math import nan
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import TrialRecord

Number = Annotated[float, BeforeValidator(lambda value: nan if value is None else value)]
"""JSON has null for what is not a number."""


class Facts(BaseModel):
    """Something told; what a newer version tells beside it is left out."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, use_attribute_docstrings=True, protected_namespaces=()
    )


class VariantFacts(Facts):
    """What is told of a variant."""

    name: str


class TrialFacts(Facts):
    """What is told of a planned trial."""

    trial_id: str
    variant: VariantFacts
    seed: int
    num_steps: int
    precision: str
    device: str

    @classmethod
    def of(cls, trial: PlannedTrial) -> "TrialFacts":
        """Take from a planned trial what is told of it."""
        return cls.model_validate(trial)


class TrainingFacts(Facts):
    """What is told of how a trial was trained."""

    train_seconds: float
    samples_per_second: float


class ScoreFacts(Facts):
    """What is told of a trial's scores on test; None where there are none."""

    accuracy: float | None
    macro_f1: float | None


class RecordFacts(Facts):
    """What is told of a finished trial."""

    training: TrainingFacts
    test: ScoreFacts
    diverged: str | None = None
    """Why there are no scores; older packages do not say."""

    @classmethod
    def of(cls, record: TrialRecord) -> "RecordFacts":
        """Take from a record what is told of it."""
        return cls.model_validate(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProgress:
    """Where a trial stands; it travels by pickle, twice a second."""

    trial_id: str
    phase: str
    """loading, trying the GPU, training, scoring or saving."""
    step: int = 0
    num_steps: int = 0
    epoch: float = 0.0
    loss: Number = nan
    samples_per_second: float = 0.0
    seconds_left: Number = nan
    note: str = ""
    """What is to be told once of the whole trial."""
