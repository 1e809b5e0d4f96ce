"""Whether another run of a study agrees with this one: known answers, and rates of false alarms."""

import numpy as np
import pytest
from scipy import stats

from agnews_ray.compare.replication import Difference, against_single_runs, between_studies
from tests.fakes.simulated import Truth, as_predictions

NUM_REPLICATIONS = 400
TOLERANCE = 2.5 * np.sqrt(0.05 * 0.95 / NUM_REPLICATIONS)


def test_the_difference_to_one_run_has_a_prediction_interval():
    ours = [0.944, 0.947, 0.941]
    found = against_single_runs(ours, 0.9441, 1)
    half = stats.t.isf(0.025, 2) * np.std(ours, ddof=1) * np.sqrt(1 / 3 + 1) + 0.00005
    interval = found.interval(0.05)
    assert (interval.low, interval.high) == pytest.approx((-0.0001 - half, -0.0001 + half))


@pytest.mark.parametrize("num_seeds", [2, 3, 5, 10])
def test_exact_replications_disagree_with_one_published_run_in_five_of_a_hundred(num_seeds):
    rng = np.random.default_rng(num_seeds)
    truth = Truth(num_rows=2000, seed_spread=0.03, accuracy=0.945)
    wrong = 0
    for _ in range(NUM_REPLICATIONS):
        test_set = truth.rows(rng)
        right = truth.predict(rng, test_set, 0.0, num_seeds + 1) == test_set[0]
        *ours, published = right.mean(axis=1)
        interval = against_single_runs(ours, round(published, 4), 1).interval(0.05)
        wrong += not interval.low <= 0 <= interval.high
    assert wrong / NUM_REPLICATIONS <= 0.05 + TOLERANCE


@pytest.mark.parametrize("num_seeds", [2, 3, 5, 10])
def test_exact_replications_disagree_with_a_study_in_five_of_a_hundred(num_seeds, monkeypatch):
    monkeypatch.setattr("agnews_ray.compare.replication.NUM_DRAWS", 100)
    rng = np.random.default_rng(num_seeds)
    truth = Truth(num_rows=1000, seed_spread=0.03, accuracy=0.945)
    wrong, num_studies = 0, NUM_REPLICATIONS // 4
    for _ in range(num_studies):
        test_set = truth.rows(rng)
        ours, theirs = (
            as_predictions(test_set[0], truth.predict(rng, test_set, 0.0, count))
            for count in (num_seeds, max(1, num_seeds - 2))
        )
        interval = between_studies(ours, theirs)["Accuracy"].interval(0.05)
        wrong += not interval.low <= 0 <= interval.high
    assert wrong / num_studies <= 0.05 + 2 * TOLERANCE


def test_predictions_that_are_alike_row_by_row_leave_nothing_to_the_rows():
    rng = np.random.default_rng(0)
    truth = Truth(num_rows=500, seed_spread=0.03, accuracy=0.9)
    test_set = truth.rows(rng)
    two = as_predictions(test_set[0], truth.predict(rng, test_set, 0.0, 2))
    found = between_studies(two, two)
    accuracies = [float((one.predicted == one.labels).mean()) for one in two]
    for difference in found.values():
        assert difference.value == 0
        assert difference.row_variance == pytest.approx(0, abs=1e-20)
        assert difference.degrees_of_freedom == 2
    # Two groups of the same two: the pooled variance of one, over two runs each.
    assert found["Accuracy"].seed_variance == pytest.approx(np.var(accuracies, ddof=1))


def test_a_real_difference_is_found(tmp_path):
    ours = 0.95 + 0.002 * np.random.default_rng(0).normal(size=5)
    interval = against_single_runs(ours.tolist(), 0.93, 1).interval(0.05)
    assert interval.low > 0


def test_a_single_run_of_each_shows_no_spread():
    assert against_single_runs([0.944], 0.9441, 1) is None
    test_set = Truth(num_rows=50).rows(np.random.default_rng(0))
    one = as_predictions(test_set[0], test_set[0][None])
    assert between_studies(one, one) == {}


def test_the_two_variances_add_up_in_squares_of_their_own_quantiles():
    facts = {"value": 0.01, "degrees_of_freedom": 3, "rounding": 0.001}
    rows = Difference(row_variance=4e-4, seed_variance=0.0, **facts).interval(0.05)
    seeds = Difference(row_variance=0.0, seed_variance=4e-4, **facts).interval(0.05)
    both = Difference(row_variance=4e-4, seed_variance=4e-4, **facts).interval(0.05)
    assert rows.high - 0.01 == pytest.approx(0.02 * 1.959964 + 0.001)
    assert seeds.high - 0.01 == pytest.approx(0.02 * 3.182446 + 0.001)
    assert both.high - 0.01 == pytest.approx(0.02 * np.hypot(1.959964, 3.182446) + 0.001)
    assert both.value - both.low == pytest.approx(both.high - both.value)


def test_studies_of_unlike_numbers_of_seeds_pool_their_spread():
    labels = np.arange(100) % 2

    def with_wrong(*counts):
        predicted = [np.where(np.arange(100) < count, 1 - labels, labels) for count in counts]
        return as_predictions(labels, np.stack(predicted))

    found = between_studies(with_wrong(2, 4, 6), with_wrong(5))["Accuracy"]
    assert found.value == pytest.approx(0.01)
    assert found.degrees_of_freedom == 2
    # The squares of 0.02, 0 and 0.02 over two degrees of freedom, for means of three and of one.
    assert found.seed_variance == pytest.approx(4e-4 * (1 / 3 + 1), rel=1e-4)
