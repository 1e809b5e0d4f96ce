"""From the times of engines to ratios: one number per round, then the median of rounds."""

from collections.abc import Mapping, Sequence
from statistics import fmean, median

from pydantic import BaseModel, ConfigDict

from agnews_ray.record.schema import EnvironmentRecord
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.engines import Engine


class TimedRun(BaseModel):
    """One engine's training in one round, in a separate process."""

    model_config = ConfigDict(frozen=True)

    samples_per_second: float
    """The samples per second after the warm-up steps."""
    padding_share: float
    """The share of the computed tokens that were padding, in [0, 1]."""
    peak_memory_bytes: int
    product_flops_per_second: float
    """The rate of large matrix products in the same precision, measured just before."""
    final_loss: float | None
    """The mean loss of the last tenth of the steps, in nats; None if it is not a number."""
    others_cores: float | None = None
    """The mean number of processors that other programs kept busy during the timed steps; None if
    the machine does not report it."""


class Contender(BaseModel):
    """An engine with a precision."""

    model_config = ConfigDict(frozen=True)

    engine: Engine
    precision: Precision

    def __str__(self) -> str:
        return f"{self.engine}, {self.precision}"


class SpeedRow(BaseModel):
    """A contender compared with the first one, over all rounds."""

    model_config = ConfigDict(frozen=True)

    model: str
    engine: Engine
    precision: Precision
    num_rounds: int
    samples_per_second: float
    """The median over rounds, as in all later fields."""
    lowest_samples_per_second: float
    highest_samples_per_second: float
    ratio: float | None
    """The first contender's speed divided by this one's, in each round; None if the first
    failed."""
    lowest_ratio: float | None
    highest_ratio: float | None
    padding_share: float
    peak_memory_bytes: float
    roofline_share: float
    """The speed times the model's operations per sample, divided by the rate of large matrix
    products."""
    final_loss: float | None
    """The final loss; None if that of a round is not a number."""
    others_cores: float | None = None
    """The mean over rounds, so that one busy round is visible; None if the machine does not report
    it."""


class FailedRow(BaseModel):
    """A contender that could not be timed."""

    model_config = ConfigDict(frozen=True)

    model: str
    engine: Engine
    precision: Precision
    cause: str


class Bench(BaseModel):
    """The results of a bench, and the machine."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[SpeedRow, ...]
    failed: tuple[FailedRow, ...] = ()
    environment: EnvironmentRecord
    device: Device
    num_threads: int
    num_train_rows: int
    """The number of train rows of each run."""
    others_cores: float | None = None
    """The number of processors that other programs kept busy, mean over all rows; None if the
    machine does not report it."""


def speed_rows(
    model: str,
    runs: Mapping[Contender, Sequence[TimedRun]],
    flops_per_sample: float,
    first: Contender,
) -> tuple[SpeedRow, ...]:
    """Compare contenders that were timed in the same rounds.

    Args:
        model: the model's name.
        runs: one run per round for each contender, in the same order; at least one.
        flops_per_sample: the operations of forward and backward pass, as the model is defined.
        first: the contender whose speed is divided by the others'; it may have no runs.

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
                others_cores=mean_others_cores(timed),
            )
        )
    return tuple(rows)


def mean_others_cores(measured: Sequence[TimedRun | SpeedRow]) -> float | None:
    """Average what other programs took of the processors.

    Args:
        measured: runs or rows; those that do not say are left out.

    Returns:
        Processors; None where none of them says.
    """
    said = [one.others_cores for one in measured if one.others_cores is not None]
    return fmean(said) if said else None


def _median_loss(timed: Sequence[TimedRun]) -> float | None:
    losses = [run.final_loss for run in timed if run.final_loss is not None]
    return median(losses) if len(losses) == len(timed) else None
