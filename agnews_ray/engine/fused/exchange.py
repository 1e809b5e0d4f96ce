"""The exchange of numbers between ranks within a step, through shared memory on one machine.

A socket between two processes of one machine costs a copy on each side and, above all, the time to
wake up sleeping processes: some milliseconds of a step that takes a hundred. Ranks that share
memory write their numbers and counters to it, and poll those of the others instead.
"""

import os
import platform
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist

from agnews_ray.engine.results import Rank

SHARED_FOLDER = Path("/dev/shm")  # noqa: S108  # memory, not a folder for others' files

LINE = 64
"""The number of bytes in a cache line; shared parts begin at a multiple of it."""

SLOT_ELEMENTS = 1 << 20
"""The number of elements that a rank passes to the others at once."""

IS_ORDERED = platform.machine().lower() in ("x86_64", "amd64")
"""Whether other cores see the writes of a core in the order in which it made them."""

PATIENCE_S = 1.0
"""The time for which a rank polls without sleeping before it checks that the others still run."""


class Exchange:
    """Sums over a trial's ranks, and barriers for them.

    Args:
        rank: this rank; each rank makes its own exchange at the same time.
    """

    def __init__(self, rank: Rank) -> None:
        self.rank = rank
        self._num_meetings = self._num_sums = 0
        size = rank.world_size
        of_slots = 2 * size * 4 * SLOT_ELEMENTS
        memory = shared_memory(of_slots + 2 * size * LINE, rank)
        self._slots = None
        if memory is not None:
            self._slots = memory[:of_slots].view(torch.float32).view(2, size, SLOT_ELEMENTS)
            board = memory[of_slots:].view(torch.int64).view(2, size, -1)[:, :, 0].numpy()
            self._meetings_of, self._process_of = (memoryview(line) for line in board)
            self._process_of[rank.index] = os.getpid()
            dist.barrier()

    def add_up(self, values: torch.Tensor) -> None:
        """Sum over ranks, in place, with the same result on each.

        Args:
            values: any shape, the same on each rank; float32, contiguous.
        """
        if self._slots is None:
            dist.all_reduce(values)
            return
        for part in torch.split(values.view(-1), SLOT_ELEMENTS):
            # A rank may still read the slots of the last sum; those of the one before are free.
            self._num_sums += 1
            slots = self._slots[self._num_sums % 2, :, : len(part)]
            slots[self.rank.index].copy_(part)
            self.meet()
            torch.add(slots[0], slots[1], out=part)
            for other in slots[2:]:
                part.add_(other)

    def meet(self) -> None:
        """Wait until every rank has made this call: a barrier.

        Raises:
            RuntimeError: a rank has ended.
        """
        if self._slots is None or not IS_ORDERED:
            dist.barrier()
            return
        self._num_meetings += 1
        self._meetings_of[self.rank.index] = self._num_meetings
        for other in range(self.rank.world_size):
            start = time.monotonic()
            while self._meetings_of[other] < self._num_meetings:
                os.sched_yield()  # the other rank may need this core
                if time.monotonic() - start > PATIENCE_S:
                    self._expect(other)

    def _expect(self, other: int) -> None:
        """Sleep a little; raise an error if the other rank has ended."""
        try:
            os.kill(self._process_of[other], 0)
        except ProcessLookupError:
            raise RuntimeError(f"rank {other} ended before rank {self.rank.index}") from None
        time.sleep(0.001)


def shared_memory(num_bytes: int, rank: Rank) -> torch.Tensor | None:
    """Reserve memory that all ranks share.

    Its file is removed as soon as all ranks have opened it, so nothing can be left over.

    Args:
        num_bytes: the size, the same on each rank.
        rank: this rank; each rank makes the same call.

    Returns:
        Shape (bytes,), uint8: zeros; None if the ranks do not share a machine with enough memory,
        on a GPU, and for a single rank.
    """
    if rank.world_size == 1 or rank.device.type != "cpu" or num_bytes == 0:
        return None
    path = [_reserve(num_bytes) if rank.index == 0 else None]
    dist.broadcast_object_list(path)
    is_here = path[0] is not None and Path(path[0]).exists()
    everywhere: list[bool] = [False] * rank.world_size
    dist.all_gather_object(everywhere, is_here)
    memory = None
    if path[0] is not None and all(everywhere):
        memory = torch.from_file(path[0], shared=True, size=num_bytes, dtype=torch.uint8)
    dist.barrier()
    if rank.index == 0 and path[0] is not None:
        Path(path[0]).unlink()
    return memory


def _reserve(num_bytes: int) -> str | None:
    """Make a file of zeros with reserved memory; return None if there is not enough."""
    try:
        # The name contains the process id: if all ranks are killed before they have opened the
        # file, the driver finds its owner by that.
        descriptor, path = tempfile.mkstemp(prefix=f"agnews-ray-{os.getpid()}-", dir=SHARED_FOLDER)
    except OSError:  # there is no such folder, or it is not writable
        return None
    try:
        os.posix_fallocate(descriptor, 0, num_bytes)
    except OSError:
        Path(path).unlink()
        return None
    finally:
        os.close(descriptor)
    return path
