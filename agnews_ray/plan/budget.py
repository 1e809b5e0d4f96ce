"""A trial's number of steps and learning rates, computed as the Hugging Face Trainer does."""

import math

import numpy as np
from numpy.typing import NDArray

from agnews_ray.spec.recipe import RecipeSpec


def steps_per_epoch(num_rows: int, global_batch_size: int) -> int:
    """Count the optimiser updates of one pass, the last partial batch included.

    Args:
        num_rows: the number of train rows.
        global_batch_size: the number of rows per update, over all workers.

    Returns:
        The number of updates, at least 1 for at least one row.
    """
    return math.ceil(num_rows / global_batch_size)


def rows_of_share(num_rows: int, share: float) -> int:
    """Count the rows of a share of the train rows.

    Args:
        num_rows: the number of all train rows.
        share: in (0, 1].

    Returns:
        The nearest whole number, which may be 0.
    """
    return round(num_rows * share)


def warmup_steps(num_steps: int, warmup_fraction: float) -> int:
    """Count the steps of rising learning rate; the number is rounded up as in the Trainer.

    Args:
        num_steps: the number of all optimiser updates of the trial.
        warmup_fraction: the share of these updates, in [0, 1).

    Returns:
        The number of steps, in [0, num_steps].

    Source: ``TrainingArguments.get_warmup_steps`` of transformers.
    """
    return math.ceil(num_steps * warmup_fraction)


def learning_rate(
    num_updates: NDArray[np.int64], num_steps: int, recipe: RecipeSpec
) -> NDArray[np.float64]:
    """Compute the scheduled rate: a linear rise over the warm-up, then a linear fall to 0.

    Args:
        num_updates: any shape, the numbers of updates made before.
        num_steps: the number of all optimiser updates of the trial.
        recipe: the recipe, with the peak rate and the warm-up.

    Returns:
        The rate of the next update, in the same shape.

    Source: ``get_linear_schedule_with_warmup`` of transformers.
    """
    num_warmup = warmup_steps(num_steps, recipe.warmup_fraction)
    falling = (num_steps - num_updates) / max(1, num_steps - num_warmup)
    rising = num_updates / max(1, num_warmup)
    return recipe.learning_rate * np.where(num_updates < num_warmup, rising, falling.clip(min=0))
