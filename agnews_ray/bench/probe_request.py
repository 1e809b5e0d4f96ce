"""Which variants are probed."""

from dataclasses import dataclass
from pathlib import Path

from agnews_ray.data.scan import ScannedDataset
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.spec.data import DataSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """The variants to probe; it is pickled."""

    scanned: ScannedDataset
    data: DataSpec
    cache: Path
    """The cache below the runs folder."""
    trials: tuple[PlannedTrial, ...]
    """A trial of each variant."""
    num_threads: int
    num_workers: int
