"""Pauses, in which this process did not run.

The computer slept, or the process or its container was stopped.

Pauses do not count as training time. A separate thread reads the clocks four times a second. If
much time has passed since its last reading, and the process has hardly computed in it, the process
did not run: neither this thread nor the training. Waiting for a GPU is no pause, because the
thread continues; nor is a long computation that lets no other thread run, because it computes.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType

TICK_S = 0.25
"""The time between two readings of the clocks."""

THRESHOLD_S = 3.0
"""A shorter time without a reading does not count as a pause: it may be due to a busy machine, or
to swapped memory."""

MOST_COMPUTED = 0.5
"""The largest share of a pause in which all threads of the process together computed; in a process
that ran, it would be larger."""


class PauseWatch:
    """A context manager that adds up the pauses within it.

    Args:
        clock: the clock in seconds by which the training is timed.
        computed: the clock of the seconds that all threads of the process have computed.
        tick_s: the time between two readings.
        threshold_s: the shortest time without a reading that may be a pause.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        computed: Callable[[], float] = time.process_time,
        tick_s: float = TICK_S,
        threshold_s: float = THRESHOLD_S,
    ) -> None:
        self._clock, self._computed = clock, computed
        self._tick_s, self._threshold_s = tick_s, threshold_s
        self._lock = threading.Lock()
        self._last = (clock(), computed())
        self._seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pauses", daemon=True)

    def __enter__(self) -> "PauseWatch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def seconds(self) -> float:
        """Read the clocks; return the time of all pauses so far, each up to a tick too short."""
        with self._lock:
            then, computed_then = self._last
            self._last = now, computed = self._clock(), self._computed()
            gone = now - then
            if gone > self._threshold_s and computed - computed_then < MOST_COMPUTED * gone:
                self._seconds += gone - self._tick_s
            return self._seconds

    def _watch(self) -> None:
        while not self._ended.wait(self._tick_s):
            self.seconds()
