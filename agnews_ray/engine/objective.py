"""Objectives, which training minimises; every engine uses them.

An objective computes a loss per row from a model's output, labels and further targets.
Cross-entropy is the first; another one may need more of the model than its logits, and more of
the data than labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.data.batches import NO_TOKEN, TokenisedRows
from agnews_ray.data.masking import MASKED_TOKENS
from agnews_ray.data.tensors import Batch
from agnews_ray.errors import DataError
from agnews_ray.spec.recipe import RecipeSpec

MEAN_TOKENS, MEAN_MASKED = "mean_tokens", "mean_masked"
"""Targets of shape (B,), float32, that a masked batch has without bringing them along: the number
of tokens, and of masked tokens (at least one in a batch), per row of the global batch. A row's sum
over tokens divided by it adds up, over all ranks, to the mean over the tokens of the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNeeds:
    """The outputs of a model that an objective needs beside logits; blocks are counted from 0.

    Negative numbers count from the last block, which is -1.
    """

    hidden_states: tuple[int, ...] = ()
    """The blocks whose output is needed, for every token."""
    projections: tuple[int, ...] = ()
    """The blocks whose queries, keys and values are needed."""
    logits: bool = True
    """Whether logits are needed; without, no head is computed, nor what follows the last needed
    block or projections."""


LOGITS_ONLY = ModelNeeds()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutput:
    """A model's output for B rows of L tokens; keys are block numbers as in ``ModelNeeds``."""

    logits: torch.Tensor
    """Shape (B, C): the logits; empty if they are not needed."""
    hidden_states: Mapping[int, torch.Tensor] = field(default_factory=dict)
    """Shape (B, L, H) each: the output of each needed block."""
    projections: Mapping[int, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = field(
        default_factory=dict
    )
    """Shape (B, L, H) each: the queries, keys and values of each needed block."""
    input_ids: torch.Tensor | None = None
    """Shape (B, L): what the model has read, for a teacher that reads the same."""
    attention_mask: torch.Tensor | None = None
    """Shape (B, L): 1 for tokens, 0 for padding; None if no row is padded."""


class Objective(Protocol):
    """A function to minimise: over a batch, the sum of its losses divided by ``denominator``."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the P parts of the loss that are logged beside it; often there are none."""

    @property
    def needs(self) -> ModelNeeds:
        """The outputs that the model must return."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the tensors that the rows must have beside labels."""

    def to(self, device: torch.device) -> "Objective":
        """Return the same objective with its tensors on a device."""

    def losses(
        self, output: ModelOutput, labels: torch.Tensor, targets: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """Compute each row's loss, without reading a value from the device.

        Args:
            output: the model's output, in its own precision.
            labels: shape (B,), the class ids.
            targets: the further tensors by name, each with B rows.

        Returns:
            Shape (B,), float32: the losses; with P parts shape (B, 1 + P), of which the first
            column is minimised and the others are only logged, as the loss is.
        """

    def denominator(self, labels: NDArray[np.int64]) -> float:
        """Compute the number by which the sum of a global batch's losses is divided.

        Args:
            labels: shape (rows,), the class ids of the global batch.

        Returns:
            The number of rows, or the sum of their weights; above 0.
        """


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Cross-entropy of the softmax in nats, as ``torch.nn.functional.cross_entropy`` defines it."""

    label_smoothing: float = 0.0
    """The share of a row's target that is spread evenly over all classes, in [0, 1)."""
    class_weights: torch.Tensor | None = None
    """Shape (C,), float32: the weights of the classes, all 1 if None; a batch's sum of weighted
    losses is divided by the sum of its rows' weights."""

    @classmethod
    def of(cls, recipe: RecipeSpec, class_weights: Sequence[float] | None) -> "CrossEntropy":
        """Make a recipe's objective.

        Args:
            recipe: the recipe, which has the label smoothing.
            class_weights: the C planned weights; None for none.

        Returns:
            The objective, on the CPU.
        """
        weights = None if class_weights is None else torch.tensor(class_weights)
        return cls(recipe.label_smoothing, weights)

    @property
    def parts(self) -> tuple[str, ...]:
        return ()

    @property
    def needs(self) -> ModelNeeds:
        return LOGITS_ONLY

    @property
    def targets(self) -> tuple[str, ...]:
        return ()

    def to(self, device: torch.device) -> "CrossEntropy":
        if self.class_weights is None:
            return self
        return replace(self, class_weights=self.class_weights.to(device))

    def losses(
        self,
        output: ModelOutput,
        labels: torch.Tensor,
        targets: Mapping[str, torch.Tensor],  # noqa: ARG002  # labels are enough
    ) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(
            output.logits.float(),
            labels,
            weight=self.class_weights,
            label_smoothing=self.label_smoothing,
            reduction="none",
        )

    def denominator(self, labels: NDArray[np.int64]) -> float:
        if self.class_weights is None:
            return float(len(labels))
        return float(self.class_weights.double().numpy()[labels].sum())


PLAIN = CrossEntropy()


def weigh(share: Batch, batch: TokenisedRows, objective: Objective) -> Batch:
    """Prepare one rank's share of a global batch for an objective.

    Args:
        share: the rank's share; the weight of its rows is 1 / rows of the global batch.
        batch: the global batch.
        objective: the objective, with tensors on the CPU, so that nothing waits for a device.

    Returns:
        The share with only the targets that the objective needs. Its rows' weights are such that
        all ranks' losses add up to the objective of the global batch.

    Raises:
        DataError: the rows lack a target.
    """
    means = {name: torch.full_like(share.row_weights, mean) for name, mean in _means(batch).items()}
    targets = needed_targets(objective, share.targets | means)
    denominator = objective.denominator(batch.labels)
    if denominator == len(batch):
        return replace(share, targets=targets)
    return replace(
        share, row_weights=share.row_weights * (len(batch) / denominator), targets=targets
    )


def _means(batch: TokenisedRows) -> dict[str, float]:
    """Compute the targets that losses of tokens are divided by; see ``MEAN_TOKENS``."""
    masked = batch.token_targets.get(MASKED_TOKENS)
    if masked is None:
        return {}
    num_masked = max(1, int((masked != NO_TOKEN).sum()))
    return {MEAN_TOKENS: len(batch.ids) / len(batch), MEAN_MASKED: num_masked / len(batch)}


def needed_targets(objective: Objective, targets: Mapping[str, Any]) -> dict[str, Any]:
    """Select the targets that an objective needs.

    Args:
        objective: the objective.
        targets: the targets that the rows have, by name.

    Returns:
        The needed ones.

    Raises:
        DataError: the rows lack a target.
    """
    if absent := [name for name in objective.targets if name not in targets]:
        there = ", ".join(sorted(targets)) or "none"
        hint = "make the rows with that target, or choose another objective"
        raise DataError("train split", f"the target {absent[0]!r} of each row", there, hint)
    return {name: targets[name] for name in objective.targets}
