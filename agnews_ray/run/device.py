"""The meaning of ``auto`` on this machine, and whether the requested device is here."""

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
"""The flags in ``CPUINFO`` of x86 processors that can multiply bfloat16 matrices."""


def resolve_device(scaling: ScalingSpec, cluster_gpus: int | None = None) -> tuple[Device, int]:
    """Choose the device, and fail at once if there are too few.

    Args:
        scaling: the workers per trial, and the requested device.
        cluster_gpus: the GPUs that the joined cluster has or may start; None for this machine
            alone.

    Returns:
        The device and its number of GPUs (0 on a CPU).

    Raises:
        ResourceError: GPUs are requested, but there are none, or fewer than one trial's workers.
    """
    if scaling.device == "cpu":
        return "cpu", 0
    place, num_gpus = "on this cluster, now or by its autoscaler", cluster_gpus
    if num_gpus is None:
        place, num_gpus = "on this machine", usable_gpus().count
    if scaling.device == "cuda" and num_gpus == 0:
        found, hint = f"none {place}", "use --device cpu, or fix the driver (see nvidia-smi)"
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
    """Choose the precision for ``auto``, and refuse one that the device lacks.

    Args:
        recipe: the recipe, with the requested precision.
        device: the device of the trials.
        is_here: whether that is this machine; if not, each worker checks for itself
            whether it has the precision, but ``auto`` is still decided here.

    Returns:
        On a GPU fp16, as in the paper; on a CPU bf16 if it has instructions for it, else fp32.

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
    """Refuse a precision that this machine's GPU or CPU lacks and would emulate.

    Args:
        precision: the resolved precision.
        device: the resolved device.

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
    """Refuse settings that an engine would silently replace.

    Args:
        engine: a variant's engine.
        device: the resolved device.
        precision: the resolved precision.

    Raises:
        ResourceError: FP16 with the Hugging Face Trainer on a CPU, which would train in fp32.
    """
    if (device, precision) in ENGINES[engine].refused:
        wanted = f"fp32 or bf16 with engine {engine} on a CPU"
        raise ResourceError("recipe.precision", wanted, "fp16", "use --precision bf16, or fp32")


def device_notes(scaling: ScalingSpec, device: Device) -> tuple[str, ...]:
    """Say why this machine's GPUs are not used, if ``auto`` chose the CPU.

    Args:
        scaling: the requested device.
        device: the resolved device.

    Returns:
        One line, or none.
    """
    is_wished = scaling.device == "auto" and device == "cpu"
    note = usable_gpus().note if is_wished else ""
    return (note,) if note else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpus:
    """This machine's GPUs on which torch can compute."""

    count: int = 0
    cuda: str | None = None
    """The CUDA version that torch was built for; None for a CPU build."""
    trouble: str = ""
    """Why torch has none although the driver lists some."""
    hint: str = ""
    """How to fix that, in the imperative."""

    @property
    def note(self) -> str:
        """The note for a study that is trained on the CPU instead; empty without GPUs."""
        return f"trained on the CPU, GPU: {self.trouble}; {self.hint}" if self.trouble else ""


@cache  # torch reports the problem only once in a process
def usable_gpus() -> Gpus:
    """Find GPUs; torch, whose import takes seconds, is asked only if there is a driver.

    ``torch.cuda.device_count`` would ask the driver's library, which also counts GPUs whose driver
    is too old for torch's CUDA.
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
        hint=f"update the driver for CUDA {cuda}, or install a torch for an older CUDA",
    )


def has_bf16_instructions() -> bool:
    """Whether the CPU multiplies bfloat16 matrices itself (emulation is slower than float32)."""
    flags = CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else ""
    return any(name in flags for name in BF16_FLAGS)
