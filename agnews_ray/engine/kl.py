"""Divergences of softmaxes, with less memory than by autograd."""

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


class _OverVocabulary(torch.autograd.Function):
    """Soft and hard losses of tokens, which keep one tensor of the logits' shape and type."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: torch.Tensor,
        wanted: torch.Tensor,
        original: torch.Tensor,
        temperature: float,
        weights: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Compute the losses of N tokens.

        Args:
            ctx: the context of autograd.
            logits: shape (N, V): the student's.
            wanted: shape (N, V): the teacher's.
            original: shape (N,): the ids to predict; negative where there is none.
            temperature: T, by which both are divided.
            weights: shape (2,): the weights of the soft and the hard loss.

        Returns:
            Shape (N,) each, float32: the weighted sum, which has a gradient; T² x KL(teacher ||
            student); and the cross-entropy.
        """
        scores, t = logits.float(), temperature
        logs = scores.log_softmax(dim=1)
        index, counts = original.clamp(min=0)[:, None], (original >= 0)[:, None].float()
        hard = -logs.gather(1, index) * counts
        counts *= weights[1]
        gradient = logs.exp_().mul_(counts).scatter_add_(1, index, -counts)
        found, taught = ((one.float() / t).log_softmax(dim=1) for one in (scores, wanted))
        shares = taught.exp()
        soft = taught.sub_(found).mul_(shares).sum(dim=1, keepdim=True) * t**2
        gradient.add_(found.exp_().sub_(shares).mul_(weights[0] * t))
        # In fp16 small shares would become 0 before the loss is scaled.
        ctx.gradient = gradient if logits.dtype == torch.float16 else gradient.to(logits.dtype)
        ctx.dtype = logits.dtype
        loss = (weights[0] * soft + weights[1] * hard)[:, 0]
        soft, hard = soft[:, 0], hard[:, 0]
        ctx.mark_non_differentiable(soft, hard)
        return loss, soft, hard

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor, *_: Any) -> tuple[torch.Tensor | None, ...]:
        by_logits = (ctx.gradient * gradient[:, None].to(ctx.gradient.dtype)).to(ctx.dtype)
        return by_logits, None, None, None, None


over_vocabulary: Callable[..., tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = (
    _OverVocabulary.apply
)
"""The function of ``_OverVocabulary.forward``'s arguments after ``ctx``."""
