"""Memory that the ranks of one machine share, faster than any socket."""

import os
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist

from agnews_ray.engine.results import Rank

SHARED_FOLDER = Path("/dev/shm")  # noqa: S108  # memory, not a folder for others' files


def shared_memory(num_bytes: int, rank: Rank) -> torch.Tensor | None:
    """Set memory aside that all ranks see.

    The file behind it is removed as soon as everybody has opened it: nothing can stay behind.

    Args:
        num_bytes: how much; the same on each rank.
        rank: this one; each rank makes the same call.

    Returns:
        Shape (bytes,), uint8 zeros; None where the ranks do not share a machine with room for it,
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
    """Make a file of zeros whose memory is set aside; None where there is not enough."""
    if not SHARED_FOLDER.is_dir():
        return None
    descriptor, path = tempfile.mkstemp(prefix="agnews-ray-", dir=SHARED_FOLDER)
    try:
        os.posix_fallocate(descriptor, 0, num_bytes)
    except OSError:
        Path(path).unlink()
        return None
    finally:
        os.close(descriptor)
    return path
