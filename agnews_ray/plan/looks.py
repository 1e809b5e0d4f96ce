"""The points in a training at which a search looks at a trial, and may stop it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The looks of asynchronous successive halving (Li et al. 2020, arXiv:1810.05934).

    They come after ``min_epochs``, and then after ``reduction_factor`` times as many each time.
    """

    min_epochs: float
    reduction_factor: int

    def steps(self, num_epochs: int, num_steps: int) -> dict[int, float]:
        """Find the steps of a trial after which it is looked at.

        Args:
            num_epochs: the trial's epochs.
            num_steps: its steps in all of them.

        Returns:
            The number of epochs of each look by the step that is nearest to it, before the
            trial's last one; of two looks at one step the later.
        """
        found: dict[int, float] = {}
        number, epochs = 0, self.min_epochs
        while epochs < num_epochs:
            step = max(1, round(epochs * num_steps / num_epochs))
            if step < num_steps:
                found[step] = epochs
            number += 1
            epochs = self.min_epochs * self.reduction_factor**number
        return found


NEVER = Looks(min_epochs=math.inf, reduction_factor=2)
"""For a search that stops no trial."""
