"""Simulated studies of known truth: rows of unlike difficulty, seeds of unlike skill."""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from agnews_ray.compare.bootstrap import Estimate, count, draw_counts
from agnews_ray.compare.inference import correct_together, equivalence_p_value
from agnews_ray.compare.score_test import PairedRows
from agnews_ray.compare.verdicts import SeedResults, difference_in
from agnews_ray.record.outputs import Predictions

NUM_DRAWS = 200


@dataclass(frozen=True, kw_only=True)
class Truth:
    """How rows and seeds vary; a row is right where skill, row and noise come to more than 0."""

    num_rows: int = 400
    num_classes: int = 2
    seed_spread: float = 0.1
    noise: float = 0.5
    accuracy: float = 0.9

    @property
    def spread(self):
        return np.sqrt(1 + self.noise**2 + self.seed_spread**2)

    def skill(self, difference):
        """The mean skill at which the expected accuracy is higher by ``difference``."""
        return self.spread * stats.norm.ppf(self.accuracy + difference)

    def rows(self, rng):
        """Labels and difficulties of a test set."""
        return rng.integers(self.num_classes, size=self.num_rows), rng.normal(size=self.num_rows)

    def predict(self, rng, test_set, difference, num_seeds):
        """One model's predictions: shape (K, N); wrong ones fall on the next class."""
        labels, difficulty = test_set
        noise = self.noise * rng.normal(size=(num_seeds, self.num_rows))
        skill = self.skill(difference) + self.seed_spread * rng.normal(size=(num_seeds, 1))
        right = skill + difficulty + noise > 0
        return np.where(right, labels, (labels + 1) % self.num_classes)


def seed_results(rng, labels, models, num_classes=2):
    """Count models' predictions on one set of draws, as a study's assessment does."""
    together = np.concatenate(models)
    observed = count(labels, together, num_classes)
    drawn = draw_counts(labels, together, num_classes, NUM_DRAWS, rng)
    found, start = [], 0
    for number, predicted in enumerate(models):
        seeds = range(start, start + len(predicted))
        start += len(predicted)
        found.append(
            SeedResults(
                name=f"model {number}",
                right=predicted == labels,
                observed=observed.of(seeds),
                drawn=drawn.of(seeds),
            )
        )
    return found


def as_predictions(labels, predicted):
    """One model's seeds as they lie beside records."""
    rows, classes = np.arange(labels.size), np.eye(labels.max() + 1)
    return [
        Predictions(rows=rows, labels=labels, predicted=one, logits=classes[one])
        for one in predicted
    ]


def one_sided_equivalences(num_rows, margin, share_both_ways, is_equivalent):
    """How often one seed is called equivalent at a true difference of ``margin``: enumerated.

    ``share_both_ways`` is the chance of a row that only the second has right; the first's is
    larger by the margin. ``is_equivalent`` takes the counts of both, as arrays.
    """
    counts = [_likely(num_rows, share) for share in (share_both_ways + margin, share_both_ways)]
    first, second = np.meshgrid(*counts, indexing="ij")
    rest = num_rows - first - second
    shares = [share_both_ways + margin, share_both_ways, 1 - 2 * share_both_ways - margin]
    logs = special.gammaln(num_rows + 1)
    for number, share in zip((first, second, rest), shares, strict=True):
        logs = logs + special.xlogy(number, share) - special.gammaln(number + 1)
    chances = np.where(rest >= 0, np.exp(logs), 0.0)
    assert abs(chances.sum() - 1) < 1e-6
    return float((chances * is_equivalent(first, second)).sum())


def _likely(num_rows, share):
    mean = num_rows * share
    reach = 8 * np.sqrt(mean) + 8
    return np.arange(max(0, int(mean - reach)), min(num_rows, int(mean + reach)) + 1)


def differences(num_rows, first, second):
    """Rows of one seed of which so many are right by one of the two only."""
    return PairedRows(
        differences=np.array([-1.0, 0.0, 1.0]),
        counts=np.array([second, num_rows - first - second, first], dtype=float),
    )


def single_seed(num_rows, first, second):
    """The estimate of one seed of which so many rows are right by one of the two only."""
    return Estimate(
        value=(first - second) / num_rows,
        num_seeds=1,
        rows=differences(num_rows, first, second),
        own_variance=0.0,
        seed_variance=0.0,
    )


def said_to_be_equivalent(num_rows, margin, share_both_ways):
    """How often one seed is called equivalent at a true difference of ``margin``: enumerated."""

    def is_equivalent(first, second):
        ends = np.array(
            [
                [_nearest_not_equivalent(num_rows, margin, int(one), step) for step in (-1, 1)]
                for one in second[0]
            ]
        )
        return (ends[:, 0] < first) & (first < ends[:, 1])

    return one_sided_equivalences(num_rows, margin, share_both_ways, is_equivalent)


def _nearest_not_equivalent(num_rows, margin, second, direction):
    near, far = 0, int(margin * num_rows) + 2
    while near < far:
        middle = (near + far) // 2
        first = second + direction * middle
        found = single_seed(num_rows, max(0, first), second)
        if first >= 0 and equivalence_p_value(found, margin) < 0.05:
            near = middle + 1
        else:
            far = middle
    return second + direction * near


def wrong_statement(rng, truth, shifts, num_seeds, margin, alpha=0.05, metric="accuracy"):
    """Whether a study says anything wrong of variants that differ from the baseline by ``shifts``.

    Each is 0 or the margin (or more, below it): a difference found where there is none, or
    equivalence where there is none.
    """
    test_set = truth.rows(rng)
    models = [truth.predict(rng, test_set, shift, num_seeds) for shift in (0.0, *shifts)]
    baseline, *variants = seed_results(rng, test_set[0], models, truth.num_classes)
    judged = [difference_in(metric, variant, baseline) for variant in variants]
    corrected = correct_together(
        [one.p_value() for one in judged],
        [equivalence_p_value(one, margin) for one in judged],
        alpha,
    )
    said = zip(shifts, corrected.difference, corrected.equivalence, strict=True)
    return any(p_value < alpha if shift == 0 else same < alpha for shift, p_value, same in said)
