"""Matrix products on a CPU, by the library that is faster on it.

torch computes float32 products by MKL, which does not use AVX-512 on an AMD processor and so
reaches only half of its speed. oneDNN, which computes torch's other products, uses it; but in
float32 it is only available by an operator of torch's compiler. Without AVX-512, MKL is faster.
"""

import os
from pathlib import Path

import torch

from agnews_ray.compat.of_torch import has_linear_by_onednn, linear_by_onednn


def linear(values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer.

    Args:
        values: shape (N, K), the layer's input.
        weight: shape (M, K), in the same type.
        bias: shape (M,), in the same type.

    Returns:
        Shape (N, M): the layer's output.
    """
    if _is_for_onednn(values):
        return linear_by_onednn(values, weight, bias)
    return torch.addmm(bias, values, weight.t())


def multiply(
    first: torch.Tensor, second: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Multiply two matrices.

    Args:
        first: shape (N, K), a matrix.
        second: shape (K, M), a matrix of the same type.
        out: shape (N, M), the tensor for the result; None for a new tensor.

    Returns:
        Shape (N, M): the product.
    """
    if not _is_for_onednn(first):
        return torch.mm(first, second, out=out)
    found = linear_by_onednn(first, second.t(), None)
    return found if out is None else out.copy_(found)


def _is_mkl_slow() -> bool:
    """Whether this is an AMD processor with AVX-512, and torch has oneDNN's operator."""
    cpuinfo = Path("/proc/cpuinfo")
    known = cpuinfo.read_text(errors="replace") if cpuinfo.exists() else ""
    is_amd = "AuthenticAMD" in known and "avx512f" in known
    return is_amd and has_linear_by_onednn()


IS_MKL_SLOW = _is_mkl_slow()

# oneDNN generates code for each shape and keeps that of the latest 1,024. A step in bf16 has 27
# shapes for each length of its rows, and AG News has a hundred lengths. oneDNN reads this variable
# at its first use.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8192")


def _is_for_onednn(values: torch.Tensor) -> bool:
    return IS_MKL_SLOW and values.dtype == torch.float32 and values.device.type == "cpu"
