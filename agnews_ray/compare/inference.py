"""Intervals and tests by statsmodels, under the names and shapes that this project uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
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


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that comparing each with alpha bounds the chance of any false finding.

    Args:
        p_values: one for each hypothesis of the family.

    Returns:
        Adjusted p-values, in order.

    Source: Holm 1979, Scandinavian Journal of Statistics 6(2); ``statsmodels``' ``multipletests``.
    """
    if not p_values:
        return []
    return [float(p) for p in multipletests(p_values, method="holm")[1]]


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
    needed = difference.half_width(alpha, num_seeds)
    if error == 0:
        return float(distance > needed or distance < margin - needed)
    different = stats.norm.sf((needed - distance) / error)
    room = margin - difference.half_width(2 * alpha, num_seeds)  # one-sided
    same = stats.norm.cdf((room - distance) / error) - stats.norm.cdf((-room - distance) / error)
    return float(max(different, same))
