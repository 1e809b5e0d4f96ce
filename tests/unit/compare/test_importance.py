"""Importances of simulated searches whose truth is known in closed form."""

import numpy as np
import pytest

from agnews_ray.compare.importance import FEWEST_SETTINGS, Tried, explain

SLOPES = np.array([0.1, 0.06, 0.0])
NOISE = 0.01


def true_shares():
    """Of a linear score of uniform places: each slope squared over 12, and the noise."""
    parts = np.array([*SLOPES**2 / 12, NOISE**2])
    return parts / parts.sum()


def a_random_search(seed, num_settings=20, score=lambda places: places @ SLOPES, noise=NOISE):
    rng = np.random.default_rng(seed)
    places = rng.random((num_settings, 3))
    return tried(places, score(places) + noise * rng.normal(size=num_settings))


def tried(places, scores, done=None, is_choice=None):
    return Tried(
        places=places,
        is_choice=is_choice or (False,) * places.shape[1],
        done=np.ones(len(scores)) if done is None else done,
        scores=scores,
    )


def test_intervals_hold_the_true_shares_of_simulated_searches():
    covered = []
    for seed in range(8):
        shares = explain(a_random_search(seed))
        for share, truth in zip((*shares.parameters, shares.noise), true_shares(), strict=True):
            covered.append(share.low - 0.01 <= truth <= share.high + 0.01)
    assert np.mean(covered) >= 0.9  # 95 % each: fewer in 4 % of all runs of this test


def test_a_parameter_that_works_with_another_only_is_important():
    shares = explain(
        a_random_search(1, 40, lambda places: np.sign(places[:, 0] - 0.5) * (places[:, 1] - 0.5))
    )
    first, second, none = shares.parameters
    assert min(first.low, second.low) > 0.3
    assert none.high < 0.2


def test_where_nothing_matters_no_parameter_is_found_to():
    shares = explain(a_random_search(3, 30, lambda places: np.full(len(places), 0.9)))
    assert max(share.low for share in shares.parameters) < 0.05


def test_scores_of_stopped_trials_are_compared_with_their_like():
    # Alike but for what they finished: without that, the second parameter would seem to matter.
    rng = np.random.default_rng(0)
    places = rng.random((40, 2))
    done = np.where(places[:, 1] < 0.5, 0.25, 1.0)
    scores = places[:, 0] + (done == 1) + 0.05 * rng.normal(size=40)
    first, second = explain(tried(places, scores, done)).parameters
    assert second.low < 0.05 < first.value
    without = explain(tried(places, scores)).parameters
    assert without[1].low > 0.3


@pytest.mark.parametrize("order", [(0.0, 0.5, 1.0), (1.0, 0.0, 0.5)])
def test_choices_have_no_order(order):
    scores = np.tile([0.8, 0.9, 0.85], 8) + 0.001 * np.random.default_rng(0).normal(size=24)
    places = np.tile(order, 8)[:, None]
    (share,) = explain(tried(places, scores, is_choice=(True,))).parameters
    assert share.low > 0.8


def test_few_settings_or_equal_scores_have_no_importances():
    few = a_random_search(0, FEWEST_SETTINGS - 1)
    equal = a_random_search(0, score=lambda places: np.full(len(places), 0.9), noise=0.0)
    assert (explain(few), explain(equal)) == (None, None)
    assert explain(a_random_search(0, FEWEST_SETTINGS)) is not None


def test_the_same_search_has_the_same_importances():
    assert explain(a_random_search(5)) == explain(a_random_search(5))
