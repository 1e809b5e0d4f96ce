"""Trials that were interrupted and went on: how often, why, and what it took."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from agnews_ray.record.attempts import Cause, repeated
from agnews_ray.record.schema import TrialRecord


class InterruptedTrial(BaseModel):
    """A finished trial that took several attempts. Its result is that of an undisturbed one."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    trial_id: str
    model: str
    """The name of its variant."""
    seed: int
    num_attempts: int
    """The number of attempts, with the one that finished it."""
    causes: dict[Cause, int]
    """The number of attempts that ended for each cause, without the one that finished it."""
    num_steps_repeated: int
    """The steps that were made again."""
    seconds_lost: float
    """The time of attempts of which nothing is left: their starts, and steps made again."""


def interrupted_trials(records: Iterable[TrialRecord]) -> tuple[InterruptedTrial, ...]:
    """Describe the trials that took more than one attempt, in the order of their records."""
    return tuple(_describe(record) for record in records if len(record.attempts) > 1)


def _describe(record: TrialRecord) -> InterruptedTrial:
    lost = repeated(record.attempts)
    return InterruptedTrial(
        trial_id=record.trial_id,
        model=record.variant.name,
        seed=record.seed,
        num_attempts=len(record.attempts),
        causes=dict(Counter(one.cause for one in record.attempts[:-1]).most_common()),
        num_steps_repeated=lost.steps,
        seconds_lost=lost.seconds,
    )
