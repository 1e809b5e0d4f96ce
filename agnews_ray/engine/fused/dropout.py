"""Dropout masks that are cheap on a CPU, where torch draws them one number at a time.

A mask uses one random byte per element, so each 64-bit draw gives eight elements. A byte has no
threshold at exactly 0.1, so each mask draws one of the two thresholds next to it, such that every
element is dropped with exactly the wanted probability. All bits of an element of a mask are set,
or none; a mask is applied by a bitwise *and*.
"""

from collections.abc import Callable
from typing import Any

import torch

BITS = {torch.float32: torch.int32, torch.bfloat16: torch.int16, torch.float16: torch.int16}
"""The integer type with as many bits as each floating-point type."""


def draw_keep(like: torch.Tensor, probability: float) -> torch.Tensor:
    """Draw at random the elements that dropout keeps.

    Args:
        like: a tensor with the mask's shape and device, and the values' floating-point type.
        probability: the probability of dropping an element, in (0, 1); on a CPU up to 255/256.

    Returns:
        The mask for ``keep``, in the shape of ``like``: integers (all bits or none) on a CPU,
        elsewhere booleans.
    """
    if like.device.type != "cpu":
        mask = torch.empty(like.shape, dtype=torch.bool, device=like.device)
        return mask.bernoulli_(1.0 - probability)
    words = torch.empty(-(-like.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    num_dropped = min(int(probability * 256 + torch.rand(()).item()), 255)
    kept = words.view(torch.int8)[: like.numel()].ge_(num_dropped - 128).neg_()
    return kept.to(BITS[like.dtype]).view(like.shape)


def keep(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Set dropped elements to zero, without scaling the others up.

    Args:
        values: any shape, the values.
        mask: the result of ``draw_keep``.

    Returns:
        A new tensor with the shape and type of ``values``.
    """
    if mask.dtype == torch.bool:
        return values * mask
    return (values.view(mask.dtype) & mask).view(values.dtype)


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, probability: float) -> torch.Tensor:
        ctx.mask, ctx.scale = draw_keep(values, probability), 1.0 / (1.0 - probability)
        return keep(values, ctx.mask).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return keep(gradient.contiguous(), ctx.mask).mul_(ctx.scale), None


_dropout: Callable[[torch.Tensor, float], torch.Tensor] = _Dropout.apply


class CheapDropout(torch.nn.Module):
    """The replacement of ``torch.nn.Dropout`` while a model is trained on a CPU."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.p = probability

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0:
            return values
        return _dropout(values.contiguous(), self.p)
