"""Which engine a trial is trained by: the variant's, or what a GPU was found to be good for."""

import os
from collections.abc import Sequence
from typing import Any

import ray.train
import torch
import torch.distributed as dist

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


def choose_engine(
    config: WorkerConfig,
    model: torch.nn.Module,
    tokenizer: Any,
    rank: Rank,
    reporter: ProgressReporter,
) -> Proof:
    """Say what is to run, the same on each rank.

    Args:
        config: of the trial.
        model: the trial's, not yet on its device.
        tokenizer: the trial's.
        rank: this one; each rank makes the same call.
        reporter: told when a GPU is tried first.

    Returns:
        The engine, and what is to be said of it.

    Raises:
        ResourceError: ours does not work on this GPU, and the reference cannot train this trial.
    """
    if not ENGINES[config.variant.engine].is_ours or rank.device.type != "cuda":
        return Proof(engine=config.variant.engine)
    mine = None
    if ray.train.get_context().get_local_rank() == 0:  # a machine's GPUs are taken to be alike
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
    """Choose one engine for all ranks of a trial: what every machine's GPUs are good for.

    Args:
        proofs: of each machine, at least one.
        unrecorded: why steps are not to be recorded, where that was said.
        is_recordable: whether steps of the trial's model ever are.
        may_refer: whether the reference engine can train it, which wants one rank and held rows.

    Returns:
        The engine, and what is to be said of it.

    Raises:
        ResourceError: it would have to be the reference engine, and cannot be.
    """
    worst = max(proofs, key=lambda proof: BY_TRUST.index(proof.engine))
    if worst.engine == REFERENCE:
        cause = f"the fast engine does not work on this GPU ({worst.cause})"
        if not may_refer:
            wanted = "the reference engine's losses on this GPU"
            hint = "use --num-workers 1 and raise data.max_resident_mb, for the reference engine"
            raise ResourceError("engine fast", wanted, worst.cause or "others", hint)
        return Proof(engine=REFERENCE, cause=f"{cause}; trained in the reference engine")
    if not is_recordable:
        return Proof(engine=FAST)
    if worst.engine == FAST and unrecorded is None:
        return worst
    return Proof(engine=UNRECORDED, cause=f"steps are not recorded ({unrecorded or worst.cause})")


def of_all_ranks(value: Any, rank: Rank) -> list[Any]:
    """Give each rank's value, in their order; each rank makes the same call."""
    if rank.world_size == 1:
        return [value]
    values: list[Any] = [None] * rank.world_size
    dist.all_gather_object(values, value)
    return values


def _visible_gpu(device: torch.device) -> str:
    """This rank's own among the GPUs that its process sees."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[device.index or 0] if visible else str(device.index or 0)
