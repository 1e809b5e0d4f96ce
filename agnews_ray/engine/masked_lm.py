"""The masked language model: the cross-entropy of the tokens that were masked.

The encoder gives the last hidden states; the head then computes logits over the vocabulary only
for the tokens that need them, because the vocabulary is a hundred times as wide as the model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from agnews_ray.data.batches import NO_TOKEN
from agnews_ray.data.masking import MASKED_TOKENS
from agnews_ray.engine.objective import MEAN_MASKED, ModelNeeds, ModelOutput
from agnews_ray.engine.predict import autocast
from agnews_ray.errors import ModelError
from agnews_ray.spec.base import Precision

LAST_HIDDEN = ModelNeeds(hidden_states=(-1,), logits=False)
"""The output of the last block."""

MAX_LOGITS = 2**26
"""The number of logits that are computed at once; more are computed in chunks."""

Head = Callable[[torch.Tensor], torch.Tensor]
"""A function of hidden states, shape (N, H), that returns logits, shape (N, V)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedLM:
    """The mean cross-entropy, in nats, over the masked tokens of the global batch."""

    student: Any
    """The transformers model with a masked-language-model head that is trained."""
    precision: Precision = "fp32"
    """The precision of the head's matrix products."""
    is_recorded: bool = False
    """Whether steps may be recorded, so that logits are computed for all tokens: their number must
    not depend on values."""

    @property
    def parts(self) -> tuple[str, ...]:
        return ()

    @property
    def needs(self) -> ModelNeeds:
        return LAST_HIDDEN

    @property
    def targets(self) -> tuple[str, ...]:
        return (MASKED_TOKENS, MEAN_MASKED)

    def to(self, device: torch.device) -> "MaskedLM":  # noqa: ARG002  # the student is there
        return self

    def losses(
        self,
        output: ModelOutput,
        labels: torch.Tensor,  # noqa: ARG002  # the masked tokens are enough
        targets: Mapping[str, torch.Tensor],
    ) -> torch.Tensor:
        head, original = head_of(self.student), targets[MASKED_TOKENS]

        def of_tokens(hidden: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
            return hard_losses(head(hidden), wanted)[:, None]

        tensors = (output.hidden_states[-1], original)
        is_needed = original != NO_TOKEN
        size = chunk_size(self.student)
        with autocast(original.device, self.precision):
            sums = add_up_tokens(of_tokens, tensors, is_needed, size, is_static=self.is_recorded)
        return sums[:, 0] / targets[MEAN_MASKED]

    def denominator(self, labels: NDArray[np.int64]) -> float:
        return float(len(labels))


def head_of(model: Any) -> Head:
    """Find a model's masked-language-model head.

    Args:
        model: a transformers model.

    Returns:
        The head.

    Raises:
        ModelError: the model has no head of a known family.
    """
    for name in ("cls", "lm_head", "predictions"):  # BERT; RoBERTa and MPNet; ALBERT
        if isinstance(head := getattr(model, name, None), torch.nn.Module):
            return head
    if hasattr(model, "vocab_projector"):
        return lambda hidden: _distilberts_head(model, hidden)
    if hasattr(model, "generator_lm_head"):
        return lambda hidden: model.generator_lm_head(model.generator_predictions(hidden))
    hint = "choose a model of the BERT family"
    found = type(model).__name__
    raise ModelError("pretraining", "a known masked-language-model head", found, hint)


def chunk_size(model: Any) -> int:
    """Return the number of tokens whose logits are computed at once."""
    return max(1, MAX_LOGITS // int(model.config.vocab_size))


def hard_losses(logits: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
    """Compute the cross-entropy of N tokens in float32; 0 where nothing is predicted."""
    return cross_entropy(logits.float(), original, ignore_index=NO_TOKEN, reduction="none")


def add_up_tokens(
    of_tokens: Callable[..., torch.Tensor],
    tensors: Sequence[torch.Tensor],
    is_needed: torch.Tensor,
    size: int,
    *,
    is_static: bool,
) -> torch.Tensor:
    """Add up losses of tokens by row, in chunks.

    Args:
        of_tokens: the function of N tokens' tensors that returns shape (N, K), their losses.
        tensors: shape (B, L, ...) each, the tensors of all tokens.
        is_needed: shape (B, L): whether a token's losses are added up.
        size: the largest N.
        is_static: whether losses are computed for all tokens.

    Returns:
        Shape (B, K), float32: the sums.
    """
    num_rows, length = is_needed.shape
    chosen = is_needed.flatten()
    rows = torch.arange(num_rows, device=chosen.device).repeat_interleave(length)
    flat = [tensor.flatten(0, 1) for tensor in tensors]
    if not is_static:
        (index,) = chosen.nonzero(as_tuple=True)
        rows, chosen = rows[index], chosen[index]
        flat = [tensor.index_select(0, index) for tensor in flat]
    if len(rows) <= size:
        values = of_tokens(*flat)
    else:
        chunks = zip(*(torch.split(tensor, size) for tensor in flat), strict=True)
        values = torch.cat([of_tokens(*chunk) for chunk in chunks])
    sums = torch.zeros(num_rows, values.shape[1], device=values.device)
    return sums.index_add(0, rows, values * chosen[:, None])


def _distilberts_head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    transformed = model.vocab_layer_norm(model.activation(model.vocab_transform(hidden)))
    logits: torch.Tensor = model.vocab_projector(transformed)
    return logits
