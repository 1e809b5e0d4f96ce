"""What other programs compute on this process's processors while something is measured."""

import os
import time
from collections.abc import Callable

import psutil


class OtherPrograms:
    """Counts from its making on how many processors other programs keep busy.

    The time that a virtual machine waits for its host counts as theirs: other machines use it.

    Args:
        clock: seconds.
        busy: CPU seconds of all programs on the processors that this process may use, since some
            moment; None where the machine does not say.
        own: CPU seconds of this process and of the children that have ended.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        busy: Callable[[], float | None] | None = None,
        own: Callable[[], float] | None = None,
    ) -> None:
        self._clock, self._busy, self._own = clock, busy or _busy_seconds, own or _own_seconds
        self._start, self._theirs = clock(), self._their_seconds()

    def cores(self) -> float | None:
        """Give their number of busy processors, on average; None where the machine does not say."""
        theirs, seconds = self._their_seconds(), self._clock() - self._start
        if theirs is None or self._theirs is None or seconds <= 0:
            return None
        return max(0.0, (theirs - self._theirs) / seconds)  # the two clocks are read in turn

    def _their_seconds(self) -> float | None:
        busy = self._busy()
        return None if busy is None else busy - self._own()


def _busy_seconds() -> float | None:
    try:
        each = psutil.cpu_times(percpu=True)
    except (OSError, RuntimeError, ValueError):  # a container without /proc/stat
        return None
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        each = [each[cpu] for cpu in os.sched_getaffinity(0) if cpu < len(each)]
    # A guest's time is within its user's; who waits for a disk leaves the processor free.
    free = ("idle", "iowait", "guest", "guest_nice")
    busy = sum(sum(one) - sum(getattr(one, name, 0.0) for name in free) for one in each)
    return float(busy) or None


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
