"""Hidden states and projections, kept from a model's forward pass if an objective needs them."""

from collections.abc import Mapping
from typing import Any

import torch

from agnews_ray.engine.fused.families import Parts
from agnews_ray.engine.objective import ModelNeeds
from agnews_ray.errors import ModelError

Projections = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class AskedParts:
    """Keeps the hidden states and projections of the needed blocks.

    Queries, keys and values come from transformers' own block, which is not fused then: the fused
    block writes its parameters' gradients itself, and would overwrite those of another path through
    the same parameters.

    Args:
        found: the model's blocks, in their order.
        needs: the needed outputs.

    Raises:
        ModelError: a needed block does not exist.
    """

    def __init__(self, found: Mapping[torch.nn.Module, Parts], needs: ModelNeeds) -> None:
        self._hidden: dict[int, torch.Tensor] = {}
        self._projected: dict[int, dict[int, torch.Tensor]] = {}
        self._outputs_of: set[torch.nn.Module] = set()
        self._projections_of: set[torch.nn.Module] = set()
        self._hooks: list[Any] = []
        blocks = list(found)
        for number in needs.hidden_states:
            block = _block(blocks, number)
            self._outputs_of.add(block)
            self._hooks.append(block.register_forward_hook(self._catch_output(number)))
        for number in needs.projections:
            block = _block(blocks, number)
            self._projections_of.add(block)
            for place, linear in enumerate(found[block].projections):
                hook = self._catch_projection(number, place)
                self._hooks.append(linear.register_forward_hook(hook))

    def has_output_of(self, block: torch.nn.Module) -> bool:
        """Whether a block's output is needed, for every token."""
        return block in self._outputs_of

    def has_projections_of(self, block: torch.nn.Module) -> bool:
        """Whether a block's queries, keys and values are needed."""
        return block in self._projections_of

    def take(self) -> tuple[dict[int, torch.Tensor], dict[int, Projections]]:
        """Return the tensors of the latest pass, and forget them."""
        hidden, projected = self._hidden, self._projected
        self._hidden, self._projected = {}, {}
        return hidden, {number: (one[0], one[1], one[2]) for number, one in projected.items()}

    def release(self) -> None:
        """Stop keeping tensors."""
        for hook in self._hooks:
            hook.remove()

    def _catch_output(self, number: int) -> Any:
        def hook(_: torch.nn.Module, __: Any, output: Any) -> None:
            self._hidden[number] = output[0] if isinstance(output, tuple) else output

        return hook

    def _catch_projection(self, number: int, place: int) -> Any:
        def hook(_: torch.nn.Module, __: Any, output: torch.Tensor) -> None:
            self._projected.setdefault(number, {})[place] = output

        return hook


def _block(blocks: list[torch.nn.Module], number: int) -> torch.nn.Module:
    if not -len(blocks) <= number < len(blocks):
        hint = "use a model of a family in engine/fused/families.py, or blocks that it has"
        raise ModelError("objective", f"block {number} of the model", f"{len(blocks)} known", hint)
    return blocks[number]
