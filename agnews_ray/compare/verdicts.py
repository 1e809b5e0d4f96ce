"""Each variant against the baseline: difference, tests, correction over all pairs, verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agnews_ray.compare.bootstrap import Counts, Estimate, estimate, seed_variances
from agnews_ray.compare.findings import Interval, Metric, PairFacts, Verdict
from agnews_ray.compare.inference import (
    McNemar,
    correct_together,
    equivalence_p_value,
    exact_mcnemar,
    seeds_to_tell,
    twice_the_median,
)
from agnews_ray.compare.score_test import PairedRows
from agnews_ray.compare.variants import accuracy_of, as_interval, largest_f1_step, macro_f1_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResults:
    """One variant's trials with the compared seeds."""

    name: str
    right: NDArray[np.bool_]
    """Shape (K, N): whether seed k is right on each test row."""
    observed: Counts
    """The counts on all rows."""
    drawn: Counts
    """The counts on drawn test sets, which are the same for every variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    variant: SeedResults
    baseline: SeedResults
    metric: Metric
    accuracy: Estimate
    macro_f1: Estimate
    tests: tuple[McNemar, ...]

    @property
    def judged(self) -> Estimate:
        return self.accuracy if self.metric == "accuracy" else self.macro_f1

    @property
    def mcnemar_p_value(self) -> float:
        return twice_the_median([test.p_value for test in self.tests])

    @property
    def p_value(self) -> float:
        """The p-value of no difference; for a single seed, without a spread, the rows' exact test.

        Macro-F1 has no exact test, because it is not a mean of rows.
        """
        is_exact = len(self.tests) == 1 and self.metric == "accuracy"
        return self.mcnemar_p_value if is_exact else self.judged.p_value()


def judge_pairs(
    pairs: Sequence[tuple[SeedResults, SeedResults]],
    margin: float,
    alpha: float,
    metric: Metric = "accuracy",
) -> tuple[PairFacts, ...]:
    """Compare variants with their baseline.

    Equivalence is tested first: a significant difference that is smaller than the margin is still
    not important.

    Args:
        pairs: variant and baseline on the same seeds, in the same order.
        margin: the difference in the metric below which two variants count as equal.
        alpha: the allowed chance of any wrong statement, difference or equivalence, on any pair.
        metric: the metric that the verdict judges.

    Returns:
        One verdict for each pair.
    """
    found = [_compare(variant, baseline, metric) for variant, baseline in pairs]
    corrected = correct_together(
        [pair.p_value for pair in found],
        [equivalence_p_value(pair.judged, margin) for pair in found],
        alpha,
    )
    facts = []
    adjusted = zip(found, corrected.difference, corrected.equivalence, strict=True)
    for pair, p_value, same in adjusted:
        verdict = _decide(pair.judged.value, p_value, same, alpha)
        level = alpha / corrected.divisor * (2 if verdict == "equivalent" else 1)
        more = _more_seeds(pair, margin, alpha / len(found)) if verdict == "undecided" else None
        facts.append(
            PairFacts(
                variant=pair.variant.name,
                baseline=pair.baseline.name,
                metric=metric,
                num_seeds=len(pair.tests),
                confidence=1 - level,
                accuracy=_interval(pair, "accuracy", level),
                macro_f1=_interval(pair, "macro-f1", level),
                num_only_variant_right=_mean([t.num_only_first for t in pair.tests]),
                num_only_baseline_right=_mean([t.num_only_second for t in pair.tests]),
                mcnemar_p_value=pair.mcnemar_p_value,
                p_value=pair.p_value,
                adjusted_p_value=p_value,
                equivalence_p_value=same,
                verdict=verdict,
                is_different=p_value < alpha,
                num_more_seeds=more,
            )
        )
    return tuple(facts)


def _compare(variant: SeedResults, baseline: SeedResults, metric: Metric) -> _Pair:
    return _Pair(
        variant=variant,
        baseline=baseline,
        metric=metric,
        accuracy=difference_in("accuracy", variant, baseline),
        macro_f1=difference_in("macro-f1", variant, baseline),
        tests=tuple(
            exact_mcnemar(first, second)
            for first, second in zip(variant.right, baseline.right, strict=True)
        ),
    )


def difference_in(metric: Metric, variant: SeedResults, baseline: SeedResults) -> Estimate:
    """Estimate a paired difference, seed by seed, on the same rows.

    Args:
        metric: accuracy, a mean of rows, which is estimated from single rows, or macro-F1, which
            is not.
        variant: the variant, on K seeds.
        baseline: the baseline, on the same seeds.

    Returns:
        The difference, variant minus baseline.
    """
    score = accuracy_of if metric == "accuracy" else macro_f1_of
    observed = score(variant.observed) - score(baseline.observed)
    drawn = score(variant.drawn) - score(baseline.drawn)
    if metric == "macro-f1":
        return estimate(observed, drawn, variant.right.shape[1], largest_f1_step(variant.observed))
    own, between = seed_variances(observed, drawn)
    return Estimate(
        value=float(observed.mean()),
        num_seeds=observed.size,
        rows=PairedRows.of(variant.right, baseline.right, own / observed.size),
        own_variance=own,
        seed_variance=between,
    )


def _interval(pair: _Pair, metric: Metric, level: float) -> Interval:
    """Return a difference's interval, which contains 0 whenever the test does not reject it."""
    found = as_interval(
        pair.accuracy if metric == "accuracy" else pair.macro_f1, level, lowest=-1.0
    )
    if metric == pair.metric and pair.p_value >= level:  # McNemar's exact test is stricter
        return Interval(value=found.value, low=min(found.low, 0.0), high=max(found.high, 0.0))
    return found


def _decide(difference: float, p_value: float, equivalence: float, alpha: float) -> Verdict:
    if equivalence < alpha:
        return "equivalent"
    if p_value < alpha:
        return "better" if difference > 0 else "worse"
    return "undecided"


def _more_seeds(pair: _Pair, margin: float, level: float) -> int | None:
    if len(pair.tests) < 2:
        return None
    wanted = seeds_to_tell(pair.judged, margin, level)
    return None if wanted is None else max(1, wanted - len(pair.tests))


def _mean(counts: Sequence[int]) -> float:
    return sum(counts) / len(counts)
