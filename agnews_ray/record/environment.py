"""Versions, commit and hardware, read without importing the libraries they describe."""

import os
import platform
import re
import shutil
import subprocess  # runs `git` and `nvidia-smi`, with fixed arguments only
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agnews_ray.record.schema import EnvironmentRecord

PACKAGES = (
    "agnews-ray",
    "ray",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "evaluate",
    "pyarrow",
    "numpy",
    "scikit-learn",
)


COMMIT_VARIABLE = "AGNEWS_RAY_COMMIT"
"""The variable that names the commit if the package runs without its checkout, on a cluster."""

GRAPHS_VARIABLE = "AGNEWS_RAY_CUDA_GRAPHS"
"""The variable that, if 0, switches off the recording of steps as CUDA graphs; ``submit`` reads
it."""


def describe_environment() -> EnvironmentRecord:
    """Describe this machine and the installed software.

    Returns:
        The description; a fact that cannot be found is None or 0.
    """
    gpus = gpu_names()
    return EnvironmentRecord(
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=_cpu_name(),
        num_cpus=num_usable_cpus(),
        memory_bytes=_memory_bytes(),
        gpu=gpus[0] if gpus else None,
        num_gpus=len(gpus),
        commit=_commit(),
        versions={name: found for name in PACKAGES if (found := _version(name))},
    )


def nvidia_driver() -> str | None:
    """Return the version of the NVIDIA driver; None if there is no driver."""
    found = _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return found.splitlines()[0] if found else None


def gpu_names() -> list[str]:
    """Return the names of the GPUs that the NVIDIA driver lists, even if torch cannot use them."""
    listed = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    return listed.splitlines() if listed else []


def gpu_memory_bytes() -> int:
    """Return the memory of the first GPU that the NVIDIA driver lists; 0 if there is none."""
    listed = _output("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    first = (listed or "").partition("\n")[0].strip()
    return int(first) << 20 if first.isdigit() else 0  # some drivers print "[N/A]"


def driver_cuda() -> str | None:
    """Return the latest CUDA version that the NVIDIA driver supports; None without a driver."""
    found = re.search(r"CUDA Version: *([\d.]+)", _output("nvidia-smi") or "")
    return found[1] if found else None


def num_usable_cpus() -> int:
    """Count the CPUs this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    if COMMIT_VARIABLE in os.environ:
        return os.environ[COMMIT_VARIABLE]
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    commit = _output("git", "-C", str(root), "rev-parse", "--short=12", "HEAD")
    changed = _output("git", "-C", str(root), "status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if commit and changed else commit


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _output(*command: str) -> str | None:
    """Return a command's output; None if it is missing, fails or takes over five seconds."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603
            [program, *command[1:]], capture_output=True, text=True, timeout=5, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip()
