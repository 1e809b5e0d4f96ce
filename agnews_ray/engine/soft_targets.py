"""Soft targets: a student is trained towards its teachers' probabilities, and labels if it has any.

Source: Hinton et al. 2015, arXiv:1503.02531, sections 2 and 2.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.data.batches import NO_LABEL
from agnews_ray.data.teacher_logits import TEACHER_LOGITS
from agnews_ray.engine.objective import LOGITS_ONLY, CrossEntropy, ModelNeeds, ModelOutput
from agnews_ray.spec.distillation import DistillationSpec
from agnews_ray.spec.recipe import RecipeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftTargets:
    """The objective of a student: Kullback-Leibler divergence and cross-entropy, in nats.

    A row's loss is soft_weight x T² x KL(teacher || student) + (1 - soft_weight) x cross-entropy;
    that of a row without label is T² x KL alone. KL is summed over the classes. Both models'
    logits are divided by T before the softmax; the factor T² keeps the size of the gradient over T.
    Several teachers' probabilities are averaged.

    A batch's loss is the sum over its rows divided by their number, also with class weights: these
    multiply a row's cross-entropy, and nothing else. (Balanced weights have a mean of 1 per row.)

    The logged parts ``soft`` and ``hard`` are what divergence and cross-entropy contribute to that
    loss, with their weights: the two add up to it. A row without label contributes 0 to ``hard``.
    """

    hard: CrossEntropy
    """The cross-entropy of labelled rows."""
    temperature: float
    """T, above 0."""
    soft_weight: float
    """The weight of the divergence for a labelled row, in [0, 1]."""

    @classmethod
    def of(
        cls,
        recipe: RecipeSpec,
        class_weights: Sequence[float] | None,
        distillation: DistillationSpec,
    ) -> "SoftTargets":
        """Make a student's objective.

        Args:
            recipe: the recipe, which has the label smoothing of the cross-entropy.
            class_weights: the C planned weights; None for none.
            distillation: the temperature and the weight of the soft targets.

        Returns:
            The objective, on the CPU.
        """
        return cls(
            hard=CrossEntropy.of(recipe, class_weights),
            temperature=distillation.temperature,
            soft_weight=distillation.soft_weight,
        )

    @property
    def parts(self) -> tuple[str, ...]:
        return "soft", "hard"

    @property
    def needs(self) -> ModelNeeds:
        return LOGITS_ONLY

    @property
    def targets(self) -> tuple[str, ...]:
        return (TEACHER_LOGITS,)

    def to(self, device: torch.device) -> "SoftTargets":
        return replace(self, hard=self.hard.to(device))

    def losses(
        self, output: ModelOutput, labels: torch.Tensor, targets: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        is_labelled = labels != NO_LABEL
        divergence = self._divergence(output.logits.float(), targets[TEACHER_LOGITS].float())
        soft = torch.where(is_labelled, self.soft_weight, 1.0) * divergence
        # A row without label needs some class here, whose cross-entropy is not used.
        entropy = self.hard.losses(output, labels.clamp(min=0), {})
        hard = torch.where(is_labelled, (1.0 - self.soft_weight) * entropy, 0.0)
        return torch.stack([soft + hard, soft, hard], dim=1)

    def denominator(self, labels: NDArray[np.int64]) -> float:
        return float(len(labels))

    def _divergence(self, logits: torch.Tensor, teachers: torch.Tensor) -> torch.Tensor:
        """Compute T² x KL(teachers || student).

        Args:
            logits: shape (B, C), float32.
            teachers: shape (B, K, C), float32.

        Returns:
            Shape (B,): the divergence, summed over the classes. A probability of 0 (a logit far
            below the others, or of minus infinity) contributes 0.
        """
        expected = torch.softmax(teachers / self.temperature, dim=-1).mean(dim=1)
        found = torch.log_softmax(logits / self.temperature, dim=-1)
        each = torch.nn.functional.kl_div(found, expected, reduction="none")
        return self.temperature**2 * each.sum(dim=-1)
