"""One transformer block of the BERT family, forward and backward, in few, cheap operations.

It computes the same as transformers' own block: attention, residual, LayerNorm, feed-forward,
residual, LayerNorm, with dropout in the same places. Matrix products run in the mirror's
precision; softmax, residuals and LayerNorm run in float32, as under autocast. The hand-written
backward pass saves autograd's work, casts, and the slow path of fused attention under dropout. If
only the first token's output is used, as in a classifier's last block, nothing else is computed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch.nn.functional import gelu

from agnews_ray.compat.of_torch import softmax_backward
from agnews_ray.engine.fused.dropout import draw_keep, keep
from agnews_ray.engine.fused.matmul import linear, multiply

aten = torch.ops.aten


class BlockTensors(NamedTuple):
    """A block's parameters, or their gradients; H is the width, F the width of the feed-forward."""

    query: torch.Tensor
    """Shape (H, H)."""
    query_bias: torch.Tensor
    key_value: torch.Tensor
    """Shape (2 H, H)."""
    key_value_bias: torch.Tensor
    out: torch.Tensor
    """Shape (H, H): the projection after attention."""
    out_bias: torch.Tensor
    up: torch.Tensor
    """Shape (F, H)."""
    up_bias: torch.Tensor
    down: torch.Tensor
    """Shape (H, F)."""
    down_bias: torch.Tensor
    attention_norm: torch.Tensor
    attention_norm_bias: torch.Tensor
    output_norm: torch.Tensor
    output_norm_bias: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSettings:
    """A block's settings beside its parameters; probabilities of dropout are in [0, 1)."""

    num_heads: int
    epsilon: float
    """The epsilon of both LayerNorms."""
    attention_dropout: float
    """The dropout of attention probabilities."""
    projection_dropout: float
    """The dropout of attention's output; DistilBERT has none."""
    output_dropout: float
    """The dropout of the feed-forward's output."""
    is_first_only: bool = False
    """Whether only the first token's output is needed."""
    gelu: Literal["none", "tanh"] = "none"
    """The approximation of the activation; ALBERT uses tanh."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block whose parameters are views of a model's flat parameters."""

    weights: BlockTensors
    """The parameters: matrices and their biases in the precision of products, LayerNorms in
    float32."""
    gradients: BlockTensors
    """The tensors to which the backward pass writes."""
    settings: BlockSettings
    sums: BlockTensors | None = None
    """The tensors in which gradients are added up, if the block is used several times in a step."""


class FusedBlock(torch.autograd.Function):
    """The block as one step of autograd, which writes its parameters' gradients itself."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        bias: torch.Tensor | None,
        position_bias: torch.Tensor | None,
        block: Block,
        is_training: bool,
    ) -> torch.Tensor:
        """Compute the block's output.

        Args:
            ctx: the context of autograd.
            hidden: shape (B, L, H), float32, the block's input.
            bias: the addend of attention scores, broadcast to (B, heads, Q, L): 0, or -inf for
                padding. Q is 1 if only the first token's output is needed, else L.
            position_bias: shape (1, heads, Q, L), another addend, which has a gradient; None for
                families without it.
            block: the parameters and settings.
            is_training: whether dropout is applied.

        Returns:
            Shape (B, L, H), or (B, 1, H) for the first token only, float32: the output.
        """
        rows, length, width = hidden.shape
        w, s = block.weights, block.settings
        hidden = hidden.float()
        low = hidden.to(w.query.dtype)
        asking, residual = (low[:, :1], hidden[:, :1]) if s.is_first_only else (low, hidden)
        # For rows that are not adjacent, oneDNN uses its reference code, hundreds of times slower.
        low, asking = low.reshape(-1, width), asking.reshape(-1, width).contiguous()
        heads = (rows, -1, s.num_heads, width // s.num_heads)
        query = linear(asking, w.query, w.query_bias).view(heads)
        query = query.transpose(1, 2).flatten(0, 1).contiguous()
        pair = linear(low, w.key_value, w.key_value_bias)
        pair = pair.view(rows, length, 2, *heads[2:]).permute(2, 0, 3, 1, 4)
        key, value = pair.flatten(1, 2).contiguous()
        shares, dropped, share_mask = _attend((query, key), (bias, position_bias), s, is_training)
        attended = _bmm(dropped, value, 1 / (1 - s.attention_dropout) if is_training else 1.0)
        attended = attended.view(rows, s.num_heads, -1, heads[3])
        attended = attended.transpose(1, 2).reshape(-1, width)
        projected = linear(attended, w.out, w.out_bias)
        p = s.projection_dropout if is_training else 0.0
        first, first_mask = _add_dropped(residual.reshape(-1, width), projected, p)
        norm = (w.attention_norm, w.attention_norm_bias)
        middle, *first_moments = torch.native_layer_norm(first, [width], *norm, s.epsilon)
        low_middle = middle.to(w.up.dtype)
        raised = linear(low_middle, w.up, w.up_bias)
        active = gelu(raised, approximate=s.gelu)
        lowered = linear(active, w.down, w.down_bias)
        p = s.output_dropout if is_training else 0.0
        second, second_mask = _add_dropped(middle, lowered, p)
        norm = (w.output_norm, w.output_norm_bias)
        output, *second_moments = torch.native_layer_norm(second, [width], *norm, s.epsilon)
        ctx.shape, ctx.block = (rows, length, width), block
        ctx.attention = (low, asking, query, key, value, shares, dropped, share_mask, attended)
        ctx.first = (first, *first_moments, first_mask)
        ctx.feed_forward = (low_middle, raised, active)
        ctx.second = (second, *second_moments, second_mask)
        return output.view(rows, -1, width)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Write the parameters' gradients; return those of ``hidden`` and ``position_bias``."""
        w, g, s = ctx.block.weights, ctx.block.gradients, ctx.block.settings
        width = ctx.shape[-1]
        by_second = _norm_backward(
            gradient.reshape(-1, width), ctx.second, (w.output_norm, w.output_norm_bias),
            (g.output_norm, g.output_norm_bias),
        )  # fmt: skip
        by_lowered = _drop_backward(by_second, ctx.second[-1], s.output_dropout, w.down.dtype)
        low_middle, raised, active = ctx.feed_forward
        by_active = _linear_backward(by_lowered, active, w.down, (g.down, g.down_bias))
        by_raised = aten.gelu_backward(by_active, raised, approximate=s.gelu)
        by_middle = _linear_backward(by_raised, low_middle, w.up, (g.up, g.up_bias))
        by_first = _norm_backward(
            by_second.add_(by_middle), ctx.first, (w.attention_norm, w.attention_norm_bias),
            (g.attention_norm, g.attention_norm_bias),
        )  # fmt: skip
        by_projected = _drop_backward(by_first, ctx.first[-1], s.projection_dropout, w.out.dtype)
        by_asking, by_low, by_position = _attention_backward(ctx, by_projected)
        del ctx.attention, ctx.first, ctx.feed_forward, ctx.second
        by_residual = by_first.add_(by_asking)
        if s.is_first_only:
            by_hidden = by_low.float().view(ctx.shape)
            by_hidden[:, 0].add_(by_residual)
        else:
            by_hidden = by_residual.add_(by_low).view(ctx.shape)
        for gradient, total in zip(g, ctx.block.sums or (), strict=False):
            total.add_(gradient)
        return by_hidden, None, by_position, None, None


run_block: Callable[..., torch.Tensor] = FusedBlock.apply
"""The function that applies a block; its arguments are those of ``FusedBlock.forward`` after
``ctx``."""


def _attention_backward(
    ctx: Any, by_projected: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Compute gradients from the output projection back to the block's input.

    Returns:
        The gradients of the input as the source of queries, of the input as the source of keys and
        values, and of the position bias.
    """
    w, g, s = ctx.block.weights, ctx.block.gradients, ctx.block.settings
    rows, length, width = ctx.shape
    low, asking, query, key, value, shares, dropped, share_mask, attended = ctx.attention
    by_attended = _linear_backward(by_projected, attended, w.out, (g.out, g.out_bias))
    by_attended = by_attended.view(rows, -1, s.num_heads, query.shape[-1]).transpose(1, 2)
    by_attended = by_attended.reshape(query.shape)
    by_pair = torch.empty((2, *key.shape), dtype=key.dtype, device=key.device)
    scale = query.shape[-1] ** -0.5
    regained = 1.0 if share_mask is None else 1 / (1 - s.attention_dropout)
    _bmm(dropped.transpose(1, 2), by_attended, regained, by_pair[1])
    by_shares = _bmm(by_attended, value.transpose(1, 2), regained)
    if share_mask is not None:
        by_shares = keep(by_shares, share_mask)
    by_scores = softmax_backward(by_shares.float(), shares)
    by_position = None
    if ctx.needs_input_grad[2]:
        by_position = by_scores.view(rows, s.num_heads, -1, length).sum(dim=0, keepdim=True)
    by_scores = by_scores.to(query.dtype)
    _bmm(by_scores.transpose(1, 2), query, scale, by_pair[0])
    by_query = _bmm(by_scores, key, scale).view(rows, s.num_heads, -1, query.shape[-1])
    by_query = by_query.transpose(1, 2).reshape(-1, width)
    by_pair = by_pair.view(2, rows, s.num_heads, length, -1).permute(1, 3, 0, 2, 4)
    by_pair = by_pair.reshape(rows * length, 2 * width)
    by_asking = _linear_backward(by_query, asking, w.query, (g.query, g.query_bias))
    into = (g.key_value, g.key_value_bias)
    return by_asking, _linear_backward(by_pair, low, w.key_value, into), by_position


def _attend(
    query_and_key: tuple[torch.Tensor, torch.Tensor],
    biases: tuple[torch.Tensor | None, ...],
    settings: BlockSettings,
    is_training: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Compute attention probabilities.

    The next products scale up the probabilities that dropout keeps, where this costs nothing.

    Returns:
        The probabilities, shape (B x heads, Q, L), float32; the same after dropout, in low
        precision; and the dropout mask.
    """
    query, key = query_and_key
    scores = _bmm(query, key.transpose(1, 2), query.shape[-1] ** -0.5).float()
    for bias in biases:
        if bias is not None:
            scores.view(-1, settings.num_heads, *scores.shape[1:]).add_(bias)
    shares = scores.softmax(dim=-1)  # float32: on CPUs it is slow in lower precision
    p = settings.attention_dropout
    low = shares.to(query.dtype)
    if not is_training or p == 0:
        return shares, low, None
    mask = draw_keep(low, p)
    return shares, keep(low, mask), mask


def _bmm(
    first: torch.Tensor, second: torch.Tensor, scale: float, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Multiply matrices pair by pair; scaling before rounding makes an overflow less likely."""
    nothing = first.new_empty(1, 1, 1)  # the tensor that beta would multiply
    return torch.baddbmm(nothing, first, second, beta=0, alpha=scale, out=out)


def _add_dropped(
    residual: torch.Tensor, values: torch.Tensor, probability: float
) -> tuple[torch.Tensor, torch.Tensor | None]:
    if probability == 0:
        return residual + values, None
    mask = draw_keep(values, probability)
    return residual.add(keep(values, mask), alpha=1 / (1 - probability)), mask


def _drop_backward(
    gradient: torch.Tensor, mask: torch.Tensor | None, probability: float, dtype: torch.dtype
) -> torch.Tensor:
    if mask is None:
        return gradient.to(dtype)
    return keep((gradient * (1 / (1 - probability))).to(dtype), mask)


def _linear_backward(
    gradient: torch.Tensor,
    values: torch.Tensor,
    weight: torch.Tensor,
    into: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    multiply(gradient.t(), values, out=into[0])
    into[1].copy_(gradient.sum(dim=0))  # cast afterwards: a sum that casts copies all values first
    return multiply(gradient, weight)


def _norm_backward(
    gradient: torch.Tensor,
    saved: tuple[torch.Tensor, torch.Tensor, torch.Tensor, Any],
    weights: tuple[torch.Tensor, torch.Tensor],
    into: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    values, mean, inverse_deviation, _ = saved
    size = [values.shape[-1]]
    found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = aten.native_layer_norm_backward(
        gradient, values, size, mean, inverse_deviation, *weights, [True, True, True]
    )
    into[0].copy_(found[1])
    into[1].copy_(found[2])
    return found[0]
