"""The timing of one engine's training, in a process that does nothing else."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from transformers import PreTrainedTokenizerBase

from agnews_ray.bench.ratios import Contender, TimedRun
from agnews_ray.data.batches import TokenisedRows, train_batches
from agnews_ray.engine.callbacks import Action, Callback, StepDone
from agnews_ray.engine.child_process import call_alone
from agnews_ray.engine.fused.graphs import switched_off
from agnews_ray.engine.fused.matmul import multiply
from agnews_ray.engine.machine_load import OtherPrograms
from agnews_ray.engine.registry import FAST, RUNNERS, UNRECORDED, TrainingJob
from agnews_ray.engine.results import Rank, TrainLog
from agnews_ray.engine.thread_waiting import SpinByLoad
from agnews_ray.model.artifact import DTYPES
from agnews_ray.model.build import build_classifier
from agnews_ray.model.memory import peak_memory_bytes
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec

WARM_UP_SHARE = 0.1
"""The share of the steps, at the start, that is not timed."""

PRODUCT_SIZE = {"cpu": 2048, "cuda": 8192}
"""The number of rows and of columns of the matrices whose product is the roofline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTask:
    """The training that a contender runs; it is pickled."""

    variant: VariantSpec
    class_names: tuple[str, ...]
    tokenizer: PreTrainedTokenizerBase
    rows: TokenisedRows
    recipe: RecipeSpec
    device: Device
    num_threads: int
    seed: int

    @property
    def num_steps(self) -> int:
        """The number of updates in all epochs."""
        per_epoch = steps_per_epoch(len(self.rows), self.recipe.global_batch_size)
        return per_epoch * self.recipe.num_epochs

    def epochs(self) -> Iterator[Iterator[TokenisedRows]]:
        """Make each epoch's global batches."""
        batch_size = self.recipe.global_batch_size
        for epoch in range(self.recipe.num_epochs):
            yield train_batches([self.rows], batch_size, self.seed, epoch)


def time_alone(task: TimingTask, contender: Contender) -> TimedRun:
    """Train in a new process.

    Args:
        task: the training, the same for every contender of a round.
        contender: the engine and the precision.

    Returns:
        The measurements of that process.
    """
    found: TimedRun = call_alone(time_training, task, contender)
    return found


def time_training(task: TimingTask, contender: Contender, rank: Rank | None = None) -> TimedRun:
    """Train in this process: all epochs on the same rows from the same weights.

    Args:
        task: the training.
        contender: the engine and the precision.
        rank: this rank among several workers; None for a single one.

    Returns:
        The speed after the warm-up steps, padding, memory, the load by other programs in this time,
        and the rate of the machine's matrix products.
    """
    torch.set_num_threads(task.num_threads)
    rank = rank or Rank(device=torch.device(task.device))
    rate = product_rate(rank.device, contender.precision)
    if task.device == "cuda":
        torch.cuda.reset_peak_memory_stats(rank.device)
    model = build_classifier(task.variant, task.class_names, task.seed, task.tokenizer).to(
        rank.device
    )
    num_untimed = max(1, int(WARM_UP_SHARE * task.num_steps))
    warm_up = _WarmUp(num_untimed, rank.device)
    with SpinByLoad():  # as a trial's worker does
        log = train_by(model, task, contender, rank, [warm_up])
    others_cores = warm_up.others.cores()
    seconds = log.seconds[-1] - warm_up.seconds
    return TimedRun(
        samples_per_second=float(log.rows[num_untimed:].sum() / seconds),
        padding_share=log.padding_share,
        peak_memory_bytes=peak_memory_bytes(rank.device),
        product_flops_per_second=rate,
        final_loss=log.final_loss,
        others_cores=others_cores,
    )


class _WarmUp(Callback):
    """Records the end of the first steps, which are not timed."""

    def __init__(self, num_steps: int, device: torch.device) -> None:
        self._num_steps, self._device = num_steps, device
        self.seconds = 0.0
        """The time of these steps."""
        self.others = OtherPrograms()
        """The load by other programs, from the end of these steps."""

    def after_step(self, done: StepDone) -> Action:
        if done.step == self._num_steps:
            waiting = time.perf_counter()
            _wait_for(self._device)  # some of these steps may only be queued
            self.seconds = done.seconds + time.perf_counter() - waiting
            self.others = OtherPrograms()
        return Action.GO_ON


def train_by(
    model: torch.nn.Module,
    task: TimingTask,
    contender: Contender,
    rank: Rank,
    callbacks: Sequence[Callback],
) -> TrainLog:
    """Train by one engine.

    Args:
        model: the model, on the rank's device.
        task: the training: rows, recipe and seed.
        contender: the engine and the precision.
        rank: this rank.
        callbacks: the callbacks, called after each step and each epoch.

    Returns:
        The engine's log.
    """
    job = TrainingJob(
        recipe=task.recipe,
        precision=contender.precision,
        tokenizer=task.tokenizer,
        rank=rank,
        seed=task.seed,
        num_steps=task.num_steps,
        epochs=task.epochs,
        rows=lambda: task.rows,
    )
    is_unrecorded = contender.engine == FAST and switched_off() is not None
    return RUNNERS[UNRECORDED if is_unrecorded else contender.engine](job, model, callbacks)


def product_rate(device: torch.device, precision: Precision) -> float:
    """Measure the speed of large matrix products.

    Args:
        device: the device of the products.
        precision: the precision of the matrices.

    Returns:
        The operations per second, two for each multiply-add: the median of seven products.
    """
    size = PRODUCT_SIZE[device.type]
    first, second = (torch.randn(size, size, device=device).to(DTYPES[precision]) for _ in range(2))
    seconds = []
    for _ in range(8):
        start = time.perf_counter()
        multiply(first, second)
        _wait_for(device)
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / median(seconds[1:])


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
