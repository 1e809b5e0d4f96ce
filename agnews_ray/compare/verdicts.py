"""Each variant against the baseline: difference, tests, correction over all pairs, verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agnews_ray.compare.bootstrap import Counts, Estimate, estimate
from agnews_ray.compare.facts import PairFacts, Verdict
from agnews_ray.compare.inference import (
    McNemar,
    equivalence_p_value,
    exact_mcnemar,
    holm,
    seeds_to_tell,
    twice_the_median,
)
from agnews_ray.compare.variants import Score, accuracy_of, as_interval, macro_f1_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResults:
    """One variant's trials on the seeds that are compared."""

    name: str
    right: NDArray[np.bool_]
    """Shape (K, N): whether seed k is right on each test row."""
    observed: Counts
    """On all rows."""
    drawn: Counts
    """On drawn test sets, the same for every variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    variant: SeedResults
    baseline: SeedResults
    accuracy: Estimate
    macro_f1: Estimate
    tests: tuple[McNemar, ...]

    @property
    def mcnemar_p_value(self) -> float:
        return twice_the_median([test.p_value for test in self.tests])

    @property
    def p_value(self) -> float:
        """A single seed says nothing of the spread over seeds: then the rows' own test."""
        return self.accuracy.p_value() if len(self.tests) > 1 else self.mcnemar_p_value


def judge_pairs(
    pairs: Sequence[tuple[SeedResults, SeedResults]],
    margin: float,
    alpha: float,
) -> tuple[PairFacts, ...]:
    """Compare variants with their baseline.

    Equivalence is looked at first: a difference smaller than what matters does not become
    important by being significant.

    Args:
        pairs: variant and baseline on the same seeds, in the same order.
        margin: difference in accuracy below which two are as good as equal.
        alpha: chance allowed for any wrong finding among all pairs.

    Returns:
        One verdict for each pair.
    """
    found = [_compare(variant, baseline) for variant, baseline in pairs]
    adjusted = holm([pair.p_value for pair in found])
    equivalence = holm([equivalence_p_value(pair.accuracy, margin) for pair in found])
    level = alpha / max(1, len(found))
    facts = []
    for pair, p_value, same in zip(found, adjusted, equivalence, strict=True):
        verdict = _decide(pair.accuracy.value, p_value, same, alpha)
        more = _more_seeds(pair, margin, level) if verdict == "undecided" else None
        facts.append(
            PairFacts(
                variant=pair.variant.name,
                baseline=pair.baseline.name,
                num_seeds=len(pair.tests),
                accuracy=as_interval(pair.accuracy, alpha, lowest=-1.0),
                macro_f1=as_interval(pair.macro_f1, alpha, lowest=-1.0),
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


def _compare(variant: SeedResults, baseline: SeedResults) -> _Pair:
    return _Pair(
        variant=variant,
        baseline=baseline,
        accuracy=_difference(accuracy_of, variant, baseline),
        macro_f1=_difference(macro_f1_of, variant, baseline),
        tests=tuple(
            exact_mcnemar(first, second)
            for first, second in zip(variant.right, baseline.right, strict=True)
        ),
    )


def _difference(score: Score, variant: SeedResults, baseline: SeedResults) -> Estimate:
    return estimate(
        score(variant.observed) - score(baseline.observed),
        score(variant.drawn) - score(baseline.drawn),
        variant.right.shape[1],
    )


def _decide(difference: float, p_value: float, equivalence: float, alpha: float) -> Verdict:
    if equivalence < alpha:
        return "equivalent"
    if p_value < alpha:
        return "better" if difference > 0 else "worse"
    return "undecided"


def _more_seeds(pair: _Pair, margin: float, level: float) -> int | None:
    if len(pair.tests) < 2:
        return None
    wanted = seeds_to_tell(pair.accuracy, margin, level)
    return None if wanted is None else max(1, wanted - len(pair.tests))


def _mean(counts: Sequence[int]) -> float:
    return sum(counts) / len(counts)
