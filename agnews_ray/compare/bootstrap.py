"""A hierarchical bootstrap over seeds, then test rows, with numpy and scipy and without records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, stats

from agnews_ray.compare.score_test import ResampledRows, RowVariance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUM_DRAWS = 1000
SMALLEST_P = 1e-12
"""The smallest p-value; a smaller one counts as 0."""
NO_DISTANCE = 1e-9
"""A distance that is smaller than any difference between shares of rows."""
DRAWS_AT_A_TIME = 100
"""The number of test sets held as row counts at a time, which limits memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over K seeds, with the variances that make it uncertain."""

    value: float
    num_seeds: int
    rows: RowVariance
    """The variance that drawing the test rows adds to all seeds in common; more seeds do not
    reduce it."""
    own_variance: float
    """The variance that drawing the test rows adds to each seed separately."""
    seed_variance: float
    """The sample variance between the seeds' metrics, including the row noise of each."""

    def half_width(
        self, alpha: float, null: float | None = None, num_seeds: int | None = None
    ) -> float:
        """Return the largest distance to a hypothesis that is not rejected, two-sided.

        The rows' part uses the normal quantile. The seeds' part uses Student's t with K - 1
        degrees of freedom, because the variance between a few seeds is itself uncertain, and is
        at least the variance that row noise explains. Their half-widths add in squares.

        Args:
            alpha: the level of the test.
            null: the hypothesis, which determines the rows' variance; None for the value itself.
            num_seeds: another number of seeds with the same variance; None for the actual number.

        Returns:
            The half-width, in the metric's unit.

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
        """Return the lower and upper end at 1 - alpha, between which no hypothesis is rejected."""
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
        """Return the standard error of the mean over that many seeds on the same test rows."""
        return float((max(self.own_variance, self.seed_variance) / num_seeds) ** 0.5)

    def p_value(self, null: float = 0.0) -> float:
        """Return the smallest alpha whose interval does not contain ``null``: a two-sided test.

        Args:
            null: the hypothesis.

        Returns:
            A probability; 1 if the value is ``null``, 0 if it is not and nothing varies.
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
    """The counts of rows of each class, from which every score is computed."""

    hits: Floats
    """Shape (..., K, C): the rows of a class that seed k predicts right."""
    predicted: Floats
    """Shape (..., K, C): the rows that seed k predicts as the class."""
    actual: Floats
    """Shape (..., 1, C): the rows of the class."""

    def of(self, seeds: Sequence[int]) -> "Counts":
        """Select the seeds at these positions."""
        return Counts(self.hits[..., seeds, :], self.predicted[..., seeds, :], self.actual)


def count(labels: Ints, predicted: Ints, num_classes: int) -> Counts:
    """Count all rows once.

    Args:
        labels: shape (N,): the class ids.
        predicted: shape (K, N): the predicted class ids, one line per seed.
        num_classes: C.

    Returns:
        Counts with shapes (K, C) and (1, C).
    """
    once = np.ones((1, labels.size), dtype=np.float32)
    return Counts(*(part[0] for part in _Places(labels, predicted, num_classes).count(once)))


def draw_counts(
    labels: Ints, predicted: Ints, num_classes: int, num_draws: int, rng: np.random.Generator
) -> Counts:
    """Count the rows of test sets drawn with replacement, the same rows for every seed.

    Args:
        labels: shape (N,): the class ids.
        predicted: shape (K, N): the predicted class ids, one line per seed (of any variants).
        num_classes: C.
        num_draws: B.
        rng: the random generator.

    Returns:
        Counts with shapes (B, K, C) and (B, 1, C).
    """
    chunks, places = [], _Places(labels, predicted, num_classes)
    for start in range(0, num_draws, DRAWS_AT_A_TIME):
        weights = np.empty((min(DRAWS_AT_A_TIME, num_draws - start), labels.size), np.float32)
        for weight in weights:
            drawn = rng.integers(labels.size, size=labels.size)
            weight[:] = np.bincount(drawn, minlength=labels.size)
        chunks.append(places.count(weights))
    return Counts(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))


class _Places:
    """Where each row counts, as sparse matrices of shape (lines, N).

    A seed's counts are the actual ones, but for its wrong rows, which are few: one class loses
    such a row and another gets it. Their products run on one core: products of one-hot rows take
    ten times as long, and far longer if other programs hold the cores that their threads wait for.

    Args:
        labels: shape (N,): the class ids.
        predicted: shape (K, N): the predicted class ids, one line per seed.
        num_classes: C.
    """

    def __init__(self, labels: Ints, predicted: Ints, num_classes: int) -> None:
        self._shape = (len(predicted), num_classes)
        seeds, rows = np.nonzero(predicted != labels)
        every, first = np.arange(labels.size), seeds * num_classes

        def matrix(lines: Ints, rows: Ints, num_lines: int) -> Any:
            once = np.ones(rows.size, dtype=np.float32)
            return sparse.csr_array((once, (lines, rows)), shape=(num_lines, labels.size))

        num_lines = len(predicted) * num_classes
        self._actual = matrix(labels, every, num_classes)
        self._lost = matrix(first + labels[rows], rows, num_lines)
        self._gained = matrix(first + predicted[seeds, rows], rows, num_lines)

    def count(self, weights: NDArray[np.float32]) -> Counts:
        """Count rows that occur ``weights`` (B, N) times; exact below 2**24."""
        by_row = np.ascontiguousarray(weights.T)

        def product(matrix: Any, shape: tuple[int, ...]) -> Floats:
            counts: Floats = (matrix @ by_row).T.reshape(len(weights), *shape).astype(np.float64)
            return counts

        actual = product(self._actual, (1, self._shape[1]))
        hits = actual - product(self._lost, self._shape)
        return Counts(hits, hits + product(self._gained, self._shape), actual)


def estimate(observed: Floats, drawn: Floats, num_rows: int, largest_step: float = 0.0) -> Estimate:
    """Estimate a mean over seeds by a hierarchical bootstrap: seeds, then test rows.

    Rows are drawn, the same for every seed. Seeds need no draws: for a mean, the variance of
    resampling K seeds is known, and too small by the factor (K - 1) / K; corrected, it is the
    sample variance over K. Resampling three seeds without correction would give a third less
    variance.

    Args:
        observed: shape (K,): each seed's metric (or difference) on all rows.
        drawn: shape (B, K): the same on each drawn test set.
        num_rows: N, the number of test rows; perfect scores or equal predictions on few rows
            are not certain, which resampling cannot show.
        largest_step: the largest change of the metric by one row, needed for tests of
            hypotheses other than 0.

    Returns:
        The estimate. With one seed its uncertainty comes from the rows alone.

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
    """Compute what the rows add to each seed separately, and the variance between the seeds.

    Args:
        observed: shape (K,): each seed's metric (or difference) on all rows.
        drawn: shape (B, K): the same on each drawn test set.

    Returns:
        ``own_variance`` and ``seed_variance`` of an ``Estimate``; 0 for a single seed.
    """
    if observed.size == 1:
        return 0.0, 0.0
    own = float((drawn - observed).var(axis=1, ddof=1).mean())
    return own, float(observed.var(ddof=1))
