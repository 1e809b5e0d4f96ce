"""AdamW over flat parameters: clipping, loss scaling and schedule without asking the device.

The Hugging Face Trainer's update, to the letter: gradients clipped to a global norm, AdamW with
decay where the Trainer has it (``decay``), linear warm-up and decay; after an FP16 overflow the
update and the schedule's step are left out, and the scale is halved. Everything stays on the
device, so that no step waits for the one before and a CUDA graph can hold it all.
"""

from typing import Any

import numpy as np
import torch

from agnews_ray.compat.of_torch import do_not_warn_of_uncaptured_steps
from agnews_ray.engine.fused.model import FusedModel
from agnews_ray.plan.budget import learning_rate
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec

FIRST_SCALE, GROWTH_INTERVAL = 65536.0, 2000
"""Of the loss in FP16; as ``torch.amp.GradScaler`` has them."""


class Optimizer:
    """Updates a fused model.

    Args:
        fused: holds parameters and gradients.
        recipe: learning rate, betas, epsilon, decay, warm-up, clipping.
        num_steps: optimiser updates of the whole trial.
        precision: fp16 scales the loss.
    """

    def __init__(
        self, fused: FusedModel, recipe: RecipeSpec, num_steps: int, precision: Precision
    ) -> None:
        self._fused = fused
        self._recipe = recipe
        device = fused.matrices.values.device
        rates = learning_rate(np.arange(num_steps + 1), num_steps, recipe)
        self._rates = torch.from_numpy(rates).float().to(device)
        self._is_scaled = precision == "fp16"
        self.loss_scale = torch.tensor(FIRST_SCALE if self._is_scaled else 1.0, device=device)
        self._num_good = torch.zeros((), device=device)
        self.num_updates = torch.zeros((), dtype=torch.int64, device=device)
        self.learning_rate = torch.zeros((), device=device)
        """Of the latest update."""
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
        # Each shape's first step is not captured, and that is as it should be.
        do_not_warn_of_uncaptured_steps(self._adamw)

    @torch.no_grad()
    def step(self) -> None:
        """Clip and update, or leave the update out after an overflow."""
        norm = self._fused.gradient_norm() / self.loss_scale
        clip = (self._recipe.max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
        self.learning_rate.copy_(self._rates.take(self.num_updates))
        # AdamW's kernel divides gradients by the one and does nothing where the other is 1;
        # torch.amp.GradScaler hands them over in the same way.
        self._adamw.grad_scale = self.loss_scale / clip
        was_made = torch.ones_like(norm)
        if self._is_scaled:
            self._adamw.found_inf = 1.0 - norm.isfinite().float()
            was_made = 1.0 - self._adamw.found_inf
        self._adamw.step()
        if self._fused.embeddings and bool(was_made):  # on a CPU, where asking costs nothing
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
