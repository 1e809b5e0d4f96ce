"""Intervals and tests by statsmodels, under the names and shapes that this project uses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from agnews_ray.compare.bootstrap import Estimate

POWER = 0.8
"""Chance of settling a question, from which the number of seeds is computed."""

MAX_SEEDS = 200
"""Where so many seeds would not tell, the test rows are what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """Rows on which exactly one of two classifiers is right."""

    num_only_first: int
    num_only_second: int
    p_value: float


def wilson_interval(num_right: int, num_rows: int, alpha: float) -> tuple[float, float]:
    """Interval of a proportion.

    Args:
        num_right: rows counted.
        num_rows: out of these; at least 1.
        alpha: 1 - confidence.

    Returns:
        Lower and upper end, in [0, 1].

    Source: Wilson 1927, JASA 22(158); ``statsmodels.stats.proportion.proportion_confint``.
    """
    low, high = proportion_confint(num_right, num_rows, alpha=alpha, method="wilson")
    return float(low), float(high)


def exact_mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemar:
    """Test whether two classifiers are right equally often on the same rows.

    Args:
        first_right: shape (N,).
        second_right: shape (N,).

    Returns:
        The discordant rows and the exact (binomial) two-sided p-value.

    Source: McNemar 1947, Psychometrika 12(2); ``statsmodels``' ``mcnemar(exact=True)``.
    """
    both = int((first_right & second_right).sum())
    only_first = int((first_right & ~second_right).sum())
    only_second = int((~first_right & second_right).sum())
    neither = first_right.size - both - only_first - only_second
    found = mcnemar([[both, only_first], [only_second, neither]], exact=True)
    return McNemar(
        num_only_first=only_first, num_only_second=only_second, p_value=min(1.0, found.pvalue)
    )


def twice_the_median(p_values: Sequence[float]) -> float:
    """Combine p-values of one hypothesis that may depend on each other in any way.

    Args:
        p_values: at least one; a single one stays as it is.

    Returns:
        A valid p-value.

    Source: Rüger 1978, "Das maximale Signifikanzniveau des Tests ...", Metrika 25.
    """
    return p_values[0] if len(p_values) == 1 else min(1.0, 2 * median(p_values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """P-values of a study's pairs after one correction over all that is said of them."""

    difference: tuple[float, ...]
    equivalence: tuple[float, ...]
    divisor: int
    """What alpha was divided by in the last step: the level that intervals go by."""


def correct_together(
    difference: Sequence[float], equivalence: Sequence[float], alpha: float
) -> Corrected:
    """Adjust p-values so that comparing each with alpha bounds the chance of any wrong statement.

    Differences and equivalences of all pairs are one family. Of a pair's two hypotheses, "no
    difference" and "a difference of at least the margin", at most one is true; so of M pairs no
    more than M hypotheses are, and one less for each pair of which both have been rejected.

    Args:
        difference: shape (M,), p-values of no difference.
        equivalence: shape (M,), p-values of a difference of at least the margin.
        alpha: chance allowed; it decides the divisor and nothing else.

    Returns:
        Adjusted p-values, in order.

    Source: Shaffer 1986, JASA 81(395), "Modified sequentially rejective multiple test
    procedures", procedure S2. It holds for p-values that depend on each other in any way.
    """
    num_pairs = len(difference)
    order = sorted(
        [(p, pair, 0) for pair, p in enumerate(difference)]
        + [(p, pair, 1) for pair, p in enumerate(equivalence)]
    )
    adjusted = np.ones((2, num_pairs))
    rejected = [0] * num_pairs
    highest, divisor, is_open = 0.0, max(1, num_pairs), True
    for p_value, pair, kind in order:
        num_true = num_pairs - rejected.count(2)
        highest = max(highest, min(1.0, p_value * num_true))
        adjusted[kind, pair] = highest
        rejected[pair] += 1
        if is_open:
            divisor, is_open = num_true, highest < alpha
    return Corrected(
        difference=tuple(adjusted[0].tolist()),
        equivalence=tuple(adjusted[1].tolist()),
        divisor=divisor,
    )


def equivalence_p_value(difference: Estimate, margin: float) -> float:
    """Two one-sided tests: how surely a difference lies within ``margin`` of zero.

    Args:
        difference: over seeds and rows.
        margin: delta > 0, in the metric's unit.

    Returns:
        The larger of the two one-sided p-values; below alpha, the two are equivalent.

    Source: Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15(6).
    """
    return max(
        difference.one_sided_p_value(-margin, is_above=True),
        difference.one_sided_p_value(margin, is_above=False),
    )


def seeds_to_tell(difference: Estimate, margin: float, alpha: float) -> int | None:
    """Smallest number of seeds that would settle a question, were the difference as seen.

    Settled means, with a chance of ``POWER``: either the test finds the difference, or two
    one-sided tests find it within the margin. Variances are taken from the seeds there are.

    Args:
        difference: over at least two seeds.
        margin: of equivalence, in the metric's unit.
        alpha: level of each test.

    Returns:
        The number of seeds in all, or None where ``MAX_SEEDS`` would not do on as many test rows.

    Source: the normal approximation to the power of both tests, with Student's critical values;
    Chow, Shao and Wang 2008, "Sample Size Calculations in Clinical Research", section 3.1.
    """
    for num_seeds in range(2, MAX_SEEDS + 1):
        if _power(difference, margin, alpha, num_seeds) >= POWER:
            return num_seeds
    return None


def _power(difference: Estimate, margin: float, alpha: float, num_seeds: int) -> float:
    """Chance that so many seeds settle it, by the better of the two tests."""
    # The rows stay the same: what they add to the difference is in the one that was seen.
    error = difference.seed_error(num_seeds)
    distance = abs(difference.value)
    needed = difference.half_width(alpha, 0.0, num_seeds)
    at_margin = math.copysign(margin, difference.value)
    room = margin - difference.half_width(2 * alpha, at_margin, num_seeds)  # one-sided
    if error == 0:
        return float(distance > needed or distance < room)
    different = stats.norm.sf((needed - distance) / error)
    same = stats.norm.cdf((room - distance) / error) - stats.norm.cdf((-room - distance) / error)
    return float(max(different, same))
