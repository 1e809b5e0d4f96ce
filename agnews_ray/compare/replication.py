"""Whether another run of a study agrees with this one: differences of two means."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agnews_ray.compare.bootstrap import Counts, count, draw_counts
from agnews_ray.compare.findings import Interval
from agnews_ray.compare.variants import Score, accuracy_of, macro_f1_of
from agnews_ray.record.outputs import Predictions

NUM_DRAWS = 1000
DRAWS_SEED = 20_261_126
ROUNDING = 0.00005
"""Half of the last digit of published scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The difference of two means, each over its own seeds."""

    value: float
    row_variance: float
    """The variance that drawing the test rows adds; 0 if both were scored on the same rows, so that
    only the seeds can differ."""
    seed_variance: float
    """The variance of the difference from the seeds: s² (1 / K + 1 / L)."""
    degrees_of_freedom: int
    """The degrees of freedom of that variance; at least 1."""
    rounding: float = 0.0

    def interval(self, alpha: float) -> Interval:
        """Return the interval at 1 - alpha: normal for rows, Student's t for seeds, in squares."""
        rows = stats.norm.isf(alpha / 2) ** 2 * self.row_variance
        seeds = stats.t.isf(alpha / 2, self.degrees_of_freedom) ** 2 * self.seed_variance
        half = float((rows + seeds) ** 0.5) + self.rounding
        return Interval(value=self.value, low=self.value - half, high=self.value + half)


def against_single_runs(
    ours: Sequence[float], published: float, num_runs: int
) -> Difference | None:
    """Compare a mean over K seeds with the mean of other runs whose own spread is not known.

    If they repeat the same recipe on the same test rows, their runs are further draws of the same
    distribution as our seeds: this is a prediction interval for the mean of that many runs.

    Args:
        ours: shape (K,): one score per seed.
        published: the mean of the other runs, rounded to four digits.
        num_runs: the number of those runs.

    Returns:
        The difference, ours minus theirs; None for a single seed, which shows no spread.

    Source: Hahn and Meeker 1991, "Statistical Intervals", section 4.8: s (1 / K + 1 / L)^0.5 t.
    """
    if len(ours) < 2:
        return None
    return Difference(
        value=float(np.mean(ours)) - published,
        row_variance=0.0,
        seed_variance=float(np.var(ours, ddof=1)) * (1 / len(ours) + 1 / num_runs),
        degrees_of_freedom=len(ours) - 1,
        rounding=ROUNDING,
    )


def between_studies(
    ours: Sequence[Predictions], theirs: Sequence[Predictions]
) -> dict[str, Difference]:
    """Compare two studies of one recipe on the same test rows.

    Seeds are independent draws in each study, with the same variance in both; rows are paired.

    Args:
        ours: predictions of each of K seeds.
        theirs: predictions of each of L seeds, for the same rows.

    Returns:
        The differences in accuracy and macro-F1, ours minus theirs; empty if each has one seed.
    """
    degrees = len(ours) + len(theirs) - 2
    if degrees == 0:
        return {}
    labels = ours[0].labels
    predicted = np.stack([one.predicted for one in (*ours, *theirs)])
    num_classes = ours[0].logits.shape[1]
    rng = np.random.default_rng(DRAWS_SEED)
    observed = count(labels, predicted, num_classes)
    drawn = draw_counts(labels, predicted, num_classes, NUM_DRAWS, rng)
    named: dict[str, Score] = {"Accuracy": accuracy_of, "Macro-F1": macro_f1_of}
    return {
        name: _difference(score, observed, drawn, len(ours), degrees)
        for name, score in named.items()
    }


def _difference(
    score: Score, observed: Counts, drawn: Counts, num_ours: int, degrees: int
) -> Difference:
    scores, resampled = score(observed), score(drawn)
    means = resampled[:, :num_ours].mean(axis=1) - resampled[:, num_ours:].mean(axis=1)
    groups: list[NDArray[np.float64]] = [scores[:num_ours], scores[num_ours:]]
    pooled = sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / degrees
    return Difference(
        value=float(groups[0].mean() - groups[1].mean()),
        row_variance=float(means.var(ddof=1)),
        seed_variance=pooled * sum(1 / group.size for group in groups),
        degrees_of_freedom=degrees,
    )
