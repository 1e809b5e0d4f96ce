"""A hierarchical bootstrap over seeds, then test rows: numpy and scipy, no knowledge of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUM_DRAWS = 1000
DRAWS_AT_A_TIME = 100
"""Bounds memory: so many test sets are held as row counts at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """What an estimate's uncertainty is made of: variances of one seed's metric."""

    num_seeds: int
    between_seeds: float
    """Variance between seeds' true metrics; never negative."""
    between_seeds_observed: float
    """Sample variance between the seeds' metrics, row noise included."""
    rows: float
    """Variance that drawing the test rows adds to all seeds alike; more seeds do not shrink it."""
    rows_by_seed: float
    """Variance that it adds to each seed separately."""

    def variance(self, num_seeds: int) -> float:
        """Variance of the mean over ``num_seeds`` seeds on the same number of rows."""
        return self.rows + (self.between_seeds + self.rows_by_seed) / num_seeds

    def degrees_of_freedom(self, num_seeds: int) -> float:
        """Welch-Satterthwaite degrees of freedom of ``variance(num_seeds)``; inf for one seed.

        Source: Satterthwaite 1946, "An approximate distribution of estimates of variance
        components", Biometrics Bulletin 2(6).
        """
        uncertain = self.between_seeds_observed / num_seeds
        if num_seeds < 2 or uncertain == 0:
            return np.inf
        return (num_seeds - 1) * (self.variance(num_seeds) / uncertain) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over seeds, with its uncertainty over seeds and test rows."""

    value: float
    standard_error: float
    degrees_of_freedom: float
    components: Components

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The two-sided t interval.

        Args:
            confidence: in (0, 1).

        Returns:
            Lower and upper end, in the metric's unit.
        """
        half = stats.t.ppf(0.5 + confidence / 2, self.degrees_of_freedom) * self.standard_error
        return self.value - half, self.value + half

    def p_value(self, null: float = 0.0, side: str = "two-sided") -> float:
        """Probability of a value at least this far from ``null``, were ``null`` true.

        Args:
            null: the hypothesis.
            side: ``greater``: the alternative is a value above ``null``; ``less``; ``two-sided``.

        Returns:
            A probability; 1 where nothing varies and the value is ``null``, 0 where it is not.
        """
        distance = self.value - null
        if self.standard_error == 0:
            beyond = {"greater": distance > 0, "less": distance < 0, "two-sided": distance != 0}
            return 0.0 if beyond[side] else 1.0
        score = distance / self.standard_error
        tails = {"greater": score, "less": -score, "two-sided": abs(score)}
        p = float(stats.t.sf(tails[side], self.degrees_of_freedom))
        return 2 * p if side == "two-sided" else p


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


def estimate(observed: Floats, drawn: Floats, rng: np.random.Generator) -> Estimate:
    """Estimate a mean over seeds by resampling seeds, then test rows.

    Seeds are resampled around their mean after their deviations were scaled so that the resampled
    variance is unbiased: sqrt(K / (K - 1)) for their small number, less the row noise that the
    deviations already contain. Plain resampling of three seeds would claim a third too little
    variance. The draws give the standard error, Student's t the quantile, because the variance
    between a few seeds is itself uncertain.

    Args:
        observed: shape (K,), each seed's metric (or difference) on all rows.
        drawn: shape (B, K), the same on each drawn test set, all seeds on the same rows.
        rng: source of the seeds' resampling.

    Returns:
        The estimate. With one seed its uncertainty is that of the rows alone.

    Source: Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 3.8.
    """
    num_draws, num_seeds = drawn.shape
    value = float(observed.mean())
    common = drawn.mean(axis=1)
    common_variance = float(common.var(ddof=1))
    if num_seeds == 1:
        alone = Components(
            num_seeds=1,
            between_seeds=0.0,
            between_seeds_observed=0.0,
            rows=0.0,
            rows_by_seed=common_variance,
        )
        return Estimate(
            value=value,
            standard_error=common_variance**0.5,
            degrees_of_freedom=np.inf,
            components=alone,
        )
    by_seed = float((drawn - observed).var(axis=1, ddof=1).mean())
    seen = float(observed.var(ddof=1))
    between = max(0.0, seen - by_seed)
    scale = (num_seeds / (num_seeds - 1) * between / seen) ** 0.5 if between else 0.0
    chosen = rng.integers(num_seeds, size=(num_draws, num_seeds))
    draws = common + scale * (observed - value)[chosen].mean(axis=1)
    parts = Components(
        num_seeds=num_seeds,
        between_seeds=between,
        between_seeds_observed=seen,
        rows=max(0.0, common_variance - by_seed / num_seeds),
        rows_by_seed=by_seed,
    )
    return Estimate(
        value=value,
        standard_error=float(draws.std(ddof=1)),
        degrees_of_freedom=parts.degrees_of_freedom(num_seeds),
        components=parts,
    )
