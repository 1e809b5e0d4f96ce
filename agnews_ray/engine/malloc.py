"""Whether a process gives freed memory back at once."""

import ctypes

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
