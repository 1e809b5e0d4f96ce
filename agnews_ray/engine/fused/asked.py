"""Hidden states and projections, kept from a model's forward pass if an objective needs them."""

from collections.abc import Mapping
from typing import Any

import torch

from agnews_ray.engine.fused.families import Parts
from agnews_ray.engine.objective import ModelNeeds
from agnews_ray.errors import ModelError

Projections = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

Use = tuple[torch.nn.Module, int]
"""A block, and the number of its use in a pass: ALBERT's layers share one block."""


class AskedParts:
    """Keeps the hidden states and projections of the needed blocks.

    Queries, keys and values come from transformers' own block, which is not fused then: the fused
    block writes its parameters' gradients itself, and would overwrite those of another path through
    the same parameters.

    Args:
        found: the model's blocks.
        needs: the needed outputs.

    Raises:
        ModelError: a needed block does not exist.
    """

    def __init__(self, found: Mapping[torch.nn.Module, Parts], needs: ModelNeeds) -> None:
        uses = {
            layer: (block, use)
            for block, parts in found.items()
            for use, layer in enumerate(parts.uses)
        }
        self._hidden = {number: _use(uses, number) for number in needs.hidden_states}
        self._projected = {number: _use(uses, number) for number in needs.projections}
        self.shortened = set() if needs.logits else _unneeded(_in_order(uses), needs)
        """The blocks whose output nobody needs; of one of them, projections may be needed."""
        self._outputs: dict[torch.nn.Module, list[torch.Tensor]] = {}
        """The outputs of each needed module in the latest pass, one for each of its uses."""
        modules = {block for block, _ in self._hidden.values()}
        self._linears = {block: found[block].projections for block, _ in self._projected.values()}
        modules |= {linear for linears in self._linears.values() for linear in linears}
        self._is_catching = False
        self._hooks = [module.register_forward_hook(self._catch) for module in modules]

    def has_output_of(self, block: torch.nn.Module) -> bool:
        """Whether a block's output is needed, for every token."""
        return any(block is one for one, _ in self._hidden.values())

    def has_projections_of(self, block: torch.nn.Module) -> bool:
        """Whether a block's queries, keys and values are needed."""
        return block in self._linears

    def start(self) -> None:
        """Keep the tensors of the next pass; those of others, such as validation, are not kept."""
        self._is_catching = True

    def take(self) -> tuple[dict[int, torch.Tensor], dict[int, Projections]]:
        """Return the tensors of the pass, and forget them."""
        self._is_catching = False
        outputs = dict(self._outputs)
        self._outputs.clear()
        hidden = {number: outputs[block][use] for number, (block, use) in self._hidden.items()}
        projected = {}
        for number, (block, use) in self._projected.items():
            query, key, value = (outputs[linear][use] for linear in self._linears[block])
            projected[number] = (query, key, value)
        return hidden, projected

    def release(self) -> None:
        """Stop keeping tensors."""
        for hook in self._hooks:
            hook.remove()

    def _catch(self, module: torch.nn.Module, _: Any, output: Any) -> None:
        if not self._is_catching:
            return
        kept = output[0] if isinstance(output, tuple) else output
        self._outputs.setdefault(module, []).append(kept)


def _in_order(uses: Mapping[int, Use]) -> list[torch.nn.Module]:
    return [uses[layer][0] for layer in sorted(uses)]


def _unneeded(blocks: list[torch.nn.Module], needs: ModelNeeds) -> set[torch.nn.Module]:
    """Find the blocks whose output is not needed, for models that compute no logits.

    A block that is used several times in a pass is always computed as a whole.
    """
    count = len(blocks)
    if len(set(blocks)) < count:
        return set()
    hidden = max((number % count for number in needs.hidden_states), default=-1)
    projected = max((number % count for number in needs.projections), default=-1)
    return set(blocks[max(hidden + 1, projected) :])


def _use(uses: Mapping[int, Use], number: int) -> Use:
    if not -len(uses) <= number < len(uses):
        hint = "use a model of a family in engine/fused/families.py, or blocks that it has"
        raise ModelError("objective", f"block {number} of the model", f"{len(uses)} known", hint)
    return uses[number % len(uses)]
