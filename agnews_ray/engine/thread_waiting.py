"""How long OpenMP's threads spin before they sleep, by what other programs compute meanwhile.

Threads that wait for each other spin at first, since waking a sleeping thread takes longer than
most waits. Beside a busy program, one of the threads has lost its processor, and a thread that
spins takes the processor from the very thread that it waits for. GNU's OpenMP, which torch's
packages for Linux contain, spins about 300,000 times, but only 1,000 times while the process has
more OpenMP threads than processors (``do_wait`` in libgomp's ``config/linux/wait.h``). So a few
further threads, which sleep, decide which of the two it is. The number of threads that compute is
always the same, and so are the sums.
"""

import math
import threading
from types import TracebackType

import torch

from agnews_ray.engine.machine_load import OtherPrograms
from agnews_ray.record.environment import num_usable_cpus

TICK_S = 1.0
"""The time between two looks at the machine's load."""

CROWDED_CORES, FREE_CORES = 0.3, 0.15
"""The number of missing processors above which threads spin briefly, and the number below which
they spin long again."""

PARALLEL_ELEMENTS = 1 << 20
"""The size of a tensor to which torch adds by all threads."""


class SpinByLoad:
    """A context manager in which threads spin long on a quiet machine and briefly on a busy one.

    It does nothing in a process that computes with one thread.
    """

    def __init__(self) -> None:
        self._num_threads = torch.get_num_threads()
        self._num_cpus = num_usable_cpus()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._run, name="spin by load", daemon=True)
        self._release: threading.Event | None = None
        self._extra: list[threading.Thread] = []

    @property
    def is_brief(self) -> bool:
        """Whether threads spin only briefly now."""
        return self._release is not None

    def __enter__(self) -> "SpinByLoad":
        if self._num_threads > 1:
            self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._watch.ident is not None:
            self._watch.join()
        self.spin_long()

    def spin_briefly(self) -> None:
        """Start further threads, until there are more of OpenMP's than processors."""
        if self.is_brief:
            return
        release = self._release = threading.Event()
        started = threading.Barrier(num_extra(self._num_threads, self._num_cpus) + 1)

        def hold() -> None:
            torch.ones(PARALLEL_ELEMENTS).add_(1)  # starts this thread's own team of OpenMP threads
            started.wait()
            release.wait()

        for _ in range(started.parties - 1):
            thread = threading.Thread(target=hold, name="brief spinning", daemon=True)
            thread.start()
            self._extra.append(thread)
        started.wait()

    def spin_long(self) -> None:
        """End these threads."""
        if self._release is not None:
            self._release.set()
            for thread in self._extra:
                thread.join()
            self._release, self._extra = None, []

    def look(self, others: float) -> None:
        """Choose by the number of processors that other programs keep busy."""
        missing = others + self._num_threads - self._num_cpus
        if missing > CROWDED_CORES:
            self.spin_briefly()
        elif missing < FREE_CORES:
            self.spin_long()

    def _run(self) -> None:
        others = OtherPrograms()
        while not self._ended.wait(TICK_S):
            cores = others.cores()
            if cores is None:  # the machine does not say
                return
            self.look(cores)
            others = OtherPrograms()


def num_extra(num_threads: int, num_cpus: int) -> int:
    """Count the further teams of ``num_threads`` with which there are more threads than processors.

    Each team, the first included, has ``num_threads - 1`` threads beside the one that starts it,
    and OpenMP counts one starting thread only.
    """
    return math.ceil(num_cpus / (num_threads - 1)) - 1
