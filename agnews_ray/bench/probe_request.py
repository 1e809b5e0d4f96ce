"""Which variants are probed, and the process that measures them.

The module imports neither Ray nor torch: Ray reads its settings from the environment when it is
imported, and ``submit`` sets them after a probe.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.data.scan import ScannedDataset
from agnews_ray.engine.child_process import call_alone
from agnews_ray.plan.probed import Measured
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


def probe_alone(request: ProbeRequest) -> Measured:
    """Measure all variants in a new process that does nothing else.

    Args:
        request: the variants.

    Returns:
        What was measured of each, or why it was not.
    """
    found: Measured = call_alone(probe_here, request)
    return found


def probe_here(request: ProbeRequest) -> Measured:
    """Measure all variants in this process.

    Args:
        request: the variants.
    """
    from agnews_ray.bench.probe import measure_all
    from agnews_ray.bench.probe_tasks import ProbeTasks
    from agnews_ray.run.inputs import InputCache

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    inputs = InputCache(request.scanned, request.data, request.cache, lambda *_: None)
    return measure_all(ProbeTasks(request, inputs).make_all(), request.cache)
