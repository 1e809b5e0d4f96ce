"""Time in which this process was not run: its computer slept, or it was stopped, or its container.

Such time is no part of a training's. A thread of its own looks at the clocks four times a second.
Where much time has passed since its last look, and the process has hardly computed in it, nothing
of the process ran: neither this thread nor the training. Waiting for a GPU is no pause, since the
thread runs on; nor is a long computation that lets no other thread run, since it computes.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType

TICK_S = 0.25
"""Between two looks."""

THRESHOLD_S = 3.0
"""A shorter time without a look is none of ours to judge: a busy machine, or swapped memory."""

MOST_COMPUTED = 0.5
"""Of such a time the threads of a process that ran would have computed more, taken together."""


class PauseWatch:
    """Adds pauses up while it is entered.

    Args:
        clock: seconds, as the training is timed.
        computed: seconds that all threads of the process have computed.
        tick_s: between two looks.
        threshold_s: a shorter time without a look is no pause.
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
        """Look, and give the seconds of all pauses so far; up to a tick of each is not counted."""
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
