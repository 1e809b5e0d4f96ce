"""The variance that the choice of test rows adds to an estimate, under a hypothesis."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

NEARLY_ONE = 1 - 1e-12


class RowVariance(Protocol):
    """The variance that drawing the test rows adds to all seeds in common."""

    @property
    def is_constant(self) -> bool:
        """Whether the variance is the same under every hypothesis."""

    def at(self, null: float) -> float:
        """Return the variance if the true value were ``null``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResampledRows:
    """The variance, from the bootstrap, of a score that is not a mean of rows."""

    variance: float
    """The variance of the bootstrap's draws, which is nearly the same under every hypothesis."""
    largest_step: float = 0.0
    """The largest change by one row. A true value of d then needs at least d / step rows, whose
    number varies like a Poisson count, even if none of them was drawn."""

    @property
    def is_constant(self) -> bool:
        return self.largest_step == 0

    def at(self, null: float) -> float:
        return max(self.variance, abs(null) * self.largest_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRows:
    """The variance of the mean difference between two classifiers on the same rows.

    Each row has a difference in [-1, 1]: the share of seeds for which only the first is right,
    minus the share for which only the second is. The variance is that of the most likely
    distribution of such differences whose mean is the hypothesis, so that few discordant rows, or
    none, do not count as certainty. For one seed it is Tango's score test.

    Source: Tango 1998, Statistics in Medicine 17(8), eq. 4 to 6, for one seed; for several the
    same constrained maximum of the multinomial likelihood, solved as in Owen 2001, "Empirical
    Likelihood", section 2.9, with -1 and 1 always among the possible values.
    """

    differences: NDArray[np.float64]
    """Shape (J,): the values that occur."""
    counts: NDArray[np.float64]
    """Shape (J,): the number of rows with each value."""
    own_variance: float = 0.0
    """The part of the mean's variance that is not common to all seeds."""

    @classmethod
    def of(
        cls, first_right: NDArray[np.bool_], second_right: NDArray[np.bool_], own_variance: float
    ) -> "PairedRows":
        """Count rows by their difference.

        Args:
            first_right: shape (K, N): whether seed k is right on each row.
            second_right: shape (L, N): the same for the other classifier.
            own_variance: the value of that field.

        Returns:
            The rows' differences, as means over all seeds of each classifier.
        """
        means = first_right.mean(axis=0) - second_right.mean(axis=0)
        values, counts = np.unique(means.round(12), return_counts=True)
        return cls(differences=values, counts=counts.astype(float), own_variance=own_variance)

    @property
    def is_constant(self) -> bool:
        return False

    def at(self, null: float) -> float:
        if abs(null) >= 1:
            return 0.0
        return max(0.0, self._whole_variance(null) - self.own_variance)

    def _whole_variance(self, null: float) -> float:
        num_rows, offsets = self.counts.sum(), self.differences - null

        def mean_under(weight: float) -> float:
            return float((self.counts * offsets / (num_rows + weight * offsets)).sum())

        # Just inside the weights for which a value of 1, or of -1, would have an unlimited share.
        lowest, highest = -NEARLY_ONE * num_rows / (1 - null), NEARLY_ONE * num_rows / (1 + null)
        end = 0.0
        if mean_under(lowest) <= 0:
            weight, end = lowest, 1 - null
        elif mean_under(highest) >= 0:
            weight, end = highest, -1 - null
        else:
            weight = optimize.brentq(mean_under, lowest, highest)
        shares = self.counts / (num_rows + weight * offsets)
        # If the observed rows cannot have this mean, some unobserved rows are at the end.
        square = (shares * offsets**2).sum() + max(0.0, 1 - shares.sum()) * end**2
        return float(square / num_rows)
