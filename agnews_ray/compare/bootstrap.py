"""A hierarchical bootstrap over seeds, then test rows: numpy and scipy, no knowledge of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from agnews_ray.compare.score_test import ResampledRows, RowVariance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUM_DRAWS = 1000
SMALLEST_P = 1e-12
"""Below this a p-value is 0."""
NO_DISTANCE = 1e-9
"""Smaller than any difference between shares of rows."""
DRAWS_AT_A_TIME = 100
"""Bounds memory: so many test sets are held as row counts at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over K seeds, and the variances that make it uncertain."""

    value: float
    num_seeds: int
    rows: RowVariance
    """What drawing the test rows adds to all seeds alike; more seeds do not shrink it."""
    own_variance: float
    """What it adds to each seed separately."""
    seed_variance: float
    """Sample variance between the seeds' metrics, the row noise of each included."""

    def half_width(
        self, alpha: float, null: float | None = None, num_seeds: int | None = None
    ) -> float:
        """How far the value may lie from a hypothesis that is not rejected, two-sided.

        The rows' part gets the normal quantile. The seeds' part gets Student's t with K - 1
        degrees of freedom, because the variance between a few seeds is itself uncertain, and is
        never taken for less than the row noise explains. Their half-widths add in squares.

        Args:
            alpha: level of the test.
            null: the hypothesis, from which the rows' variance follows; None is the value itself.
            num_seeds: other than there are, were their variance the same.

        Returns:
            In the metric's unit.

        Source: Howe 1974, JASA 69, "Approximate confidence limits on the mean of X + Y";
        as MOVER in Zou and Donner 2008, Statistics in Medicine 27(10).
        """
        common = self.rows.at(self.value if null is None else null)
        return self._half_width(alpha, common, num_seeds or self.num_seeds)

    def _half_width(self, alpha: float, common_variance: float, num_seeds: int) -> float:
        normal = stats.norm.isf(alpha / 2)
        seeds = normal**2 * self.own_variance / num_seeds
        if num_seeds > 1:
            student = stats.t.isf(alpha / 2, num_seeds - 1)
            seeds = max(seeds, student**2 * self.seed_variance / num_seeds)
        return float((normal**2 * common_variance + seeds) ** 0.5)

    def interval(self, alpha: float = 0.05) -> tuple[float, float]:
        """Lower and upper end at 1 - alpha: the hypotheses that are not rejected."""
        return self._end(alpha, -1.0), self._end(alpha, 1.0)

    def _end(self, alpha: float, direction: float) -> float:
        if self.rows.is_constant:
            return self.value + direction * self.half_width(alpha)

        def room(distance: float) -> float:
            return self.half_width(alpha, self.value + direction * distance) - distance

        farthest = 1 - direction * self.value  # differences lie in [-1, 1]
        if farthest <= NO_DISTANCE or room(farthest) >= 0:
            return direction
        if room(NO_DISTANCE) <= 0:
            return self.value
        return self.value + direction * float(optimize.brentq(room, NO_DISTANCE, farthest))

    def seed_error(self, num_seeds: int) -> float:
        """Standard error of the mean over so many seeds on the same test rows."""
        return float((max(self.own_variance, self.seed_variance) / num_seeds) ** 0.5)

    def p_value(self, null: float = 0.0) -> float:
        """Smallest alpha at which the interval leaves ``null`` out: a two-sided test.

        Args:
            null: the hypothesis.

        Returns:
            A probability; 1 where the value is ``null``, 0 where it is not and nothing varies.
        """
        distance = abs(self.value - null)
        if distance == 0:
            return 1.0
        common = self.rows.at(null)

        def half_width(alpha: float) -> float:
            return self._half_width(alpha, common, self.num_seeds)

        if half_width(0.5) == 0 or half_width(SMALLEST_P) < distance:
            return 0.0
        root = optimize.brentq(
            lambda log_p: half_width(np.exp(log_p)) - distance, np.log(SMALLEST_P), 0.0
        )
        return float(np.exp(root))

    def one_sided_p_value(self, null: float, *, is_above: bool) -> float:
        """Test whether the value lies above ``null`` (or below it)."""
        p_value = self.p_value(null) / 2
        is_on_that_side = self.value > null if is_above else self.value < null
        return p_value if is_on_that_side else 1 - p_value


class Counts(NamedTuple):
    """Rows counted for each class; what every score is made of."""

    hits: Floats
    """Shape (..., K, C): rows of a class that seed k predicted as it."""
    predicted: Floats
    """Shape (..., K, C): rows that seed k predicted as the class."""
    actual: Floats
    """Shape (..., 1, C): rows of the class."""

    def of(self, seeds: Sequence[int]) -> "Counts":
        """Keep the seeds at these positions."""
        return Counts(self.hits[..., seeds, :], self.predicted[..., seeds, :], self.actual)


def count(labels: Ints, predicted: Ints, num_classes: int) -> Counts:
    """Count all rows once.

    Args:
        labels: shape (N,), class ids.
        predicted: shape (K, N), class ids, one line a seed.
        num_classes: C.

    Returns:
        Counts of shape (K, C) and (1, C).
    """
    once = np.ones((1, labels.size), dtype=np.float32)
    return Counts(*(part[0] for part in _count_under(once, labels, predicted, num_classes)))


def draw_counts(
    labels: Ints, predicted: Ints, num_classes: int, num_draws: int, rng: np.random.Generator
) -> Counts:
    """Count the rows of test sets drawn with replacement, the same rows for every seed.

    Args:
        labels: shape (N,), class ids.
        predicted: shape (K, N), class ids, one line a seed (of any number of variants).
        num_classes: C.
        num_draws: B.
        rng: source of the draws.

    Returns:
        Counts of shape (B, K, C) and (B, 1, C).
    """
    chunks = []
    for start in range(0, num_draws, DRAWS_AT_A_TIME):
        weights = np.empty((min(DRAWS_AT_A_TIME, num_draws - start), labels.size), np.float32)
        for weight in weights:
            drawn = rng.integers(labels.size, size=labels.size)
            weight[:] = np.bincount(drawn, minlength=labels.size)
        chunks.append(_count_under(weights, labels, predicted, num_classes))
    return Counts(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))


def _count_under(
    weights: NDArray[np.float32], labels: Ints, predicted: Ints, num_classes: int
) -> Counts:
    """Count by matrix products: weights (B, N) times one-hot rows (N, C); exact below 2**24."""
    rows = np.arange(labels.size)
    one_hot = np.zeros((labels.size, num_classes), dtype=np.float32)
    one_hot[rows, labels] = 1
    hits = np.empty((len(weights), len(predicted), num_classes))
    chosen = np.empty_like(hits)
    for seed, classes in enumerate(predicted):
        guessed = np.zeros_like(one_hot)
        guessed[rows, classes] = 1
        chosen[:, seed] = weights @ guessed
        hits[:, seed] = weights @ (guessed * one_hot)
    return Counts(hits, chosen, (weights @ one_hot)[:, None].astype(np.float64))


def estimate(observed: Floats, drawn: Floats, num_rows: int, largest_step: float = 0.0) -> Estimate:
    """Estimate a mean over seeds by a hierarchical bootstrap: seeds, then test rows.

    Rows are drawn, the same for every seed. Seeds need no draws: for a mean, the variance over
    their resampling is known, and (K - 1) / K too small for K seeds; corrected, it is the sample
    variance over K. Resampling three seeds as they are would claim a third too little variance.

    Args:
        observed: shape (K,), each seed's metric (or difference) on all rows.
        drawn: shape (B, K), the same on each drawn test set.
        num_rows: N, rows that the metric is made of; perfect scores and equal predictions on
            few of them are no certainty, which resampling cannot see.
        largest_step: what one row can change of it at most, where hypotheses other than 0 are
            to be tested.

    Returns:
        The estimate. With one seed its uncertainty is that of the rows alone.

    Source: Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 3.8.
    Agresti and Min 2005, Statistics in Medicine 24(5): half a row added to both discordant counts.
    """
    own, between = seed_variances(observed, drawn)
    common = float(drawn.mean(axis=1).var(ddof=1)) - own / observed.size
    return Estimate(
        value=float(observed.mean()),
        num_seeds=observed.size,
        rows=ResampledRows(
            variance=max(0.0, common) + (num_rows + 2) ** -2, largest_step=largest_step
        ),
        own_variance=own,
        seed_variance=between,
    )


def seed_variances(observed: Floats, drawn: Floats) -> tuple[float, float]:
    """Say what the rows add to each seed apart, and how far the seeds lie from each other.

    Args:
        observed: shape (K,), each seed's metric (or difference) on all rows.
        drawn: shape (B, K), the same on each drawn test set.

    Returns:
        ``own_variance`` and ``seed_variance`` of an ``Estimate``; 0 for a single seed.
    """
    if observed.size == 1:
        return 0.0, 0.0
    own = float((drawn - observed).var(axis=1, ddof=1).mean())
    return own, float(observed.var(ddof=1))
