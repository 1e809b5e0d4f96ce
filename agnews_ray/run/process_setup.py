"""The user's environment, and the parts of it that reach our processes.

The rule: settings that say where things are and what may be used (proxies, caches, visible GPUs,
PYTHONPATH) are passed on; settings for other programs, and those that would change a result or
break a library, are removed; settings that can no longer be removed are refused. CONTRIBUTING.md
has the table.
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
    # set by torchrun, MPI or accelerate: the Trainer would wait for the other ranks
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK"),
    *("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_*", "PMI_*", "OMPI_COMM_*", "MV2_COMM_*"),
    *("ACCELERATE_*", "FSDP_*", "PARALLELISM_CONFIG_*"),
    # we set the number of threads, from the CPUs that may be used
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    # `engine.thread_waiting` decides how threads wait, by the load of the machine
    "OMP_WAIT_POLICY",
    # libraries may warn, and need their docstrings
    *("PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONIOENCODING"),
)
"""The names, and patterns of names, of environment variables that are removed."""

OWN = {
    "PYTHONSAFEPATH": "1",  # children do not search the working folder for modules
    "PYTHONUTF8": "1",
}
"""The variables that are set for all of our processes."""

OF_EVERY_RAY = {
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",  # the default adds 2 s to the end of each trial
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_DATA_LOG_LEVEL": "ERROR",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TOKENIZERS_PARALLELISM": "false",
}
"""The variables that are set for Ray's processes, of a Ray of our own and of a job on a cluster.
``jobs/rayjob.yaml`` repeats them for Kubernetes, and a test compares the two."""

OF_RAY_HANDED_ON = ("RAY_memory_usage_threshold",)
"""The user's variables for a Ray of our own; all others that start with RAY_ are for another
Ray."""


OF_TRACKERS = ("MLFLOW_*", "WANDB_*", "TRACKIO_*")
"""Patterns of the variables of trackers, which only the driver uses; some of them are secrets."""


@contextmanager
def own_environment() -> Iterator[None]:
    """Make this process, and all that it starts, independent of the user's environment.

    Enter it before importing any library that reads its settings at import.

    Raises:
        ResourceError: Python was started without docstrings, the working folder is gone, or there
            is no home folder.
    """
    _check_process()
    if sys.warnoptions:  # -W error would turn a library's warning into an error
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not if it is closed
            stream.reconfigure(errors="replace")  # names are Unicode, but a terminal may not be
    before = dict(os.environ)
    for name in before:
        if any(fnmatchcase(name, pattern) for pattern in KEPT_OUT):
            del os.environ[name]
    os.environ.update(OWN)
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
    except RuntimeError as error:  # a user without an entry on this machine, as in some containers
        hint = "set HOME to a folder that can be written"
        raise ResourceError("HOME", "a home folder", "none", hint) from error


def only_for_own_ray(settings: dict[str, str]) -> None:
    """Replace the user's settings for other Rays in the environment by ours.

    Args:
        settings: our environment variables.
    """
    for name in list(os.environ):
        if name.startswith("RAY_") and name not in OF_RAY_HANDED_ON:
            del os.environ[name]
    os.environ.update(settings)


@contextmanager
def without_trackers() -> Iterator[None]:
    """Hide the variables of trackers from the processes that are started in the block."""
    hidden = {
        name: value
        for name, value in os.environ.items()
        if any(fnmatchcase(name, pattern) for pattern in OF_TRACKERS)
    }
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def own_job_config(folder: Path) -> Any:  # Any: Ray's, without type information
    """Let Ray's workers find this package, but nothing of the working folder.

    Ray puts the caller's working folder first on the search path of its workers, unless the job
    has its own working folder, which would start every worker again.

    Args:
        folder: a private folder; the package is linked into it.

    Returns:
        The value for ``ray.init(job_config=...)``.
    """
    packages = folder / "packages"
    packages.mkdir()
    (packages / agnews_ray.__name__).symlink_to(Path(str(files(agnews_ray))).resolve())
    return job_config_without_working_folder(packages)
