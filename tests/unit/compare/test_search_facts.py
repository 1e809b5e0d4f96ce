"""What a search found, on records of known truth."""

from statistics import fmean, stdev

import pytest
from scipy import stats

from agnews_ray.compare.search_facts import search_facts
from agnews_ray.compare.searches import searches_of
from tests.fakes.facts import a_pair
from tests.fakes.searched import a_search, a_trial

RATE = "recipe.learning_rate"


@pytest.fixture(scope="module")
def trials():
    return a_search()


@pytest.fixture(scope="module")
def found(trials):
    return facts_of(trials)


def facts_of(trials, winners=(), pairs=(), defaults=()):
    (search,) = searches_of(trials, [])
    return search_facts(search, winners, defaults, pairs)


def three_trials():
    return [a_trial(n, {RATE: 10.0**-n}, score) for n, score in ((3, 0.8), (4, 0.9), (5, 0.7))]


def winners_with(scores, rate=1e-4):
    """The trials of the best setting on new seeds, by their validation scores."""
    return [a_trial(0, {RATE: rate}, score, seed=9 + n) for n, score in enumerate(scores)]


def test_the_parameter_that_decides_is_the_most_important(found):
    assert found.parameters[0].path == RATE
    assert found.parameters[0].importance.low > 0.5
    assert all(one.importance.high < 0.3 for one in found.parameters[1:])
    assert found.noise.high < 0.3
    assert found.why_no_importance == ""


def test_values_decide_how_an_axis_is_drawn(found):
    assert {one.name: one.scale for one in found.parameters} == {
        "learning_rate": "log",
        "weight_decay": "log",
        "global_batch_size": "linear",
        "class_weights": "choice",
    }
    batch = next(one for one in found.parameters if one.name == "global_batch_size")
    assert batch.values == (8, 16, 32)
    assert [batch.place(value) for value in (8, 16, 32)] == pytest.approx([0, 1 / 3, 1])


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors():
    (rate,) = facts_of(three_trials()).parameters
    assert [rate.place(value) for value in (1e-5, 1e-4, 1e-3)] == pytest.approx([0, 0.5, 1])


def test_with_few_settings_it_is_too_few_to_say():
    found = facts_of(three_trials())
    assert found.noise is None
    assert found.parameters[0].importance is None
    assert found.why_no_importance.startswith("3 settings with a score are too few")


def test_a_parameter_with_one_value_is_not_a_searched_one():
    found = facts_of([a_trial(number, {RATE: 1e-4}, 0.9) for number in range(12)])
    assert found.parameters == ()
    assert found.why_no_importance == "only one value of each parameter was tried"


def test_a_search_of_which_every_trial_diverged_has_facts_too():
    lost = [
        a_trial(n, {RATE: 0.1 + n / 100}, 0.9, diverged="loss is not a number") for n in range(12)
    ]
    found = facts_of(lost)
    assert (found.parameters, found.curse, set(found.best_so_far)) == ((), None, {None})


def test_the_best_so_far_leaves_out_stopped_trials():
    stopped = a_trial(6, {RATE: 1e-6}, 0.95, stopped_at=1)
    assert facts_of([*three_trials(), stopped]).best_so_far == (0.8, 0.9, 0.9, 0.9)
    assert facts_of([stopped]).best_so_far == (None,)


def test_the_winners_optimism_is_its_search_score_less_that_of_new_seeds():
    scores = [0.86, 0.88, 0.87]
    curse = facts_of(three_trials(), winners_with(scores)).curse
    half = stats.t.ppf(0.975, 2) * stdev(scores) / 3**0.5
    optimism = 0.9 - fmean(scores)
    assert (curse.number, curse.searched, curse.num_seeds) == (4, 0.9, 3)
    assert curse.fresh == pytest.approx(0.87)
    assert curse.optimism == pytest.approx(optimism)
    assert [curse.interval.low, curse.interval.high] == pytest.approx(
        [optimism - half, optimism + half]
    )


def test_the_optimism_of_one_new_seed_has_no_interval():
    curse = facts_of(three_trials(), winners_with([0.86])).curse
    assert (curse.optimism, curse.interval) == (pytest.approx(0.04), None)


def test_settings_that_the_search_never_tried_have_no_optimism():
    assert facts_of(three_trials(), winners_with([0.86], rate=0.02)).curse is None
    assert facts_of(three_trials()).curse is None


def test_the_verdict_is_that_of_the_winner_against_what_was_searched():
    pairs = [
        a_pair(variant="first (tuned)", baseline="other"),
        a_pair(variant="first (tuned)", baseline="first", verdict="better"),
    ]
    assert facts_of(three_trials(), (), pairs).pair == pairs[1]
    assert facts_of(three_trials(), (), pairs[:1]).pair is None


def test_a_default_that_is_the_best_needs_no_winner():
    found = facts_of(three_trials(), defaults=winners_with([0.86]))
    assert found.is_default_best
    assert found.curse.optimism == pytest.approx(0.04)
    worse = facts_of(three_trials(), defaults=winners_with([0.86], rate=1e-5))
    assert (worse.is_default_best, worse.curse) == (False, None)
