"""A process's memory: the most it has held, and whether it gives freed memory back at once."""

import ctypes
import resource
import sys

import torch

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
"""Parameters of glibc's ``mallopt``."""


def peak_memory_bytes(device: torch.device) -> int:
    """Most memory this process has held: of the GPU, or resident on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def keep_freed_memory() -> bool:
    """Have the C library keep what is freed, for the next step to use.

    A step on a CPU frees and asks for some hundred megabytes; handed back to the system they come
    anew page by page, 7,000 page faults a step.

    Returns:
        Whether this C library can (glibc).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(
        mallopt(parameter, value)
        for parameter, value in (
            (M_MMAP_THRESHOLD, 32 << 20),  # the largest it takes
            (M_TRIM_THRESHOLD, 2**31 - 1),
            (M_TOP_PAD, 64 << 20),
        )
    )
