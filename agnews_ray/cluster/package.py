"""The files sent to a cluster: the study and this package, nothing of the working folder."""

import os
from importlib.resources import files
from pathlib import Path

import agnews_ray
from agnews_ray.record.environment import (
    COMMIT_VARIABLE,
    GRAPHS_VARIABLE,
    describe_environment,
)
from agnews_ray.run.process_setup import OF_EVERY_RAY
from agnews_ray.spec.loader import to_yaml
from agnews_ray.spec.study import StudySpec

STUDY_FILE = "study.yaml"

CODE_SUFFIXES = (".py", ".js", ".css", ".html", ".j2")

JOB_ENVIRONMENT = {
    **OF_EVERY_RAY,
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "3600",  # a machine may have to start first
    "PYTHONUNBUFFERED": "1",
}
"""The environment of everything in the job; of this machine's own, only ``HANDED_ON`` is added."""

HANDED_ON = ("HF_HUB_OFFLINE", GRAPHS_VARIABLE, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""The variables of this machine that are sent: they hold no secrets and apply to any machine."""


def pack(study: StudySpec, folder: Path) -> int:
    """Collect the files of a job.

    The package is sent as files, not as a wheel, because Ray would install a wheel with all its
    dependencies again. Ray names an upload by its content and does not send it twice.

    Args:
        study: the resolved study.
        folder: an empty folder, which becomes the job's working folder.

    Returns:
        The number of bytes collected.
    """
    (folder / STUDY_FILE).write_text(to_yaml(study), encoding="utf-8")
    root = Path(str(files(agnews_ray)))
    for source in sorted(root.rglob("*")):
        if source.is_file() and source.suffix in CODE_SUFFIXES:
            target = folder / root.name / source.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def runtime_environment(folder: Path | None) -> dict[str, object]:
    """Describe a job's environment to Ray.

    Args:
        folder: the folder from ``pack``; None sends nothing.

    Returns:
        A ``runtime_env``.
    """
    variables = dict(JOB_ENVIRONMENT)
    commit = describe_environment().commit
    if commit:
        variables[COMMIT_VARIABLE] = commit
    variables |= {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    working = {"working_dir": str(folder)} if folder else {}
    return working | {"env_vars": variables}
