"""Intervals and tests of statsmodels, with the names and shapes of this project."""

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
"""The chance of deciding a question, from which the number of seeds is computed."""

MAX_SEEDS = 200
"""The largest number of seeds; if it would not decide, more test rows are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """The rows on which exactly one of two classifiers is right."""

    num_only_first: int
    num_only_second: int
    p_value: float


def wilson_interval(num_right: int, num_rows: int, alpha: float) -> tuple[float, float]:
    """Compute the interval of a proportion.

    Args:
        num_right: the number of right rows.
        num_rows: the number of all rows; at least 1.
        alpha: 1 - confidence.

    Returns:
        The lower and upper end, in [0, 1].

    Source: Wilson 1927, JASA 22(158); ``statsmodels.stats.proportion.proportion_confint``.
    """
    low, high = proportion_confint(num_right, num_rows, alpha=alpha, method="wilson")
    return float(low), float(high)


def exact_mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemar:
    """Test whether two classifiers are right equally often on the same rows.

    Args:
        first_right: shape (N,): whether the first is right on each row.
        second_right: shape (N,): the same for the second.

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
    """Combine p-values of one hypothesis, which may depend on each other in any way.

    Args:
        p_values: at least one; a single one is returned unchanged.

    Returns:
        A valid p-value.

    Source: Rüger 1978, "Das maximale Signifikanzniveau des Tests ...", Metrika 25.
    """
    return p_values[0] if len(p_values) == 1 else min(1.0, 2 * median(p_values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """The p-values of a study's pairs after one correction over all statements about them."""

    difference: tuple[float, ...]
    equivalence: tuple[float, ...]
    divisor: int
    """The number by which alpha was divided in the last step; it sets the intervals' level."""


def correct_together(
    difference: Sequence[float], equivalence: Sequence[float], alpha: float
) -> Corrected:
    """Adjust p-values so that comparing each with alpha bounds the chance of any wrong statement.

    Differences and equivalences of all pairs are one family. At most one of a pair's two
    hypotheses, "no difference" and "a difference of at least the margin", is true. So at most M
    hypotheses of M pairs are true, and one less for each pair whose hypotheses have both been
    rejected.

    Args:
        difference: shape (M,): the p-values of no difference.
        equivalence: shape (M,): the p-values of a difference of at least the margin.
        alpha: the allowed chance; it affects only the divisor.

    Returns:
        The adjusted p-values, in the same order.

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
    """Test with two one-sided tests whether a difference is within ``margin`` of zero.

    Args:
        difference: the difference, over seeds and rows.
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
    """Return the number of seeds that would decide if the true difference is the observed one.

    Decided means that, with a chance of ``POWER``, either the test finds the difference or two
    one-sided tests find it within the margin. Variances come from the existing seeds.

    Args:
        difference: the difference, over at least two seeds.
        margin: the margin of equivalence, in the metric's unit.
        alpha: the level of each test.

    Returns:
        The total number of seeds, or None if ``MAX_SEEDS`` on the same number of test rows are too
        few.

    Source: the normal approximation to the power of both tests, with Student's critical values;
    Chow, Shao and Wang 2008, "Sample Size Calculations in Clinical Research", section 3.1.
    """
    for num_seeds in range(2, MAX_SEEDS + 1):
        if _power(difference, margin, alpha, num_seeds) >= POWER:
            return num_seeds
    return None


def _power(difference: Estimate, margin: float, alpha: float, num_seeds: int) -> float:
    """Return the chance that this many seeds decide, by the better of the two tests."""
    # The rows stay the same: their effect is already part of the observed difference.
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
