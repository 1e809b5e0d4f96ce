"""Whether and when a process gives freed memory back."""

import ctypes
import gc
import sys

import torch

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
"""Parameters of glibc's ``mallopt``."""


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


def give_back_memory() -> None:
    """Give back all memory that nobody uses: Python's, the C library's, the GPU's.

    Between two trials of one process, so that the second begins with what the first began with.
    """
    if "torch._dynamo" in sys.modules:
        sys.modules["torch._dynamo"].reset()  # what the compiler keeps of the last model
    gc.collect()
    torch.cuda.empty_cache()  # does nothing where there is no GPU
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:  # glibc
        malloc_trim(0)
