"""A frozen encoder that teaches: it is computed as far as an objective needs it, and no further."""

from typing import Any

import torch

from agnews_ray.engine.fused.asked import AskedParts
from agnews_ray.engine.fused.block import Block, BlockTensors, run_block
from agnews_ray.engine.fused.families import Parts, find_blocks
from agnews_ray.engine.fused.patching import bias_of, share_position_bias, shorten_block
from agnews_ray.engine.objective import ModelNeeds, ModelOutput
from agnews_ray.errors import ModelError


class Teacher:
    """A frozen encoder, always in evaluation mode, whose blocks are those of the fast engine.

    Its blocks' matrices are cast once to the precision of the training, in place.

    Args:
        model: a transformers model of a known family, which is no longer used elsewhere.
        needs: the outputs of the encoder that an objective needs, without logits.
        dtype: the type of the matrix products.

    Raises:
        ModelError: the model does not have the needed blocks, or they are not supported.
    """

    def __init__(self, model: Any, needs: ModelNeeds, dtype: torch.dtype) -> None:
        self.model = model.requires_grad_(False)
        self._needs, self._dtype = needs, dtype
        found = dict(find_blocks(model.base_model))
        self._asked = AskedParts(found, needs)
        share_position_bias(model)
        for module, parts in found.items():
            _check(parts)
            _cast(parts, dtype)
            if module in self._asked.shortened:
                is_projected = self._asked.has_projections_of(module)
                shorten_block(module, parts, is_projected=is_projected)
            else:
                _freeze_block(module, parts)

    def to(self, device: torch.device) -> "Teacher":
        """Move the teacher to a device; this one cannot be used afterwards."""
        if self.model.device == device:
            return self
        self._asked.release()
        return Teacher(self.model.to(device), self._needs, self._dtype)

    @torch.no_grad()
    def compute(self, input_ids: torch.Tensor, mask: torch.Tensor | None) -> ModelOutput:
        """Compute the needed outputs.

        Args:
            input_ids: shape (B, L), the token ids.
            mask: shape (B, L), 1 for tokens; None if nothing is padded.

        Returns:
            The outputs, without gradients.
        """
        self.model.eval()  # whoever has called train() on it
        used = None if mask is None else mask[:, None, None, :].bool()
        self._asked.start()
        self.model.base_model(input_ids=input_ids, attention_mask=used)
        hidden_states, projections = self._asked.take()
        none = torch.empty(0, device=input_ids.device)
        return ModelOutput(logits=none, hidden_states=hidden_states, projections=projections)


def _check(parts: Parts) -> None:
    if not parts.has_known_activation:
        found = type(parts.activation).__name__
        raise ModelError("teacher", "a GELU in its blocks", found, "choose another teacher")
    if parts.num_uses > 1:
        found = "a block that several layers share"
        raise ModelError("teacher", "a block of its own per layer", found, "choose another teacher")


def _cast(parts: Parts, dtype: torch.dtype) -> None:
    for linear in (*parts.projections, parts.out, parts.up, parts.down):
        linear.to(dtype)


def _freeze_block(module: Any, parts: Parts) -> None:
    """Replace a block's forward pass by the fused one, without dropout and gradients."""
    query, key, value = parts.projections
    w = BlockTensors(
        query.weight, query.bias,
        torch.cat([key.weight, value.weight]), torch.cat([key.bias, value.bias]),
        *(p for linear in (parts.out, parts.up, parts.down) for p in (linear.weight, linear.bias)),
        *(p for norm in parts.norms for p in (norm.weight, norm.bias)),
    )  # fmt: skip
    block = Block(w, w, parts.settings)

    def forward(hidden: torch.Tensor, attention_mask: Any = None, *others: Any, **_: Any) -> Any:
        position_bias = others[0] if parts.is_biased_by_position else None
        output = run_block(hidden, bias_of(attention_mask), position_bias, block, False)
        return (output,) if parts.is_biased_by_position else output

    module.forward = forward
