"""Trials that diverged: they are named, and left out of every mean, interval, pair and cost."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from agnews_ray.record.schema import TrialRecord


class DivergedTrial(BaseModel):
    """A trial whose loss or logits are not numbers."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    """The name of its variant; that of the table's row if other seeds did not diverge."""
    seed: int
    trial_id: str
    reason: str
    has_row: bool
    """Whether other seeds of its variant did not diverge."""
    is_baseline: bool
    """Whether it belongs to the study's first variant."""


def part_diverged(
    records: Sequence[TrialRecord],
) -> tuple[list[TrialRecord], list[TrialRecord]]:
    """Separate the trials with scores from those that diverged."""
    sound = [record for record in records if record.diverged is None]
    return sound, [record for record in records if record.diverged is not None]


def describe_diverged(
    record: TrialRecord, row_name: str | None, order: Sequence[str]
) -> DivergedTrial:
    """Describe a trial that diverged.

    Args:
        record: the trial's record.
        row_name: its variant's name in the table; None if every seed diverged.
        order: variant names, the baseline first.

    Returns:
        The facts for the report.
    """
    name = record.variant.name
    return DivergedTrial(
        model=row_name or name,
        seed=record.seed,
        trial_id=record.trial_id,
        reason=record.diverged or "",
        has_row=row_name is not None,
        is_baseline=bool(order) and order[0] == name,
    )
