"""What ``auto`` means on this machine, and whether what was asked for is here."""

import platform
import shutil
from pathlib import Path

from agnews_ray.errors import ResourceError
from agnews_ray.spec.study import Device, Engine, Precision, RecipeSpec, ScalingSpec

CPUINFO = Path("/proc/cpuinfo")

IS_X86 = platform.machine().lower() in ("x86_64", "amd64")

BF16_FLAGS = ("avx512_bf16", "amx_bf16")
"""Of x86 processors, in ``CPUINFO``: instructions that multiply bfloat16 matrices."""


def resolve_device(scaling: ScalingSpec, cluster_gpus: int | None = None) -> tuple[Device, int]:
    """Choose the device, failing at once where there are too few.

    Args:
        scaling: workers per trial, and the device asked for.
        cluster_gpus: GPUs that the joined cluster has or may get; None on this machine alone.

    Returns:
        The device and the number of GPUs there are for it (0 on a CPU).

    Raises:
        ResourceError: GPUs are asked for and there are none, or fewer than one trial's workers.
    """
    place, num_gpus = "on this cluster, now or by its autoscaler", cluster_gpus
    if num_gpus is None:
        place, num_gpus = "on this machine", _count_gpus() if scaling.device != "cpu" else 0
    if scaling.device == "cpu":
        return "cpu", 0
    if scaling.device == "cuda" and num_gpus == 0:
        hint = "use --device cpu, or mend the driver (nvidia-smi tells)"
        if cluster_gpus is not None:
            hint = "use --device cpu, or set AGNEWS_RAY_GPUS on the head node to what may come"
        raise ResourceError("scaling.device", "a CUDA GPU", f"none {place}", hint)
    if 0 < num_gpus < scaling.num_workers:
        wanted = f"{scaling.num_workers} GPUs, one for each worker"
        hint = f"use --num-workers {num_gpus}, or --device cpu"
        raise ResourceError("scaling.num_workers", wanted, f"{num_gpus} {place}", hint)
    return ("cuda" if num_gpus else "cpu"), num_gpus


def resolve_precision(recipe: RecipeSpec, device: Device, *, is_here: bool = True) -> Precision:
    """Choose the precision ``auto`` stands for, and refuse what the device has not got.

    Args:
        recipe: the precision asked for.
        device: what the trials will run on.
        is_here: whether that is this machine; where it is not, each worker looks for itself
            whether it has the precision. What ``auto`` means is decided here all the same.

    Returns:
        On a GPU fp16, as in the paper; on a CPU bf16 where it has instructions for it, else fp32.

    Raises:
        ResourceError: bf16 on a GPU (a T4) or a CPU without it.
    """
    if recipe.precision == "auto":
        if device == "cuda":
            return "fp16"
        return "bf16" if has_bf16_instructions() else "fp32"
    if is_here:
        check_precision(recipe.precision, device)
    return recipe.precision


def check_precision(precision: Precision, device: Device) -> None:
    """Refuse what this machine's GPU or CPU has not got, and would emulate.

    Args:
        precision: resolved.
        device: resolved.

    Raises:
        ResourceError: bf16 on a GPU (a T4) or a CPU without it.
    """
    if precision != "bf16":
        return
    if device == "cpu":
        if IS_X86 and CPUINFO.exists() and not has_bf16_instructions():
            wanted, hint = "a CPU with bf16", "use --precision fp32, which is faster on this one"
            found = f"neither {' nor '.join(BF16_FLAGS)} in {CPUINFO}"
            raise ResourceError("recipe.precision", wanted, found, hint)
        return
    import torch

    if not torch.cuda.is_bf16_supported(including_emulation=False):
        name = torch.cuda.get_device_name(0)
        raise ResourceError("recipe.precision", "a GPU with bf16", name, "use --precision fp16")


def check_engine(engine: Engine, device: Device, precision: Precision) -> None:
    """Refuse what an engine would quietly do otherwise.

    Args:
        engine: of a variant.
        device: resolved.
        precision: resolved.

    Raises:
        ResourceError: FP16 by the Hugging Face Trainer on a CPU, which would train in fp32.
    """
    if engine != "fast" and device == "cpu" and precision == "fp16":
        wanted = f"fp32 or bf16 with engine {engine} on a CPU"
        raise ResourceError("recipe.precision", wanted, "fp16", "use --precision bf16, or fp32")


def _count_gpus() -> int:
    """Ask torch, whose import takes seconds, only where there is a driver."""
    if not Path("/dev/nvidiactl").exists() and shutil.which("nvidia-smi") is None:
        return 0
    import torch

    return torch.cuda.device_count()


def has_bf16_instructions() -> bool:
    """Whether the CPU multiplies bfloat16 matrices itself (emulation is slower than float32)."""
    flags = CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else ""
    return any(name in flags for name in BF16_FLAGS)
