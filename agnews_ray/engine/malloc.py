"""Control over when a process returns freed memory to the system."""

import ctypes
import gc
import sys

import torch

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
"""The parameters of glibc's ``mallopt``."""


def keep_freed_memory() -> bool:
    """Make the C library keep freed memory, so that the next step uses it again.

    A step on a CPU frees and allocates some hundred megabytes. If they are returned to the system,
    it provides them again page by page, with 7,000 page faults a step.

    Returns:
        Whether this C library can do it (glibc can).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(
        mallopt(parameter, value)
        for parameter, value in (
            (M_MMAP_THRESHOLD, 32 << 20),  # the largest allowed value
            (M_TRIM_THRESHOLD, 2**31 - 1),
            (M_TOP_PAD, 64 << 20),
        )
    )


def give_back_memory() -> None:
    """Return all unused memory: Python's, the C library's, the GPU's.

    It is called between two trials of one process, so that both begin with the same free memory.
    """
    if "torch._dynamo" in sys.modules:
        sys.modules["torch._dynamo"].reset()  # the compiler's data of the last model
    gc.collect()
    torch.cuda.empty_cache()  # does nothing where there is no GPU
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:  # glibc
        malloc_trim(0)
