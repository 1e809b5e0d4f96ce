"""The parts of torch that are used but not public."""

from typing import Any

import torch


def has_linear_by_onednn() -> bool:
    """Whether this build of torch has oneDNN's operator."""
    return hasattr(torch.ops.mkldnn, "_linear_pointwise")


def linear_by_onednn(
    values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """Compute ``torch.nn.functional.linear`` with oneDNN; torch's public function uses MKL."""
    operator: Any = torch.ops.mkldnn._linear_pointwise
    result: torch.Tensor = operator(values, weight, bias, "none", [], "")
    return result


def softmax_backward(by_shares: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Compute the backward pass of a float32 softmax over the last axis, as autograd does."""
    result: torch.Tensor = torch.ops.aten._softmax_backward_data(
        by_shares, shares, -1, torch.float32
    )
    return result


def do_not_warn_of_uncaptured_steps(optimizer: torch.optim.Optimizer) -> None:
    """Silence a warning of optimisers with ``capturable=True`` whose first step is not captured."""
    optimizer._warned_capturable_if_run_uncaptured = True
