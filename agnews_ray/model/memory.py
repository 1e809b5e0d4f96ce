"""How much memory a process has held at most."""

import resource
import sys
from pathlib import Path

import torch

STATUS = Path("/proc/self/status")


def peak_memory_bytes(device: torch.device) -> int:
    """Give the most memory that this process has held: of the GPU, or resident on a CPU.

    On a GPU it is what was taken from the device: recorded steps keep a pool of their own, which
    counts as allocated while a step is recorded, and never again.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    if STATUS.exists():  # getrusage's begins with what the parent held when it started this process
        for line in STATUS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
