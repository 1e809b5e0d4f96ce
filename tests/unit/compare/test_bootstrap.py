import numpy as np
import pytest
from scipy import stats

from agnews_ray.compare.bootstrap import count, draw_counts, estimate
from agnews_ray.compare.variants import accuracy_of, macro_f1_of
from agnews_ray.spec.metrics import accuracy, confusion_matrix, macro_f1

NUM_ROWS = 400
NUM_STUDIES = 300


def simulated_study(rng, num_seeds, shift, seed_spread):
    """Labels and two models' predictions: rows of unlike difficulty, seeds of unlike skill."""
    labels = rng.integers(2, size=NUM_ROWS)
    difficulty = rng.normal(size=NUM_ROWS)

    def predict(mean):
        noise = 0.5 * rng.normal(size=(num_seeds, NUM_ROWS))
        skill = seed_spread * rng.normal(size=(num_seeds, 1))
        right = mean + difficulty + noise + skill > 0
        return np.where(right, labels, 1 - labels)

    spread = np.sqrt(1 + 0.25 + seed_spread**2)
    mean = 1.2 * spread
    true = stats.norm.cdf((mean + shift) / spread) - stats.norm.cdf(mean / spread)
    return labels, predict(mean + shift), predict(mean), true


def difference_of(rng, labels, variant, baseline, score=accuracy_of):
    both = np.concatenate([variant, baseline])
    observed, drawn = count(labels, both, 2), draw_counts(labels, both, 2, 200, rng)
    half = len(variant)
    scores = [score(counts) for counts in (observed, drawn)]
    return estimate(*(one[..., :half] - one[..., half:] for one in scores), labels.size)


@pytest.mark.parametrize("num_seeds", [2, 3, 5])
@pytest.mark.parametrize("seed_spread", [0.0, 0.1, 0.3])
def test_intervals_cover_a_known_difference_at_their_nominal_rate(num_seeds, seed_spread):
    rng = np.random.default_rng(num_seeds)
    num_covered = 0
    for _ in range(NUM_STUDIES):
        labels, variant, baseline, true = simulated_study(rng, num_seeds, 0.2, seed_spread)
        low, high = difference_of(rng, labels, variant, baseline).interval(0.05)
        num_covered += low <= true <= high
    monte_carlo_error = np.sqrt(0.95 * 0.05 / NUM_STUDIES)
    assert num_covered / NUM_STUDIES > 0.95 - 2.5 * monte_carlo_error


def test_many_seeds_are_covered_at_no_more_than_their_nominal_rate():
    rng = np.random.default_rng(0)
    num_covered = 0
    for _ in range(NUM_STUDIES):
        labels, variant, baseline, true = simulated_study(rng, 20, 0.2, 0.1)
        low, high = difference_of(rng, labels, variant, baseline).interval(0.2)
        num_covered += low <= true <= high
    assert num_covered / NUM_STUDIES == pytest.approx(0.8, abs=2.5 * np.sqrt(0.16 / NUM_STUDIES))


@pytest.mark.parametrize("seed_spread", [0.0, 0.1, 0.3])
def test_without_a_difference_one_is_found_at_most_at_the_rate_alpha(seed_spread):
    rng = np.random.default_rng(7)
    num_found = 0
    for _ in range(NUM_STUDIES):
        labels, variant, baseline, _ = simulated_study(rng, 3, 0.0, seed_spread)
        num_found += difference_of(rng, labels, variant, baseline).p_value() < 0.05
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
    labels, variant, _, _ = simulated_study(rng, 3, 0.0, 0.1)
    found = difference_of(rng, labels, variant, variant)
    assert (found.value, found.p_value()) == (0.0, 1.0)
    assert found.half_width(0.05) == pytest.approx(1.96 / (NUM_ROWS + 2), rel=1e-3)


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
