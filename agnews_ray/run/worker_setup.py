"""What a rank needs for any kind of trial: its place, its tokenizer, its rows, its reporter."""

import pickle  # tokenizers are pickled, as Ray's own messages are
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import ray.train
import ray.train.torch
import torch

from agnews_ray.engine.results import Rank
from agnews_ray.fail_points import reach
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.record.object_store import check_staging, readable_folder
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.run.device import check_precision
from agnews_ray.run.engine_choice import max_over_ranks
from agnews_ray.run.mailbox import Task
from agnews_ray.run.progress import ProgressReporter
from agnews_ray.run.worker_config import WorkerSummary
from agnews_ray.run.worker_rows import WorkerRows
from agnews_ray.spec.variant import VariantSpec


class RankWork(Protocol):
    """One rank's work on a trial."""

    def run(self) -> WorkerSummary | None:
        """Do all of it; return the summary on rank 0, None elsewhere."""


class WorkerSetup:
    """One rank of a trial, ready for work.

    Args:
        task: the trial.

    Raises:
        DeviceError: this device cannot compute in the wanted precision.
    """

    def __init__(self, task: Task) -> None:
        config = self.config = task.config
        context = ray.train.get_context()
        share = num_usable_cpus() // context.get_local_world_size()
        torch.set_num_threads(max(1, min(config.threads_per_worker or share, num_usable_cpus())))
        self.rank = Rank(
            index=context.get_world_rank(),
            world_size=context.get_world_size(),
            device=ray.train.torch.get_device(),
        )
        check_precision(config.precision, "cuda" if self.rank.device.type == "cuda" else "cpu")
        self._node_rank = context.get_node_rank()
        self.tokenizer = pickle.loads(config.pickled_tokenizer)  # noqa: S301  # our driver's
        self.reporter = ProgressReporter(
            config.trial_id, config.num_steps, config.recipe.num_epochs, self.rank.index == 0
        )
        self.rows = WorkerRows(task, self.rank, self.tokenizer)
        self.reached_at = {"workers": time.time()}
        self.started_from_step = 0
        """The number of steps that earlier attempts had made."""

    def close(self) -> None:
        """End the thread that sends progress."""
        self.reporter.close()

    def begin(self) -> None:
        """Check that files can be left, and say that the work begins."""
        reach("worker.load")
        if self.rank.index == 0:
            check_staging(self.config.staged)
        self.reporter.phase("loading")

    def num_machines(self) -> int:
        """Count the machines of all ranks; each rank makes the same call."""
        return int(max_over_ranks(self._node_rank, self.rank)) + 1

    @contextmanager
    def model_folder(self, location: str | None) -> Iterator[Path | None]:
        """Make another trial's artifact readable on this machine.

        Args:
            location: its folder, or its URI; None if there is none.
        """
        if location is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch:
            yield readable_folder(location, Path(scratch))


def started_from(variant: VariantSpec, folder: Path | None, *, keeps_head: bool) -> VariantSpec:
    """Return the variant whose model is another trial's artifact.

    Args:
        variant: the variant as it was planned.
        folder: the artifact; None leaves the variant as it is.
        keeps_head: whether the artifact is a classifier that is used as it is.
    """
    if folder is None:
        return variant
    return VariantSpec(
        model=str(folder), name=variant.name, engine=variant.engine, keep_head=keeps_head
    )
