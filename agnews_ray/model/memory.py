"""Memory: the peak of a process, and an estimate of what training needs on a GPU."""

import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from agnews_ray.errors import AgnewsError
from agnews_ray.model import zoo
from agnews_ray.spec.base import Precision
from agnews_ray.spec.variant import VariantSpec

STATUS = Path("/proc/self/status")
RESET_PEAK = Path("/proc/self/clear_refs")
"""The file that resets the peak on Linux: writing "5" makes it the current memory (proc(5))."""


def reset_peak_memory(device: torch.device) -> None:
    """Measure the peak from now on; if the system cannot, it is that of the whole process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with suppress(OSError):
        RESET_PEAK.write_text("5", encoding="ascii")


def peak_memory_bytes(device: torch.device) -> int:
    """Return this process's peak memory since ``reset_peak_memory``, or since its start.

    It is the memory of the GPU, or the resident memory on a CPU.

    On a GPU it is the memory reserved from the device: recorded steps keep their own pool, which
    counts as allocated only while a step is recorded.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    if (
        STATUS.exists()
    ):  # getrusage's peak includes the parent's memory at the start of this process
        for line in STATUS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


CONTEXT_BYTES = int(0.8 * 2**30)
"""The memory of CUDA's context and its libraries' workspaces, in bytes."""

GRAPHS_BYTES = int(0.75 * 2**30)
"""The memory of recorded steps besides a second set of activations, in bytes."""


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """An estimate of the GPU memory that training needs, in bytes."""

    unrecorded: int
    recorded: int
    """The bytes with steps as CUDA graphs: the largest batch's activations are in memory twice, for
    the first, ordinary step and for the graphs."""


def training_memory(
    variant: VariantSpec, num_rows: int, length: int, precision: Precision
) -> GpuMemory:
    """Estimate the GPU memory that the fast engine needs.

    The estimate counts the tensors that ``engine.fused.block`` keeps for its backward pass; on
    torch's meta device their size agrees within 5 % with that of the live tensors. The two
    constants are the rest of a count by hand for BERT base (fp16, 16 x 128 and 16 x 512). No GPU
    has been measured.

    Args:
        variant: the model; BERT base is assumed if its sizes are not known.
        num_rows: the rows of a batch on one worker.
        length: the longest row, in tokens.
        precision: the precision of matrix products.

    Returns:
        The bytes with and without recorded steps.
    """
    try:
        sizes = zoo.sizes(variant)
    except (AgnewsError, OSError):
        sizes = zoo.sizes(VariantSpec(model="bert", init="random"))
    width, inner, heads = (sizes[n] for n in ("hidden_size", "intermediate_size", "num_heads"))
    of_blocks = sizes["num_layers"] * (4 * width * width + 2 * width * inner)
    parameters = of_blocks + (sizes["vocab_size"] + 512) * width
    low = 4 if precision == "fp32" else 2
    # Value, gradient and AdamW's two moments in float32; the blocks' copy and its gradient in low
    # precision.
    state = 16 * parameters + (0 if precision == "fp32" else 2 * low * of_blocks)
    length = -(-length // 8) * 8
    tokens, pairs = num_rows * length, num_rows * heads * length * length
    of_block = tokens * (width * (6 * low + 10) + inner * 2 * low) + pairs * (low + 5)
    activations = sizes["num_layers"] * of_block + pairs * (low + 8)
    unrecorded = CONTEXT_BYTES + state + activations
    return GpuMemory(unrecorded, unrecorded + activations + GRAPHS_BYTES)
