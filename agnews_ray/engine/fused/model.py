"""A transformers model with fused blocks, cheap dropout and flat parameters in training.

The modules of the model keep their names and parameters; only their ``forward`` is replaced during
training. Modules that do not belong to the BERT family are not changed.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from agnews_ray.engine.fused.asked import AskedParts
from agnews_ray.engine.fused.block import BlockTensors
from agnews_ray.engine.fused.decay import decaying
from agnews_ray.engine.fused.embeddings import WordEmbeddings
from agnews_ray.engine.fused.exchange import Exchange
from agnews_ray.engine.fused.families import (
    FIRST_TOKEN_CLASSIFIERS,
    LOOKED_UP_ONLY,
    find_blocks,
)
from agnews_ray.engine.fused.patching import (
    Sizes,
    cheapen_dropout,
    fuse_block,
    share_position_bias,
    shorten_block,
)
from agnews_ray.engine.fused.weights import Segment
from agnews_ray.engine.objective import LOGITS_ONLY, ModelNeeds, ModelOutput
from agnews_ray.engine.results import Rank
from agnews_ray.spec.recipe import RecipeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The demands on a prepared model."""

    needs: ModelNeeds = LOGITS_ONLY
    """The outputs that an objective needs beside logits."""
    is_recorded: bool = False
    """Whether steps may be recorded; the cheaper methods for a CPU are not used then, because they
    read values on the host."""
    adds_up: bool = False
    """Whether gradients of several passes are added up between two calls of ``zero``."""


Flat = tuple[torch.Tensor, torch.Tensor]
"""Shape (elements,) each: one number per element of a model's matrices, and of its vectors, in the
layout of the values."""


class FusedModel:
    """A model prepared for training; ``release`` undoes it.

    Args:
        model: a transformers classifier in float32, already on its device; an encoder, with or
            without another head, if the needs are without logits.
        dtype: the type of matrix products.
        recipe: the recipe, for the word embeddings, which are updated separately on a CPU.
        num_steps: the number of updates of the whole trial, likewise.
        rank: this rank.
        wanted: the demands on the prepared model.

    Raises:
        ModelError: the model does not have the needed blocks, or they are not supported.
    """

    def __init__(
        self,
        model: Any,
        dtype: torch.dtype,
        recipe: RecipeSpec,
        num_steps: int,
        rank: Rank,
        wanted: Wanted = Wanted(),
    ) -> None:
        self.model = model
        is_cpu = model.device.type == "cpu" and not wanted.is_recorded
        found = dict(find_blocks(model))
        self._asked = AskedParts(found, wanted.needs)
        self._needs_logits = wanted.needs.logits
        self._runs = model if wanted.needs.logits else model.base_model
        """What a forward pass runs: without logits, no head."""
        is_trained = any(p.requires_grad for p in self._runs.parameters())
        self._is_frozen = not self._needs_logits and not is_trained
        """Whether only a head is trained, outside this forward pass."""
        shortened = self._asked.shortened
        blocks = {
            module: parts
            for module, parts in found.items()
            if parts.is_fusable
            and not self._asked.has_projections_of(module)
            and module not in shortened
        }
        words: Any = model.get_input_embeddings()
        self.embeddings = None
        decays = {id(parameter) for parameter in decaying(model)}
        is_looked_up = bool(blocks or shortened) or type(model).__name__ in LOOKED_UP_ONLY
        is_looked_up = is_looked_up and not _is_tied(model, words)
        if is_cpu and is_looked_up and words.weight.requires_grad and id(words.weight) in decays:
            self.embeddings = WordEmbeddings(words, recipe, num_steps)
            words.forward = self.embeddings.look_up
            self._hook = words.register_state_dict_pre_hook(self._finish_words)
        apart = {id(words.weight)} if self.embeddings else set()
        trained = [p for p in model.parameters() if p.requires_grad and id(p) not in apart]
        leading = [p for parts in blocks.values() for p in parts.matrices]
        self._exchange = Exchange(rank)
        of_matrices = [p for p in trained if id(p) in decays]
        self.matrices = _segment(of_matrices, leading, dtype, rank.device, self._exchange)
        leading = [p for parts in blocks.values() for p in parts.vectors]
        of_vectors = [p for p in trained if id(p) not in decays]
        self.vectors = _segment(of_vectors, leading, dtype, rank.device)
        self.is_fused = bool(found) and len(blocks) + len(shortened) == len(found)
        """Whether there are blocks and all that are computed as a whole are fused."""
        self._adds_up = wanted.adds_up or any(parts.num_uses > 1 for parts in blocks.values())
        once: dict[Sizes, BlockTensors] | None = {} if self._adds_up else None
        forward_of = [*blocks, *shortened, *([words] if self.embeddings else [])]
        self._patched = [(module, "forward") for module in forward_of]
        self._patched += share_position_bias(model)
        looks_at_first = type(model).__name__ in FIRST_TOKEN_CLASSIFIERS
        for module, parts in blocks.items():
            is_last = module is list(found)[-1]
            is_first_only = looks_at_first and is_last and not self._asked.has_output_of(module)
            settings = dataclasses.replace(parts.settings, is_first_only=is_first_only)
            fuse_block(module, parts, settings, (self.matrices, self.vectors), once)
        for module in shortened:
            is_projected = self._asked.has_projections_of(module)
            shorten_block(module, found[module], is_projected=is_projected)
        self._dropouts = cheapen_dropout(model) if is_cpu else []

    def compute(self, input_ids: torch.Tensor, mask: torch.Tensor | None) -> ModelOutput:
        """Compute a forward pass.

        Args:
            input_ids: shape (B, L), the token ids.
            mask: shape (B, L), 1 for tokens; None if nothing is padded.

        Returns:
            The needed outputs; those of an encoder of which nothing is trained are without dropout.
        """
        used = mask
        if mask is not None and self.is_fused:
            used = mask[:, None, None, :].bool()  # else transformers would read its values
        if self._is_frozen:
            self._runs.eval()
        self._asked.start()
        with torch.no_grad() if self._is_frozen else nullcontext():
            output = self._runs(input_ids=input_ids, attention_mask=used)
        logits = output.logits if self._needs_logits else torch.empty(0, device=input_ids.device)
        hidden_states, projections = self._asked.take()
        return ModelOutput(
            logits=logits,
            hidden_states=hidden_states,
            projections=projections,
            input_ids=input_ids,
            attention_mask=mask,
        )

    def zero(self) -> None:
        """Set gradients that are added up to zero; a block that is used once overwrites its own."""
        if self._adds_up:
            self.matrices.mirror_gradient.zero_()
        self.matrices.gradient[self.matrices.num_mirrored_elements :].zero_()
        self.vectors.gradient.zero_()

    def add_up_ranks(self) -> None:
        """Sum gradients over ranks; those in shared memory are summed by ``Segment.collect``."""
        rest = self.matrices.gradient[self.matrices.num_mirrored_elements :]
        table = [self.embeddings.gradient] if self.embeddings else []
        parts = [rest, self.vectors.gradient, *table]
        flat = torch.cat([part.reshape(-1) for part in parts])
        self._exchange.add_up(flat)  # also waits for the gradients of all ranks
        for part, summed in zip(parts, torch.split(flat, [p.numel() for p in parts]), strict=True):
            part.copy_(summed.view_as(part))
        if not self.matrices.is_shared:
            dist.all_reduce(self.matrices.mirror_gradient)

    def gradient_norm(self) -> torch.Tensor:
        """Convert all gradients to float32, each once, and compute their global L2 norm."""
        of_matrices: torch.Tensor = torch.linalg.vector_norm(self.matrices.collect())
        if self.matrices.is_shared:
            square = of_matrices.square()
            self._exchange.add_up(square)
            of_matrices = square.sqrt()
        others = [self.vectors.gradient, *([self.embeddings.gradient] if self.embeddings else [])]
        norms = [of_matrices, *(torch.linalg.vector_norm(part) for part in others)]
        whole: torch.Tensor = torch.linalg.vector_norm(torch.stack(norms))
        return whole

    def refresh(self) -> None:
        """Cast the updated parameters for the next step."""
        self.matrices.refresh()
        self.vectors.refresh()

    def trained(self) -> list[tuple[str, torch.Tensor]]:
        """Return all trained parameters with their names, lazily updated words included."""
        return [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]

    def name_of(self, parameter: torch.Tensor) -> str:
        """Return a parameter's name in the model."""
        names: dict[torch.Tensor, str] = {p: name for name, p in self.model.named_parameters()}
        return names[parameter]

    def values(self) -> Flat:
        """Return the values of matrices and vectors, in their layout."""
        return self.matrices.values, self.vectors.values

    def by_name(self, flat: Flat) -> dict[str, torch.Tensor]:
        """Split tensors in the layout of the values by parameter, without lazily updated words.

        Args:
            flat: the tensors for matrices and for vectors.

        Returns:
            Views by parameter name, each in the parameter's shape.
        """
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        segments = zip((self.matrices, self.vectors), flat, strict=True)
        return {names[p]: part for segment, one in segments for p, part in segment.parts(one)}

    def laid_out(self, tensors: Mapping[str, torch.Tensor]) -> Flat:
        """Join tensors in the layout of the values: the inverse of ``by_name``."""
        flat = tuple(torch.zeros_like(values) for values in self.values())
        for name, part in self.by_name((flat[0], flat[1])).items():
            part.copy_(tensors[name])
        return flat[0], flat[1]

    def load(self, flat: Flat) -> None:
        """Load values; ranks that share them make the same call."""
        for segment, values in zip((self.matrices, self.vectors), flat, strict=True):
            segment.load(values)

    def _finish_words(self, *_of_hook: Any) -> None:
        """Bring all words up to date before the model's state dictionary is made."""
        if self.embeddings:
            self.embeddings.finish()

    def release(self) -> None:
        """Restore the model as transformers made it, with the trained values."""
        if self.embeddings:
            self._hook.remove()
            self.embeddings.finish()
        self._asked.release()
        for module, name in self._patched:
            delattr(module, name)
        for parent, name, module in self._dropouts:
            setattr(parent, name, module.train(parent.training))
        self.matrices.release()
        self.vectors.release()


@contextmanager
def fused_model(model: Any, *arguments: Any, **named: Any) -> Iterator[FusedModel]:
    """Prepare a model for training, and restore it afterwards as transformers made it.

    Args:
        model: the first argument of ``FusedModel``.
        arguments: its other positional arguments.
        named: its keyword arguments.

    Yields:
        The prepared model. An error in the context is raised unchanged, even if restoring fails
        too: a GPU that has failed fails at everything.
    """
    fused = FusedModel(model, *arguments, **named)
    try:
        yield fused
    except BaseException:
        with suppress(Exception):
            fused.release()
        raise
    fused.release()


def _is_tied(model: Any, words: torch.nn.Module) -> bool:
    """Whether a language model's head computes with the word embeddings too."""
    head = model.get_output_embeddings()
    return head is not None and head.weight is words.weight


def _segment(
    trained: list[torch.Tensor],
    leading: list[torch.Tensor],
    dtype: torch.dtype,
    device: torch.device,
    exchange: Exchange | None = None,
) -> Segment:
    placed = {id(p) for p in leading}
    others = [p for p in trained if id(p) not in placed]
    return Segment([*leading, *others], len(leading), dtype, device, exchange)
