"""DistilBERT's triple loss (Sanh et al. 2019, arXiv 1910.01108).

It is the weighted sum of soft targets over the vocabulary, the masked language model, and the
cosine distance between the last hidden states. The teacher reads the same masked tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.data.batches import NO_TOKEN
from agnews_ray.data.masking import MASKED_TOKENS
from agnews_ray.engine.fused.teacher import Teacher
from agnews_ray.engine.kl import over_vocabulary
from agnews_ray.engine.masked_lm import (
    LAST_HIDDEN,
    add_up_tokens,
    chunk_size,
    head_of,
)
from agnews_ray.engine.objective import MEAN_MASKED, MEAN_TOKENS, ModelNeeds, ModelOutput
from agnews_ray.engine.predict import autocast
from agnews_ray.errors import ModelError
from agnews_ray.model.artifact import DTYPES
from agnews_ray.spec.base import Precision
from agnews_ray.spec.distillation import PretrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleLoss:
    """The weighted sum of three means over tokens of the global batch.

    The soft targets' is T² x KL(teacher || student, both softened by T), over all tokens but
    padding, or over the masked ones; the masked language model's is over the masked tokens; the
    cosine distance's is over all tokens but padding.
    """

    student: Any
    """The transformers model with a masked-language-model head that is trained."""
    teacher: Teacher
    """The teacher, with such a head too."""
    temperature: float
    soft_weight: float
    masked_lm_weight: float
    cosine_weight: float
    """The weight of the cosine distance; with 0 it is not computed, and widths may differ."""
    soft_tokens: Literal["all", "masked"]
    """The tokens with soft targets."""
    precision: Precision
    """The precision of the heads' matrix products."""
    is_recorded: bool
    """Whether steps may be recorded; see ``MaskedLM``."""

    @classmethod
    def of(
        cls,
        spec: PretrainingSpec,
        student: Any,
        teacher: Any,
        precision: Precision,
        is_recorded: bool,
    ) -> "TripleLoss":
        """Make the objective of a pre-training.

        Args:
            spec: the temperature, weights and tokens.
            student: the transformers model to train, with a masked-language-model head.
            teacher: the same of the teacher; it is used up.
            precision: the precision of matrix products.
            is_recorded: whether steps may be recorded.

        Returns:
            The objective.

        Raises:
            ModelError: the vocabularies or the widths differ, or a model is of no known family.
        """
        _check(student, teacher, has_cosine=spec.cosine_weight > 0)
        dtype, head = DTYPES[precision], teacher.get_output_embeddings()
        held = Teacher(teacher, LAST_HIDDEN, dtype)
        # A copy: in the original the word embeddings are often the same tensor.
        head.weight = torch.nn.Parameter(head.weight.to(dtype), requires_grad=False)
        return cls(
            student=student,
            teacher=held,
            temperature=spec.temperature,
            soft_weight=spec.soft_weight,
            masked_lm_weight=spec.masked_lm_weight,
            cosine_weight=spec.cosine_weight,
            soft_tokens=spec.soft_tokens,
            precision=precision,
            is_recorded=is_recorded,
        )

    @property
    def parts(self) -> tuple[str, ...]:
        return ("soft targets", "masked LM", *(["cosine"] if self.cosine_weight else []))

    @property
    def needs(self) -> ModelNeeds:
        return LAST_HIDDEN

    @property
    def targets(self) -> tuple[str, ...]:
        return (MASKED_TOKENS, MEAN_MASKED, MEAN_TOKENS)

    def to(self, device: torch.device) -> "TripleLoss":
        return replace(self, teacher=self.teacher.to(device))

    def losses(
        self,
        output: ModelOutput,
        labels: torch.Tensor,  # noqa: ARG002  # tokens are enough
        targets: Mapping[str, torch.Tensor],
    ) -> torch.Tensor:
        if output.input_ids is None:
            raise ValueError("the teacher reads input_ids, and the output has none")
        original, mask = targets[MASKED_TOKENS], output.attention_mask
        hidden = output.hidden_states[-1]
        taught = self.teacher.compute(output.input_ids, mask).hidden_states[-1]
        is_token = torch.ones_like(original) if mask is None else mask
        is_needed = is_token > 0 if self.soft_tokens == "all" else original != NO_TOKEN
        soft_mean = targets[MEAN_TOKENS if self.soft_tokens == "all" else MEAN_MASKED]
        # The means are the same for each row. The sums are divided by the one of soft targets.
        ratio = (soft_mean / targets[MEAN_MASKED])[0]
        weights = torch.stack(
            [torch.full_like(ratio, self.soft_weight), self.masked_lm_weight * ratio]
        )
        of_tokens = partial(self._over_vocabulary, weights=weights)
        with autocast(original.device, self.precision):
            sums = add_up_tokens(
                of_tokens, (hidden, taught, original), is_needed, chunk_size(self.student),
                is_static=self.is_recorded,
            )  # fmt: skip
        loss = sums[:, 0] / soft_mean
        parts = [sums[:, 1] / soft_mean, sums[:, 2] / targets[MEAN_MASKED]]
        if self.cosine_weight:
            distances = 1 - torch.cosine_similarity(hidden.float(), taught.float(), dim=2)
            parts.append((distances * is_token).sum(dim=1) / targets[MEAN_TOKENS])
            loss = loss + self.cosine_weight * parts[2]
        return torch.stack([loss, *(part.detach() for part in parts)], dim=1)

    def denominator(self, labels: NDArray[np.int64]) -> float:
        return float(len(labels))

    def _over_vocabulary(
        self,
        hidden: torch.Tensor,
        taught: torch.Tensor,
        original: torch.Tensor,
        weights: torch.Tensor,
    ) -> torch.Tensor:
        """Compute the weighted, the soft and the hard loss of N tokens: shape (N, 3)."""
        logits = head_of(self.student)(hidden)
        with torch.no_grad():
            wanted = head_of(self.teacher.model)(taught)
        return torch.stack(
            over_vocabulary(logits, wanted, original, self.temperature, weights), dim=1
        )


def _check(student: Any, teacher: Any, *, has_cosine: bool) -> None:
    sizes = [("vocabulary", "vocab_size", "make the student from the teacher")]
    if has_cosine:
        sizes.append(("hidden size", "hidden_size", "set cosine_weight to 0, or change the width"))
    for name, field, hint in sizes:
        found, wanted = (getattr(model.config, field) for model in (student, teacher))
        if found != wanted:
            wanted = f"the teacher's {name} of {wanted}"
            raise ModelError("distilbert", wanted, f"{found}", hint)
