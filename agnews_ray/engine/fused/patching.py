"""The replaced parts of a model while it is trained: blocks, biases by position, dropout."""

import dataclasses
from typing import Any

import torch

from agnews_ray.engine.fused.block import Block, BlockSettings, BlockTensors, run_block
from agnews_ray.engine.fused.dropout import CheapDropout
from agnews_ray.engine.fused.families import Parts, find_position_encoders
from agnews_ray.engine.fused.weights import Segment

Sizes = tuple[torch.Size, ...]
"""The sizes of a block's parameters."""


def fuse_block(
    module: Any,
    parts: Parts,
    settings: BlockSettings,
    segments: tuple[Segment, Segment],
    once: dict[Sizes, BlockTensors] | None = None,
) -> None:
    """Replace a block's forward pass by the fused one.

    Args:
        module: transformers' block; ``del module.forward`` undoes it.
        parts: the modules of the block.
        settings: the sizes and rates of the block.
        segments: the flat buffers that hold its parameters, those that decay first.
        once: the tensors for the gradients of one use, which are then added up, by their sizes, for
            all blocks of a model; None: each use overwrites the gradients.
    """
    matrices, vectors = segments
    weights, gradients = [], []
    query, key, value = parts.projections
    for group in ((query,), (key, value), (parts.out,), (parts.up,), (parts.down,)):
        span = matrices.span([linear.weight for linear in group])
        size = (-1, group[0].in_features)
        bias_span = vectors.span([linear.bias for linear in group])
        weights += [matrices.mirror[span].view(size), vectors.mirror[bias_span]]
        gradients += [matrices.mirror_gradient[span].view(size), vectors.gradient[bias_span]]
    for norm in parts.norms:
        for parameter in (norm.weight, norm.bias):
            span = vectors.span([parameter])
            weights.append(vectors.values.detach()[span])
            gradients.append(vectors.gradient[span])
    block = Block(BlockTensors(*weights), BlockTensors(*gradients), settings)
    if once is not None:
        block = dataclasses.replace(
            block, gradients=_of_one_use(gradients, once), sums=block.gradients
        )

    def forward(hidden: torch.Tensor, attention_mask: Any = None, *others: Any, **_: Any) -> Any:
        if module.training and not hidden.requires_grad:  # what comes before is frozen
            hidden = hidden.detach().requires_grad_()
        bias = bias_of(attention_mask)
        if not parts.is_biased_by_position:
            return run_block(hidden, bias, None, block, module.training)
        position_bias = others[0][:, :, :1] if settings.is_first_only else others[0]
        return (run_block(hidden, bias, position_bias, block, module.training),)

    module.forward = forward


def _of_one_use(gradients: list[torch.Tensor], once: dict[Sizes, BlockTensors]) -> BlockTensors:
    """Return the tensors for one use's gradients; blocks of the same sizes share them."""
    sizes = tuple(gradient.shape for gradient in gradients)
    if sizes not in once:
        once[sizes] = BlockTensors(*(torch.empty_like(gradient) for gradient in gradients))
    return once[sizes]


def shorten_block(module: Any, parts: Parts, *, is_projected: bool) -> None:
    """Have a block return its input, because nobody needs its output.

    Args:
        module: transformers' block; ``del module.forward`` undoes it.
        parts: the modules of the block.
        is_projected: whether the block still computes its queries, keys and values, by its own
            modules, whose hooks see them.
    """

    def forward(hidden: torch.Tensor, *_: Any, **__: Any) -> Any:
        for linear in parts.projections if is_projected else ():
            linear(hidden.to(linear.weight.dtype))
        return (hidden,) if parts.is_biased_by_position else hidden

    module.forward = forward


def bias_of(attention_mask: torch.Tensor | None) -> torch.Tensor | None:
    """A mask of shape (B, 1, 1, L) for one of (B, 1, L or 1, L): the same for each query."""
    if attention_mask is None:
        return None
    of_keys = attention_mask[:, :, :1]
    is_padding = ~of_keys if of_keys.dtype == torch.bool else of_keys < 0
    bias = torch.zeros(is_padding.shape, device=attention_mask.device)
    return bias.masked_fill_(is_padding, -torch.inf)


def share_position_bias(model: torch.nn.Module) -> list[tuple[Any, str]]:
    """Have biases by position computed once for all rows; returns what was replaced where."""
    found = find_position_encoders(model)
    for encoder in found:
        compute = encoder.compute_position_bias  # copies it for each row
        encoder.compute_position_bias = lambda hidden, compute=compute: compute(hidden[:1])
    return [(encoder, "compute_position_bias") for encoder in found]


def cheapen_dropout(model: torch.nn.Module) -> list[tuple[torch.nn.Module, str, Any]]:
    """Replace every dropout; returns where each one was."""
    found: list[tuple[torch.nn.Module, str, Any]] = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, torch.nn.Dropout)
    ]
    for parent, name, child in found:
        setattr(parent, name, CheapDropout(child.p).train(child.training))
    return found
