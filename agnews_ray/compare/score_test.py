"""What the choice of the test rows adds to an estimate's variance, under a hypothesis."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

NEARLY_ONE = 1 - 1e-12


class RowVariance(Protocol):
    """The variance that drawing the test rows adds to all seeds alike."""

    @property
    def is_constant(self) -> bool:
        """Whether it is the same under every hypothesis."""

    def at(self, null: float) -> float:
        """Give the variance if the true value were ``null``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResampledRows:
    """Variance of a score that is no mean of rows: from the bootstrap."""

    variance: float
    """As resampled; the same under every hypothesis, or nearly so."""
    largest_step: float = 0.0
    """What one row can change at most. A true value of d is then made of at least d / step rows,
    whose number varies like a Poisson count, even where none of them was drawn."""

    @property
    def is_constant(self) -> bool:
        return self.largest_step == 0

    def at(self, null: float) -> float:
        return max(self.variance, abs(null) * self.largest_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRows:
    """Variance of the mean difference between two classifiers on the same rows.

    Each row has a difference in [-1, 1]: the share of seeds for which only the first is right,
    less the share for which only the second is. The variance is that of the likeliest
    distribution of such differences whose mean is the hypothesis, so that a test does not take
    few discordant rows, or none, for certainty. For one seed it is Tango's score test.

    Source: Tango 1998, Statistics in Medicine 17(8), eq. 4 to 6, for one seed; for several the
    same constrained maximum of the multinomial likelihood, solved as in Owen 2001, "Empirical
    Likelihood", section 2.9, with -1 and 1 always among the possible values.
    """

    differences: NDArray[np.float64]
    """Shape (J,), the values that occur."""
    counts: NDArray[np.float64]
    """Shape (J,), rows of each."""
    own_variance: float = 0.0
    """The part of the variance that is not common to all seeds, of the mean over them."""

    @classmethod
    def of(
        cls, first_right: NDArray[np.bool_], second_right: NDArray[np.bool_], own_variance: float
    ) -> "PairedRows":
        """Count rows by their difference.

        Args:
            first_right: shape (K, N): whether seed k is right on each row.
            second_right: shape (L, N), of the other classifier.
            own_variance: as the field.

        Returns:
            The rows' differences, mean over all seeds of each.
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

        # Just inside the weights at which a value of 1, or of -1, would have a share without bound.
        lowest, highest = -NEARLY_ONE * num_rows / (1 - null), NEARLY_ONE * num_rows / (1 + null)
        end = 0.0
        if mean_under(lowest) <= 0:
            weight, end = lowest, 1 - null
        elif mean_under(highest) >= 0:
            weight, end = highest, -1 - null
        else:
            weight = optimize.brentq(mean_under, lowest, highest)
        shares = self.counts / (num_rows + weight * offsets)
        # Where the rows seen cannot have this mean, some of those not seen lie at the end.
        square = (shares * offsets**2).sum() + max(0.0, 1 - shares.sum()) * end**2
        return float(square / num_rows)
