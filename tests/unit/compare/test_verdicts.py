from functools import partial

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from agnews_ray.compare.verdicts import judge_pairs
from tests.fakes.simulated import Truth, seed_results, wrong_statement

NUM_STUDIES = 150


def rate_of_wrong(truth, shifts, num_seeds, margin, metric="accuracy"):
    rng = np.random.default_rng(num_seeds)
    return np.mean(
        [
            wrong_statement(rng, truth, shifts, num_seeds, margin, metric=metric)
            for _ in range(NUM_STUDIES)
        ]
    )


@pytest.mark.parametrize("metric", ["accuracy", "macro-f1"])
@pytest.mark.parametrize("num_seeds", [1, 3])
def test_one_promise_holds_for_differences_and_equivalences_together(num_seeds, metric):
    """Two pairs truly equal and two truly at the margin, with room to find out both."""
    margin = 0.04
    truth = Truth(num_rows=1000, seed_spread=0.02, num_classes=4)
    if num_seeds == 1:
        truth = Truth(num_rows=1000, seed_spread=0.0, num_classes=4)  # one seed knows no spread
    rate = rate_of_wrong(truth, (0.0, -margin, 0.0, -margin), num_seeds, margin, metric)
    assert rate <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / NUM_STUDIES)


@pytest.mark.parametrize("num_seeds", [2, 3])
@pytest.mark.parametrize("noise", [0.02, 0.5])
def test_few_rows_are_not_taken_for_equivalence_over_several_seeds(num_seeds, noise):
    truth = Truth(num_rows=400, seed_spread=0.0, noise=noise)
    rate = rate_of_wrong(truth, (-0.005,), num_seeds, 0.005)
    assert rate <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / NUM_STUDIES)


def judged(margin, shifts=(0.0,), num_seeds=5, metric="accuracy"):
    rng = np.random.default_rng(1)
    truth = Truth(num_rows=4000, seed_spread=0.0)
    test_set = truth.rows(rng)
    models = [truth.predict(rng, test_set, shift, num_seeds) for shift in (0.0, *shifts)]
    baseline, *variants = seed_results(rng, test_set[0], models)
    return judge_pairs([(one, baseline) for one in variants], margin, 0.05, metric)


def test_the_interval_beside_a_verdict_is_the_one_it_rests_on():
    (same,) = judged(0.02)
    assert (same.verdict, same.confidence) == ("equivalent", pytest.approx(0.90))
    assert -0.02 < same.accuracy.low < same.accuracy.high < 0.02
    (worse,) = judged(0.001, shifts=(-0.03,))
    assert (worse.verdict, worse.confidence) == ("worse", 0.95)
    assert worse.accuracy.high < 0


@pytest.mark.parametrize("margin", [0.003, 0.008, 0.02, 0.05])
@pytest.mark.parametrize("num_seeds", [1, 3])
def test_no_verdict_contradicts_its_interval(margin, num_seeds):
    for pair in judged(margin, shifts=(0.0, -0.01, -0.02, -0.04), num_seeds=num_seeds):
        low, high = pair.accuracy.low, pair.accuracy.high
        assert (pair.verdict == "equivalent") == (-margin < low and high < margin)
        if pair.verdict in ("better", "worse"):
            assert low > 0 or high < 0
        if pair.verdict == "undecided":
            assert low <= 0 <= high


def test_the_verdict_may_be_on_macro_f1():
    (pair,) = judged(0.001, shifts=(-0.05,), metric="macro-f1", num_seeds=1)
    assert (pair.metric, pair.verdict) == ("macro-f1", "worse")
    assert pair.judged == pair.macro_f1
    assert pair.p_value != pair.mcnemar_p_value  # no exact test exists for it


def test_each_metric_has_an_interval_of_its_own():
    rng = np.random.default_rng(1)
    truth = Truth(num_rows=1000, seed_spread=0.0, num_classes=3)
    test_set = truth.rows(rng)
    labels = test_set[0]
    baseline, variant = (truth.predict(rng, test_set, shift, 2) for shift in (0.0, -0.03))
    first, second = seed_results(rng, labels, [baseline, variant], num_classes=3)
    (found,) = judge_pairs([(second, first)], 0.02, 0.05, "accuracy")

    def difference(score):
        means = [np.mean([score(labels, one) for one in model]) for model in (variant, baseline)]
        return pytest.approx(means[0] - means[1])

    by_class = partial(f1_score, average="macro")
    assert found.accuracy.value == difference(accuracy_score)
    assert found.macro_f1.value == difference(by_class)
    assert found.accuracy.value != pytest.approx(found.macro_f1.value, abs=1e-6)
