"""Engines timed against each other to ratios: one number a round, then the median of rounds."""

from collections.abc import Mapping, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

from agnews_ray.record.schema import EnvironmentRecord
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.engines import Engine


class TimedRun(BaseModel):
    """One engine's training in one round, in a process of its own."""

    model_config = ConfigDict(frozen=True)

    samples_per_second: float
    """After the warm-up steps."""
    padding_share: float
    """Of the computed tokens, in [0, 1]."""
    peak_memory_bytes: int
    product_flops_per_second: float
    """Of large matrix products in the same precision, just before."""
    final_loss: float | None
    """Mean of the last tenth of the steps, in nats; None where it is not a number."""


class Contender(BaseModel):
    """An engine in a precision."""

    model_config = ConfigDict(frozen=True)

    engine: Engine
    precision: Precision

    def __str__(self) -> str:
        return f"{self.engine}, {self.precision}"


class SpeedRow(BaseModel):
    """A contender beside the first one, over all rounds."""

    model_config = ConfigDict(frozen=True)

    model: str
    engine: Engine
    precision: Precision
    num_rounds: int
    samples_per_second: float
    """Median, as all that follows."""
    lowest_samples_per_second: float
    highest_samples_per_second: float
    ratio: float | None
    """The first contender's speed over this one's, round by round; None where it failed."""
    lowest_ratio: float | None
    highest_ratio: float | None
    padding_share: float
    peak_memory_bytes: float
    roofline_share: float
    """Speed times the model's operations per sample, over the rate of large matrix products."""
    final_loss: float | None
    """None where that of a round is not a number."""


class FailedRow(BaseModel):
    """A contender that could not be timed."""

    model_config = ConfigDict(frozen=True)

    model: str
    engine: Engine
    precision: Precision
    cause: str


class Bench(BaseModel):
    """What a bench found, and where."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[SpeedRow, ...]
    failed: tuple[FailedRow, ...] = ()
    environment: EnvironmentRecord
    device: Device
    num_threads: int
    num_train_rows: int
    """Of each run."""


def speed_rows(
    model: str,
    runs: Mapping[Contender, Sequence[TimedRun]],
    flops_per_sample: float,
    first: Contender,
) -> tuple[SpeedRow, ...]:
    """Compare contenders that were timed in the same rounds.

    Args:
        model: its name.
        runs: for each contender one run a round, in the same order; at least one.
        flops_per_sample: of forward and backward pass, as the model is defined.
        first: whose speed is divided by that of the others; it may have no runs.

    Returns:
        One row for each contender, in order; the first one's ratio is 1.
    """
    firsts = runs.get(first)
    rows = []
    for contender, timed in runs.items():
        speeds = [run.samples_per_second for run in timed]
        pairs = zip(firsts or (), timed, strict=firsts is not None)
        ratios = [ours.samples_per_second / theirs.samples_per_second for ours, theirs in pairs]
        shares = [
            run.samples_per_second * flops_per_sample / run.product_flops_per_second
            for run in timed
        ]
        rows.append(
            SpeedRow(
                model=model,
                engine=contender.engine,
                precision=contender.precision,
                num_rounds=len(timed),
                samples_per_second=median(speeds),
                lowest_samples_per_second=min(speeds),
                highest_samples_per_second=max(speeds),
                ratio=median(ratios) if ratios else None,
                lowest_ratio=min(ratios, default=None),
                highest_ratio=max(ratios, default=None),
                padding_share=median(run.padding_share for run in timed),
                peak_memory_bytes=median(run.peak_memory_bytes for run in timed),
                roofline_share=median(shares),
                final_loss=_median_loss(timed),
            )
        )
    return tuple(rows)


def _median_loss(timed: Sequence[TimedRun]) -> float | None:
    losses = [run.final_loss for run in timed if run.final_loss is not None]
    return median(losses) if len(losses) == len(timed) else None
