import numpy as np
import pytest
from scipy import stats

from agnews_ray.compare.bootstrap import count, draw_counts, estimate
from agnews_ray.compare.variants import accuracy_of, macro_f1_of
from agnews_ray.compare.verdicts import difference_in
from agnews_ray.spec.metrics import accuracy, confusion_matrix, macro_f1
from tests.fakes.simulated import Truth, seed_results

NUM_ROWS = 400
NUM_STUDIES = 300


def simulated_difference(rng, truth, num_seeds, difference=0.0):
    test_set = truth.rows(rng)
    models = [truth.predict(rng, test_set, shift, num_seeds) for shift in (difference, 0.0)]
    return difference_in("accuracy", *seed_results(rng, test_set[0], models))


@pytest.mark.parametrize("num_seeds", [2, 3, 5])
@pytest.mark.parametrize("seed_spread", [0.0, 0.1, 0.3])
def test_intervals_cover_a_known_difference_at_their_nominal_rate(num_seeds, seed_spread):
    rng, true = np.random.default_rng(num_seeds), 0.02
    truth = Truth(num_rows=NUM_ROWS, seed_spread=seed_spread)
    num_covered = sum(
        simulated_difference(rng, truth, num_seeds, true).p_value(true) >= 0.05
        for _ in range(NUM_STUDIES)
    )
    monte_carlo_error = np.sqrt(0.95 * 0.05 / NUM_STUDIES)
    assert num_covered / NUM_STUDIES > 0.95 - 2.5 * monte_carlo_error


def test_many_seeds_are_covered_at_no_more_than_their_nominal_rate():
    rng, true = np.random.default_rng(0), 0.02
    num_covered = sum(
        simulated_difference(rng, Truth(), 20, true).p_value(true) >= 0.2
        for _ in range(NUM_STUDIES)
    )
    assert num_covered / NUM_STUDIES == pytest.approx(0.8, abs=2.5 * np.sqrt(0.16 / NUM_STUDIES))


@pytest.mark.parametrize("seed_spread", [0.0, 0.1, 0.3])
def test_without_a_difference_one_is_found_at_most_at_the_rate_alpha(seed_spread):
    rng = np.random.default_rng(7)
    truth = Truth(seed_spread=seed_spread)
    num_found = sum(
        simulated_difference(rng, truth, 3).p_value() < 0.05 for _ in range(NUM_STUDIES)
    )
    assert num_found / NUM_STUDIES <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / NUM_STUDIES)


def test_rows_alone_give_the_binomial_standard_error():
    rng = np.random.default_rng(1)
    labels = np.zeros(1000, dtype=np.int64)
    predicted = (rng.random((1, 1000)) < 0.2).astype(np.int64)
    observed, drawn = count(labels, predicted, 2), draw_counts(labels, predicted, 2, 4000, rng)
    found = estimate(accuracy_of(observed), accuracy_of(drawn), 1000)
    share = found.value
    assert found.half_width(0.05) / 1.96 == pytest.approx(
        np.sqrt(share * (1 - share) / 1000), rel=0.05
    )


def test_seeds_alone_give_their_t_interval_and_t_test():
    observed = np.array([0.90, 0.92, 0.97])
    found = estimate(observed, np.tile(observed, (100, 1)), 10**9)  # rows change nothing
    expected = stats.ttest_1samp(observed, 0.9)
    assert found.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert found.p_value(0.9) == pytest.approx(expected.pvalue)
    assert found.one_sided_p_value(0.9, is_above=True) == pytest.approx(expected.pvalue / 2)
    assert found.one_sided_p_value(0.9, is_above=False) == pytest.approx(1 - expected.pvalue / 2)


def test_identical_models_do_not_differ_and_few_rows_are_no_certainty():
    rng = np.random.default_rng(1)
    truth = Truth()
    test_set = truth.rows(rng)
    one = truth.predict(rng, test_set, 0.0, 3)
    found = difference_in("accuracy", *seed_results(rng, test_set[0], [one, one]))
    assert (found.value, found.p_value()) == (0.0, 1.0)
    square = stats.norm.isf(0.025) ** 2  # no discordant row of N: Tango's ends are z²/(N + z²)
    end = square / (NUM_ROWS + square)
    assert found.interval() == pytest.approx((-end, end), rel=1e-6)


def test_counts_give_the_scores_that_confusions_give():
    rng = np.random.default_rng(3)
    labels = rng.integers(5, size=300)
    predicted = np.where(rng.random((4, 300)) < 0.7, labels, rng.integers(5, size=(4, 300)))
    counts = count(labels, predicted, 5)
    confusions = [confusion_matrix(labels, one, 5) for one in predicted]
    assert accuracy_of(counts).tolist() == [accuracy(one) for one in confusions]
    assert macro_f1_of(counts) == pytest.approx([macro_f1(one) for one in confusions])


def test_every_model_is_drawn_on_the_same_rows():
    rng = np.random.default_rng(3)
    labels = rng.integers(3, size=100)
    predicted = np.tile(rng.integers(3, size=100), (2, 1))
    drawn = draw_counts(labels, predicted, 3, 50, rng)
    assert (drawn.hits[:, 0] == drawn.hits[:, 1]).all()
    assert (drawn.actual.sum(axis=-1) == 100).all()
    assert len(np.unique(drawn.hits[:, 0], axis=0)) > 1
