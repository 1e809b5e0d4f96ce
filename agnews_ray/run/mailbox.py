"""Messages between the driver and a group of workers, through Ray's key-value store.

The driver posts numbered tasks, every rank of the group reads each of them, and rank 0 posts its
result. An actor between them would be another process, whose idle main thread wakes up a hundred
times a second.
"""

import pickle  # only between our own processes
import time
from dataclasses import dataclass
from typing import Any

import ray
from ray.data import DataIterator

from agnews_ray.compat.of_ray import kv_delete, kv_get, kv_put, pickle_with_objects
from agnews_ray.run.worker_config import WorkerConfig, WorkerSummary

POLL_S = 0.05
"""The time between two polls of a worker that waits for its next task. Workers poll only while
they have nothing to train."""

EXIT = b"exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One trial, as a worker needs it."""

    config: WorkerConfig
    datasets: dict[str, DataIterator]
    """The datasets by name: ``train-0`` and so on for each streamed epoch, test, and validation if
    there is one. Each rank reads all rows and takes its stride of the global batches."""
    soft_labels: tuple[Any, ...] = ()
    """References to the ``SoftLabels`` of each teacher."""


def post_task(group: str, number: int, task: Task | None) -> list[object]:
    """Post a group's next task.

    Args:
        group: the name of the group.
        number: the task's number, counted from 1; each group gets every number once.
        task: the task; None makes the workers exit.

    Returns:
        References to the Ray objects in the task, to be kept until its result is there.
    """
    message, held = (EXIT, []) if task is None else pickle_with_objects(task)
    kv_put(_key(group, "task", number), message)
    return held


def next_task(group: str, number: int) -> Task | None:
    """Wait for a task; a worker calls this.

    Returns:
        The task; None if the worker must exit.
    """
    key = _key(group, "task", number)
    while (message := kv_get(key)) is None:
        time.sleep(POLL_S)
    return None if message == EXIT else pickle.loads(message)  # noqa: S301


def post_result(group: str, number: int, summary: WorkerSummary) -> None:
    """Send the result of a task to the driver; rank 0 calls this."""
    kv_put(_key(group, "result", number), pickle.dumps(summary))


def take_result(group: str, number: int) -> WorkerSummary | None:
    """Take the result of a task, and delete both messages.

    Returns:
        The result; None while there is none.
    """
    message = kv_get(_key(group, "result", number))
    if message is None:
        return None
    forget_task(group, number)
    summary: WorkerSummary = pickle.loads(message)  # noqa: S301
    return summary


def forget_task(group: str, number: int) -> None:
    """Delete the messages about a task."""
    kv_delete(_key(group, "task", number))
    kv_delete(_key(group, "result", number))


def _key(group: str, kind: str, number: int) -> str:
    job_id = ray.get_runtime_context().get_job_id()  # a cluster may run other studies
    return f"agnews-ray:{job_id}:{group}:{kind}-{number}"
