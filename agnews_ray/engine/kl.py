"""The Kullback-Leibler divergence of two softmaxes, with less memory than by autograd."""

from collections.abc import Callable
from typing import Any

import torch


class _Divergence(torch.autograd.Function):
    """KL(teacher || student), whose gradient is the difference of the two softmaxes."""

    @staticmethod
    def forward(ctx: Any, scores: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Compute the divergence of each row of scores.

        Args:
            ctx: the context of autograd.
            scores: shape (..., C), float32: the student's logits, all finite.
            wanted: shape (..., C), float32: the teacher's, all finite.

        Returns:
            Shape (...): the divergences in nats.
        """
        found, taught = scores.log_softmax(dim=-1), wanted.log_softmax(dim=-1)
        shares = taught.exp()
        divergence = taught.sub_(found).mul_(shares).sum(dim=-1)
        ctx.difference = found.exp_().sub_(shares)
        return divergence

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.difference * gradient[..., None], None


divergence: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = _Divergence.apply
"""The divergence by the student's and the teacher's logits; only the student's get a gradient."""
