"""What a training minimises, as a part of its own that every engine uses.

An objective turns what a model gives, labels and further targets into a loss per row. Cross-entropy
is the first; another one may ask the model for more than its logits, and the data for more than
labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.data.batches import Batch, TokenisedRows
from agnews_ray.errors import DataError
from agnews_ray.spec.recipe import RecipeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNeeds:
    """What an objective asks of a model beside its logits; blocks are counted from 0.

    A negative number counts from the last block, which is -1.
    """

    hidden_states: tuple[int, ...] = ()
    """Blocks whose output is wanted, of every token."""
    projections: tuple[int, ...] = ()
    """Blocks whose queries, keys and values are wanted."""


LOGITS_ONLY = ModelNeeds()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutput:
    """What a model gave for B rows of L tokens; dictionaries have the numbers that were asked."""

    logits: torch.Tensor
    """Shape (B, C)."""
    hidden_states: Mapping[int, torch.Tensor] = field(default_factory=dict)
    """Of each block asked for, shape (B, L, H)."""
    projections: Mapping[int, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = field(
        default_factory=dict
    )
    """Queries, keys and values of each block asked for, each of shape (B, L, H)."""


class Objective(Protocol):
    """What is minimised; the mean of its losses, weighed by ``denominator``, over a batch."""

    @property
    def needs(self) -> ModelNeeds:
        """What the model has to give."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the tensors per row, beside labels, that the rows have to bring."""

    def to(self, device: torch.device) -> "Objective":
        """Give the same objective with its tensors on a device."""

    def losses(
        self, output: ModelOutput, labels: torch.Tensor, targets: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """Compute each row's loss, without asking the device for a value.

        Args:
            output: of the model, in its own precision.
            labels: shape (B,), class ids.
            targets: by name, each of B rows.

        Returns:
            Shape (B,), float32.
        """

    def denominator(self, labels: NDArray[np.int64]) -> float:
        """Give what the sum of a global batch's losses is divided by.

        Args:
            labels: shape (rows,), of the global batch.

        Returns:
            The number of rows, or the sum of their weights; above 0.
        """


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Cross-entropy of the softmax in nats, as ``torch.nn.functional.cross_entropy`` has it."""

    label_smoothing: float = 0.0
    """Share of a row's target that is spread evenly over all classes, in [0, 1)."""
    class_weights: torch.Tensor | None = None
    """Shape (C,), float32; a batch's mean is divided by the sum of its rows' weights. None: 1."""

    @classmethod
    def of(cls, recipe: RecipeSpec, class_weights: Sequence[float] | None) -> "CrossEntropy":
        """Make a recipe's objective.

        Args:
            recipe: has the label smoothing.
            class_weights: C of them, as they were planned; None for none.

        Returns:
            The objective, on the CPU.
        """
        weights = None if class_weights is None else torch.tensor(class_weights)
        return cls(recipe.label_smoothing, weights)

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
    """Fit one rank's share of a global batch to an objective.

    Args:
        share: of the rank; its rows count 1 / rows of the global batch.
        batch: the global batch.
        objective: on the CPU, so that nobody waits for a device.

    Returns:
        The share, its rows' weights such that all ranks' losses sum up to the objective of the
        global batch, with the targets that the objective asks for and no others.

    Raises:
        DataError: the rows lack a target.
    """
    if absent := [name for name in objective.targets if name not in share.targets]:
        there = ", ".join(sorted(share.targets)) or "none"
        hint = "make the rows with that target, or choose another objective"
        raise DataError("train split", f"the target {absent[0]!r} of each row", there, hint)
    denominator = objective.denominator(batch.labels)
    targets = {name: share.targets[name] for name in objective.targets}
    if denominator == len(batch):
        return replace(share, targets=targets)
    return replace(
        share, row_weights=share.row_weights * (len(batch) / denominator), targets=targets
    )
