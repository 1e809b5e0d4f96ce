import pytest

from agnews_ray.compare.searches import searched, searches_of
from agnews_ray.compare.table import compare_records
from tests.fakes.records import a_record
from tests.fakes.searched import a_trial

RATE = "recipe.learning_rate"


def search_of(*trials):
    (search,) = searches_of(trials, [])
    return search


def test_a_whole_trial_counts_with_its_last_epoch_and_a_stopped_one_with_its_last_rung():
    whole = a_trial(0, {RATE: 1e-4}, 0.9)
    stopped = a_trial(1, {RATE: 1e-5}, 0.7, stopped_at=2)
    first, second = search_of(whole, stopped).settings
    assert (first.score, first.done, first.is_stopped) == (0.9, 1.0, False)
    assert (second.score, second.done, second.is_stopped) == (0.7, 0.5, True)


def test_a_setting_has_the_mean_score_of_its_seeds():
    trials = [a_trial(0, {RATE: 1e-4}, score, seed) for seed, score in ((2, 0.8), (1, 0.9))]
    (setting,) = search_of(*trials).settings
    assert setting.score == pytest.approx(0.85)
    assert (setting.seeds, setting.train_seconds) == ((1, 2), 120.0)


def test_the_best_is_one_that_was_trained_to_its_end():
    stopped = a_trial(0, {RATE: 1e-3}, 0.95, stopped_at=1)
    trials = [a_trial(number, {RATE: 1e-4}, score) for number, score in ((1, 0.8), (2, 0.9))]
    assert search_of(stopped, *trials).best.number == 2
    assert search_of(stopped).best is None


def test_a_setting_of_which_a_seed_diverged_has_no_score():
    lost = a_trial(0, {RATE: 0.5}, 0.5, seed=2, diverged="loss is not a number")
    search = search_of(a_trial(0, {RATE: 0.5}, 0.5), lost)
    assert search.settings[0].score is None
    assert search.best is None


def test_the_searched_metric_is_what_is_looked_at():
    record = a_trial(0, {RATE: 1e-4}, 0.9)
    asked = record.search.model_copy(update={"metric": "macro-f1"})
    search = search_of(record.model_copy(update={"search": asked}))
    assert (search.metric, search.settings[0].score) == ("macro-f1", pytest.approx(0.8))


def test_the_cost_is_that_of_all_trials_stopped_ones_too():
    trials = [
        a_trial(0, {RATE: 1e-4}, 0.9),
        a_trial(1, {RATE: 1e-5}, 0.7, stopped_at=1),
        a_trial(2, {RATE: 0.5}, 0.5, diverged="loss is not a number"),
    ]
    cost = search_of(*trials).cost
    assert (cost.num_settings, cost.num_trials) == (3, 3)
    assert (cost.train_seconds, cost.stopped_seconds) == (135.0, 15.0)
    assert cost.machine_seconds == {"CPU": 135.0}


def test_machines_that_are_not_known_have_no_seconds():
    record = a_trial(0, {RATE: 1e-4}, 0.9)
    workers = record.scaling.model_copy(update={"num_workers": 2})
    cost = search_of(record.model_copy(update={"scaling": workers})).cost
    assert cost.machine_seconds == {"CPU": None}


def test_each_variant_has_its_own_search_in_the_studys_order():
    trials = [a_trial(0, {RATE: 1e-4}, 0.9, variant=name) for name in ("a", "b", "c")]
    assert [one.variant for one in searches_of(trials, ["c", "a"])] == ["c", "a", "b"]


def test_trials_of_a_search_are_in_no_row_and_their_winner_has_their_cost():
    trial = a_trial(0, {RATE: 1e-4}, 0.9, variant="one")
    records = [a_record(), a_record("two", "one (tuned)"), trial]
    table = compare_records("study", records, ["one", "one (tuned)"])
    assert [(row.model, row.num_seeds) for row in table.rows] == [("one", 1), ("one (tuned)", 1)]
    assert [row.search for row in table.rows] == [None, table.searches[0].cost]
    assert searched(records) == (trial,)


def test_one_number_of_two_spaces_is_two_settings():
    trials = [a_trial(0, {RATE: 1e-4}, 0.8), a_trial(0, {RATE: 1e-3}, 0.9)]
    found = search_of(*trials).settings
    assert sorted((one.values[RATE], one.score) for one in found) == [(1e-4, 0.8), (1e-3, 0.9)]


def test_a_search_over_other_parameters_than_the_latest_is_left_out():
    older = a_trial(0, {"recipe.weight_decay": 0.1}, 0.8, created_at="2025-01-01T00:00:00+00:00")
    found = search_of(older, a_trial(0, {RATE: 1e-3}, 0.9)).settings
    assert [one.values for one in found] == [{RATE: 1e-3}]
