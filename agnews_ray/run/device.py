"""What ``auto`` means on this machine, and whether what was asked for is here."""

import os
import platform
import shutil
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agnews_ray.errors import ResourceError
from agnews_ray.record.environment import driver_cuda, gpu_names, nvidia_driver
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.engines import ENGINES, Engine
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec

CPUINFO = Path("/proc/cpuinfo")
DRIVER = Path("/dev/nvidiactl")

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
    if scaling.device == "cpu":
        return "cpu", 0
    place, num_gpus = "on this cluster, now or by its autoscaler", cluster_gpus
    if num_gpus is None:
        place, num_gpus = "on this machine", usable_gpus().count
    if scaling.device == "cuda" and num_gpus == 0:
        found, hint = f"none {place}", "use --device cpu, or mend the driver (nvidia-smi tells)"
        if cluster_gpus is not None:
            hint = "use --device cpu, or set AGNEWS_RAY_GPUS on the head node to what may come"
        elif usable_gpus().trouble:
            found, hint = usable_gpus().trouble, f"{usable_gpus().hint}, or use --device cpu"
        raise ResourceError("scaling.device", "a CUDA GPU", found, hint)
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
    if (device, precision) in ENGINES[engine].refused:
        wanted = f"fp32 or bf16 with engine {engine} on a CPU"
        raise ResourceError("recipe.precision", wanted, "fp16", "use --precision bf16, or fp32")


def device_notes(scaling: ScalingSpec, device: Device) -> tuple[str, ...]:
    """Say why this machine's GPUs are not used, where they could be wished for.

    Args:
        scaling: the device asked for.
        device: resolved.

    Returns:
        A line, or none.
    """
    is_wished = scaling.device == "auto" and device == "cpu"
    note = usable_gpus().note if is_wished else ""
    return (note,) if note else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpus:
    """This machine's GPUs, as far as torch can compute on them."""

    count: int = 0
    cuda: str | None = None
    """That torch was built for; None for a CPU build."""
    trouble: str = ""
    """Why there are none for torch, where the driver lists some."""
    hint: str = ""
    """What would mend that, in the imperative."""

    @property
    def note(self) -> str:
        """What is to be said where a study is trained on the CPU instead; nothing without GPUs."""
        return f"trained on the CPU, GPU: {self.trouble}; {self.hint}" if self.trouble else ""


@cache  # torch says what is wrong once in a process
def usable_gpus() -> Gpus:
    """Look for GPUs: torch, whose import takes seconds, is asked only where there is a driver.

    ``torch.cuda.device_count`` would ask the driver's library, which counts what a driver that is
    too old for torch's CUDA cannot run.
    """
    if not DRIVER.exists() and shutil.which("nvidia-smi") is None:
        return Gpus()
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        is_available = torch.cuda.is_available()
    cuda = torch.version.cuda
    if is_available:
        return Gpus(count=torch.cuda.device_count(), cuda=cuda)
    listed = len(gpu_names())
    if not listed or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):  # hidden on purpose
        return Gpus(cuda=cuda)
    if cuda is None:
        trouble = f"{listed} by nvidia-smi, and torch {torch.__version__} knows no CUDA"
        hint = "install torch's CUDA build (pytorch.org/get-started)"
        return Gpus(trouble=trouble, hint=hint)
    why = " ".join(str(said[0].message).split())[:120] if said else "CUDA does not start"
    driver = f"driver {nvidia_driver()}, for CUDA {driver_cuda() or '?'}"
    return Gpus(
        cuda=cuda,
        trouble=f"{listed} by nvidia-smi ({driver}), none by torch for CUDA {cuda} ({why})",
        hint=f"renew the driver for CUDA {cuda}, or install a torch for an older CUDA",
    )


def has_bf16_instructions() -> bool:
    """Whether the CPU multiplies bfloat16 matrices itself (emulation is slower than float32)."""
    flags = CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else ""
    return any(name in flags for name in BF16_FLAGS)
