"""One engine's training, timed in a process that does nothing else."""

import time
from dataclasses import dataclass
from statistics import median

import torch
from transformers import PreTrainedTokenizerBase

from agnews_ray.bench.load import OtherPrograms
from agnews_ray.bench.ratios import Contender, TimedRun
from agnews_ray.data.batches import TokenisedRows, train_batches
from agnews_ray.engine.child_process import call_alone
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.graphs import CudaRecorder, switched_off
from agnews_ray.engine.fused.matmul import multiply
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.results import Rank, StepCallback, TrainLog
from agnews_ray.model.artifact import DTYPES
from agnews_ray.model.build import build_classifier
from agnews_ray.model.memory import peak_memory_bytes
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec

WARM_UP_SHARE = 0.1
"""Of the steps, at the start; not timed."""

PRODUCT_SIZE = {"cpu": 2048, "cuda": 8192}
"""Rows and columns of the matrices whose product is the roofline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTask:
    """What one contender is to train; travels by pickle."""

    variant: VariantSpec
    class_names: tuple[str, ...]
    tokenizer: PreTrainedTokenizerBase
    rows: TokenisedRows
    recipe: RecipeSpec
    device: Device
    num_threads: int
    seed: int


def time_alone(task: TimingTask, contender: Contender) -> TimedRun:
    """Train in a new process.

    Args:
        task: the same for every contender of a round.
        contender: engine and precision.

    Returns:
        What was measured there.
    """
    found: TimedRun = call_alone(time_training, task, contender)
    return found


def time_training(task: TimingTask, contender: Contender, rank: Rank | None = None) -> TimedRun:
    """Train in this process: all epochs on the same rows from the same weights.

    Args:
        task: what to train.
        contender: engine and precision.
        rank: among several workers; None for the only one.

    Returns:
        Speed after the warm-up steps, padding, memory, what other programs computed meanwhile, and
        the machine's own rate.
    """
    torch.set_num_threads(task.num_threads)
    rank = rank or Rank(device=torch.device(task.device))
    rate = product_rate(rank.device, contender.precision)
    if task.device == "cuda":
        torch.cuda.reset_peak_memory_stats(rank.device)
    model = build_classifier(task.variant, task.class_names, task.seed, task.tokenizer).to(
        rank.device
    )
    recipe = task.recipe
    num_steps = steps_per_epoch(len(task.rows), recipe.global_batch_size) * recipe.num_epochs
    num_untimed = max(1, int(WARM_UP_SHARE * num_steps))
    start, others = 0.0, OtherPrograms()

    def on_step(number: int, _: torch.Tensor, seconds: float) -> None:
        nonlocal start, others
        if number == num_untimed:
            waiting = time.perf_counter()
            _wait_for(rank.device)  # for what is queued of the warm-up
            start = seconds + time.perf_counter() - waiting
            others = OtherPrograms()

    log = _train(model, task, contender, rank, num_steps, on_step)
    others_cores = others.cores()
    seconds = log.seconds[-1] - start
    return TimedRun(
        samples_per_second=float(log.rows[num_untimed:].sum() / seconds),
        padding_share=log.padding_share,
        peak_memory_bytes=peak_memory_bytes(rank.device),
        product_flops_per_second=rate,
        final_loss=log.final_loss,
        others_cores=others_cores,
    )


def _train(
    model: torch.nn.Module,
    task: TimingTask,
    contender: Contender,
    rank: Rank,
    num_steps: int,
    on_step: StepCallback,
) -> TrainLog:
    recipe, precision = task.recipe, contender.precision
    if contender.engine == "fast":
        fast = FastEngine(
            recipe=recipe,
            precision=precision,
            pad_id=task.tokenizer.pad_token_id or 0,
            rank=rank,
            padding_side=task.tokenizer.padding_side,
            record=CudaRecorder() if task.device == "cuda" and switched_off() is None else None,
        )
        batches = (
            batch
            for epoch in range(recipe.num_epochs)
            for batch in train_batches([task.rows], recipe.global_batch_size, task.seed, epoch)
        )
        return fast.train(model, batches, num_steps, on_step)
    reference = ReferenceEngine(
        recipe=recipe,
        precision=precision,
        tokenizer=task.tokenizer,
        rank=rank,
        style=ReferenceEngine.style_of(contender.engine),
    )
    return reference.train(model, task.rows, task.seed, on_step)


def product_rate(device: torch.device, precision: Precision) -> float:
    """Measure how fast large matrix products are.

    Args:
        device: where.
        precision: of the matrices.

    Returns:
        Operations per second, two for each multiply-add; median of seven products.
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
