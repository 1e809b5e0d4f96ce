"""Matrix products on a CPU, by the library that is faster there.

torch has products in float32 made by MKL, which leaves half of an AMD processor's speed unused.
oneDNN, which makes torch's other products, does not; but the only way to it in float32 is an
operator of torch's compiler.
"""

import platform
from pathlib import Path
from typing import Any

import torch


def linear(values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer.

    Args:
        values: shape (N, K).
        weight: shape (M, K), of the same type.
        bias: shape (M,), of the same type.

    Returns:
        Shape (N, M).
    """
    if _is_for_onednn(values):
        return _by_onednn(values, weight, bias)
    return torch.addmm(bias, values, weight.t())


def multiply(
    first: torch.Tensor, second: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Multiply two matrices.

    Args:
        first: shape (N, K).
        second: shape (K, M), of the same type.
        out: shape (N, M), where to put the result; None for a new tensor.

    Returns:
        Shape (N, M).
    """
    if not _is_for_onednn(first):
        return torch.mm(first, second, out=out)
    found = _by_onednn(first, second.t(), None)
    return found if out is None else out.copy_(found)


def _is_mkl_slow() -> bool:
    """Whether this is a processor of AMD, and torch has oneDNN's operator for it."""
    cpuinfo = Path("/proc/cpuinfo")
    known = cpuinfo.read_text(errors="replace") if cpuinfo.exists() else platform.processor()
    is_amd = "AuthenticAMD" in known
    return is_amd and hasattr(torch.ops.mkldnn, "_linear_pointwise")


IS_MKL_SLOW = _is_mkl_slow()


def _is_for_onednn(values: torch.Tensor) -> bool:
    return IS_MKL_SLOW and values.dtype == torch.float32 and values.device.type == "cpu"


def _by_onednn(
    values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    operator: Any = torch.ops.mkldnn._linear_pointwise
    result: torch.Tensor = operator(values, weight, bias, "none", [], "")
    return result
