"""The engine of a trial: the variant's, or another one if a check of the GPU failed."""

import os
from collections.abc import Sequence
from typing import TypeVar

import ray.train
import torch
import torch.distributed as dist
from transformers import PreTrainedTokenizerFast

from agnews_ray.engine.fused.families import is_fusable
from agnews_ray.engine.gpu_check import proved
from agnews_ray.engine.loss_parity import Task
from agnews_ray.engine.registry import BY_TRUST, FAST, REFERENCE, UNRECORDED, Proof
from agnews_ray.engine.results import Rank
from agnews_ray.errors import ResourceError
from agnews_ray.record.storage import user_cache
from agnews_ray.run.progress import ProgressReporter
from agnews_ray.run.worker_config import WorkerConfig
from agnews_ray.spec.engines import ENGINES

T = TypeVar("T")


def choose_engine(
    config: WorkerConfig,
    model: torch.nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    rank: Rank,
    reporter: ProgressReporter,
) -> Proof:
    """Choose the engine, the same on each rank.

    Args:
        config: the trial's settings.
        model: the trial's model, not yet on its device.
        tokenizer: the trial's tokenizer.
        rank: this rank; each rank makes the same call.
        reporter: the trial's reporter, which shows that a GPU is tested.

    Returns:
        The engine, and the reason for it.

    Raises:
        ResourceError: our engine does not work on this GPU, and the reference engine cannot train
            this trial.
    """
    if not ENGINES[config.variant.engine].is_ours or rank.device.type != "cuda":
        return Proof(engine=config.variant.engine)
    mine = None
    if ray.train.get_context().get_local_rank() == 0:  # a machine's GPUs are assumed to be equal
        reporter.phase("trying the GPU")
        mine = proved(
            Task.like(model, tokenizer, config.precision),
            torch.cuda.get_device_name(rank.device),
            _visible_gpu(rank.device),
            user_cache() / "proofs",
        )
    proofs = [one for one in of_all_ranks(mine, rank) if one is not None]
    is_held = config.window_rows["train"] == 0
    may_refer = ENGINES["reference"].can_train(rank.world_size, is_held)
    return choose(proofs, config.unrecorded, is_fusable(model), may_refer)


def choose(
    proofs: Sequence[Proof], unrecorded: str | None, is_recordable: bool, may_refer: bool
) -> Proof:
    """Choose one engine for all ranks of a trial that works on every machine's GPUs.

    Args:
        proofs: the results of the checks, at least one per machine.
        unrecorded: why steps must not be recorded; empty if they may be.
        is_recordable: whether steps of the trial's model can be recorded.
        may_refer: whether the reference engine can train it, which needs one rank and all rows in
            memory.

    Returns:
        The engine, and the reason for it.

    Raises:
        ResourceError: only the reference engine is left, and it cannot train this trial.
    """
    worst = max(proofs, key=lambda proof: BY_TRUST.index(proof.engine))
    if worst.engine == REFERENCE:
        cause = f"the fast engine does not work on this GPU ({worst.cause})"
        if not may_refer:
            wanted = "the reference engine's losses on this GPU"
            hint = "use --num-workers 1 and raise data.max_resident_mb, for the reference engine"
            raise ResourceError("engine fast", wanted, worst.cause or "others", hint)
        return Proof(engine=REFERENCE, cause=f"{cause}; trained with the reference engine")
    if not is_recordable:
        return Proof(engine=FAST)
    if worst.engine == FAST and unrecorded is None:
        return worst
    return Proof(engine=UNRECORDED, cause=f"steps are not recorded ({unrecorded or worst.cause})")


def of_all_ranks(value: T, rank: Rank) -> list[T]:
    """Return the value of each rank, in their order; each rank makes the same call."""
    if rank.world_size == 1:
        return [value]
    values = [value] * rank.world_size  # each is then replaced
    dist.all_gather_object(values, value)
    return values


def max_over_ranks(value: float, rank: Rank) -> float:
    """Return the largest value of any rank; each rank makes the same call."""
    return max(of_all_ranks(value, rank))


def _visible_gpu(device: torch.device) -> str:
    """Return this rank's own GPU among those visible to its process."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[device.index or 0] if visible else str(device.index or 0)
