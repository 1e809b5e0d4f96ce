"""The user's surroundings, and what of them reaches our processes.

The rule: what says where things are and what may be used (proxies, caches, visible GPUs,
PYTHONPATH) is handed on; what was meant for other programs, and what would change a result or break
a library, is kept out; what cannot be kept out any more is refused. CONTRIBUTING.md has the table.
"""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import agnews_ray
from agnews_ray.compat.of_ray import job_config_without_working_folder
from agnews_ray.errors import ResourceError

KEPT_OUT = (
    # of a torchrun, MPI or accelerate around us: the Trainer would wait for the other ranks
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK"),
    *("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_*", "PMI_*", "OMPI_COMM_*", "MV2_COMM_*"),
    *("ACCELERATE_*", "FSDP_*", "PARALLELISM_CONFIG_*"),
    # threads are counted by what the machine lets us use, and set by us
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    # how they wait is in WAITING; general advice of another program's must not undo it
    "OMP_WAIT_POLICY",
    # libraries warn as they please, and need their docstrings
    *("PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONIOENCODING"),
)
"""Names, and patterns of names, of environment variables."""

OWN = {
    "PYTHONSAFEPATH": "1",  # children do not look for modules in the working folder
    "PYTHONUTF8": "1",
}
"""Set for all of our processes."""

WAITING = {
    "GOMP_SPINCOUNT": "1000",
    "KMP_BLOCKTIME": "0",
}
"""How long a thread spins before it sleeps, while it waits for the other threads of a product.

Beside a busy program one of the threads has lost its processor, and one that spins keeps it from
the other. Set for all of our processes where the user has not set it. The first is for GNU's
OpenMP, which torch's own packages bring along, in turns of a loop; the second for Intel's and
LLVM's, in milliseconds. Both are read when torch is loaded. ``benchmarks/beside.py`` measures
them."""

OF_RAY_HANDED_ON = ("RAY_memory_usage_threshold",)
"""Of a Ray that is ours alone; all else that begins with RAY_ is meant for another."""


@contextmanager
def own_environment() -> Iterator[None]:
    """Make this process independent of its surroundings, and with it all that it starts.

    To be entered before any library is imported that reads its settings then.

    Raises:
        ResourceError: Python was started without docstrings, the working folder is gone, or there
            is no home folder.
    """
    _check_process()
    if sys.warnoptions:  # -W error would make an error of a library's warning
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where it is closed
            stream.reconfigure(errors="replace")  # names are Unicode, a terminal may not be
    before = dict(os.environ)
    for name in before:
        if any(fnmatchcase(name, pattern) for pattern in KEPT_OUT):
            del os.environ[name]
    os.environ.update(OWN)
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _check_process() -> None:
    if sys.flags.optimize > 1:
        hint = "unset PYTHONOPTIMIZE, and start Python without -OO"
        raise ResourceError("PYTHONOPTIMIZE", "docstrings, which Ray needs", "none", hint)
    try:
        Path.cwd()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ResourceError("working folder", "one that exists", reason, "cd to another") from error
    try:
        Path.home()
    except RuntimeError as error:  # a user whom the machine does not know, as in some containers
        hint = "set HOME to a folder that can be written"
        raise ResourceError("HOME", "a home folder", "none", hint) from error


def only_for_own_ray(settings: dict[str, str]) -> None:
    """Take the user's settings for other Rays out of the environment, and put ours in.

    Args:
        settings: environment variables.
    """
    for name in list(os.environ):
        if name.startswith("RAY_") and name not in OF_RAY_HANDED_ON:
            del os.environ[name]
    os.environ.update(settings)


def own_job_config(folder: Path) -> Any:  # Any: Ray's, without type information
    """Have Ray's workers find this package, and nothing of the working folder.

    Ray puts the caller's working folder first on the search path of its workers, unless the job
    brings a working folder of its own, which would start every worker anew.

    Args:
        folder: private; the package is linked into it.

    Returns:
        For ``ray.init(job_config=...)``.
    """
    packages = folder / "packages"
    packages.mkdir()
    (packages / agnews_ray.__name__).symlink_to(Path(str(files(agnews_ray))).resolve())
    return job_config_without_working_folder(packages)
