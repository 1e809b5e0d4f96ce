"""The process that measures variants.

The module imports neither Ray nor torch: Ray reads its settings from the environment when it is
imported, and ``submit`` sets them after a probe.
"""

import os

from agnews_ray.bench.probe_request import ProbeRequest
from agnews_ray.engine.child_process import call_alone
from agnews_ray.plan.probed import Measured


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
