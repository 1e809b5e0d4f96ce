"""AdamW over flat parameters: clipping, loss scaling and schedule without waiting for the device.

The update is exactly that of the Hugging Face Trainer: gradients clipped to a global norm, AdamW
with weight decay for the same parameters (``decay``), a linear warm-up and then a linear fall of
the learning rate. After an FP16 overflow the update and the schedule's step are skipped, and the
scale is halved. Everything stays on the device, so that no step waits for the one before and one
CUDA graph can hold a whole step.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from agnews_ray.compat.of_torch import do_not_warn_of_uncaptured_steps
from agnews_ray.engine.fused.model import Flat, FusedModel
from agnews_ray.plan.budget import learning_rate
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec

FIRST_SCALE, GROWTH_INTERVAL = 65536.0, 2000
"""The loss scale at the start, and the number of good updates after which it doubles, in FP16; as
in ``torch.amp.GradScaler``."""


class Optimizer:
    """The optimiser of a fused model.

    Args:
        fused: the model, with its parameters and gradients.
        recipe: the learning rate, betas, epsilon, decay, warm-up and clipping.
        num_steps: the number of optimiser updates of the whole trial.
        precision: the precision; fp16 scales the loss.
    """

    def __init__(
        self, fused: FusedModel, recipe: RecipeSpec, num_steps: int, precision: Precision
    ) -> None:
        self._fused = fused
        self._recipe = recipe
        self.num_steps = num_steps
        device = fused.matrices.values.device
        rates = learning_rate(np.arange(num_steps + 1), num_steps, recipe)
        self._rates = torch.from_numpy(rates).float().to(device)
        self._is_scaled = precision == "fp16"
        self.loss_scale = torch.tensor(FIRST_SCALE if self._is_scaled else 1.0, device=device)
        self._num_good = torch.zeros((), device=device)
        self.num_updates = torch.zeros((), dtype=torch.int64, device=device)
        self.learning_rate = torch.zeros((), device=device)
        """The learning rate of the latest update."""
        self._adamw: Any = torch.optim.AdamW(
            [
                {"params": [fused.matrices.share], "weight_decay": recipe.weight_decay},
                {"params": [fused.vectors.share], "weight_decay": 0.0},
            ],
            lr=self.learning_rate,
            betas=(recipe.adam_beta1, recipe.adam_beta2),
            eps=recipe.adam_epsilon,
            fused=True,
            capturable=device.type == "cuda",
        )
        # Each shape's first step is not captured, on purpose.
        do_not_warn_of_uncaptured_steps(self._adamw)

    @property
    def scalars(self) -> dict[str, torch.Tensor]:
        """The optimiser's counters and its loss scale, by name, on the device."""
        return {
            "num_updates": self.num_updates,
            "loss_scale": self.loss_scale,
            "num_good": self._num_good,
        }

    def moments(self) -> tuple[Flat, Flat]:
        """Gather AdamW's first and second moments; each rank makes the same call.

        Returns:
            The two moments of all ranks, in the layout of the values, without lazily updated words.
        """
        first, second = (
            tuple(
                segment.gather(self._adamw.state[segment.share][kind])
                for segment in (self._fused.matrices, self._fused.vectors)
            )
            for kind in ("exp_avg", "exp_avg_sq")
        )
        return (first[0], first[1]), (second[0], second[1])

    def load(self, moments: tuple[Flat, Flat], scalars: Mapping[str, torch.Tensor]) -> None:
        """Continue from the state of another optimiser.

        Args:
            moments: the moments of all ranks, as ``moments`` returns them.
            scalars: the ``scalars`` of an optimiser of the same precision.
        """
        for name, tensor in self.scalars.items():
            tensor.copy_(scalars[name])
        segments = (self._fused.matrices, self._fused.vectors)
        for segment, mean, square in zip(segments, *moments, strict=True):
            self._adamw.state[segment.share] = {
                "step": self.num_updates.float(),
                "exp_avg": segment.own_part(mean).clone(),
                "exp_avg_sq": segment.own_part(square).clone(),
            }

    @torch.no_grad()
    def step(self) -> None:
        """Clip and update, or skip the update after an overflow."""
        norm = self._fused.gradient_norm() / self.loss_scale
        clip = (self._recipe.max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
        self.learning_rate.copy_(self._rates.take(self.num_updates))
        # AdamW's kernel divides gradients by grad_scale and does nothing if found_inf is 1;
        # torch.amp.GradScaler passes them in the same way.
        self._adamw.grad_scale = self.loss_scale / clip
        was_made = torch.ones_like(norm)
        if self._is_scaled:
            self._adamw.found_inf = 1.0 - norm.isfinite().float()
            was_made = 1.0 - self._adamw.found_inf
        self._adamw.step()
        if self._fused.embeddings and bool(was_made):  # only on a CPU, where bool() does not wait
            self._fused.embeddings.update(self._adamw.grad_scale)
        self.num_updates.add_(was_made.long())
        if self._is_scaled:
            self._scale_anew(was_made)
        self._fused.refresh()

    def _scale_anew(self, was_made: torch.Tensor) -> None:
        """Halve the scale after an overflow; double it after many updates without one."""
        self._num_good.add_(1.0).mul_(was_made)
        grows = (self._num_good == GROWTH_INTERVAL).float()
        self.loss_scale.mul_((1.0 + grows) * (0.5 + 0.5 * was_made))
        self._num_good.mul_(1.0 - grows)
