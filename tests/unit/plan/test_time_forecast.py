from dataclasses import replace

import pytest

from agnews_ray.plan.time_forecast import Limit, seeds_first
from tests.fakes.predictions import (
    a_forecast,
    a_predicted_record,
    a_trial,
    a_workload,
    some_trials,
)

WALL = Limit(text="30m", seconds=1800)


def test_a_study_takes_its_start_and_all_its_trials():
    forecast = a_forecast(startup_s=20, one=100, two=50)
    assert forecast.cost(some_trials("one", "two")).median == 20 + 2 * 100 + 2 * 50


def test_trials_side_by_side_end_sooner():
    forecast = a_forecast(startup_s=20, one=100, two=50)
    together = forecast.__class__(
        workloads=forecast.workloads, unmeasured={}, past=forecast.past, num_at_once=2
    )
    assert together.cost(some_trials("one", "two")).median == 20 + 100 + 50


def test_money_pays_for_each_machine():
    forecast = a_forecast(startup_s=0, one=100)
    several = forecast.__class__(
        workloads=forecast.workloads,
        unmeasured={},
        past=forecast.past,
        num_at_once=2,
        num_machines=3,
    )
    limit = Limit(text="5usd", seconds=1, adds_up=True)
    assert several.cost(some_trials("one"), limit).median == 3 * 200


def test_rows_are_tokenised_once_for_each_tokenizer():
    works = {name: a_workload(100, name, tokenising_s=10) for name in ("one", "two")}
    forecast = a_forecast(startup_s=0, **works, other=a_workload(100, "o", "u", tokenising_s=7))
    assert forecast.cost(some_trials("one", "two", "other")).median == 6 * 100 + 10 + 7


def test_nothing_to_run_costs_nothing():
    assert a_forecast(one=100).cost(()).median == 0


def test_the_interval_of_many_trials_is_narrower_than_of_one():
    forecast = a_forecast(startup_s=0, one=100)
    one, ten = (forecast.cost(some_trials("one", seeds=range(n))) for n in (1, 10))
    assert one.low < one.median < one.high
    assert ten.high / ten.median < one.high / one.median


def test_a_variant_without_a_probe_counts_nothing_and_is_not_predicted():
    forecast = a_forecast(startup_s=20, one=100)
    assert forecast.variant("two") is None
    assert forecast.trial(a_trial("two")) is None
    assert forecast.record(a_trial("two"), 0, 0) is None
    assert forecast.cost(some_trials("one", "two")).median == 220


def test_what_fits_is_what_ends_in_time():
    forecast = a_forecast(startup_s=0, one=1000, two=300)
    kept, left = forecast.fitting(some_trials("one", "two"), WALL)
    assert [trial.trial_id for trial in kept] == ["one-s1", "two-s1", "two-s2"]
    assert [trial.trial_id for trial in left] == ["one-s2"]


def test_what_is_spent_is_not_there_any_more():
    kept, _ = a_forecast(startup_s=0, one=1000).fitting(some_trials("one"), WALL, spent_s=900)
    assert kept == ()


def test_fewer_rows_and_epochs_take_their_share():
    half = a_forecast(startup_s=0, one=a_workload(100, scoring_s=7)).scaled(rows=0.5, epochs=0.5)
    assert half.variant("one").total_s == 25 + 7


def test_a_trial_with_a_share_of_the_steps_takes_that_share():
    forecast = a_forecast(one=a_workload(100, scoring_s=7))
    assert forecast.trial(a_trial("one", num_steps=30)).total_s == 30 + 7
    assert forecast.trial(a_trial("one", scores_test=False)).total_s == 100


def test_labelling_takes_a_third_of_the_steps_of_its_rows():
    forecast = a_forecast(one=a_workload(100, scoring_s=7))
    whole = a_trial("one")
    num_rows = 3 * forecast.workloads["one"].num_steps * whole.recipe.global_batch_size
    labels = replace(whole, work="labelling", num_steps=0, num_rows=num_rows)
    assert forecast.trial(labels).total_s == pytest.approx(100 + 7)
    assert forecast.trial(replace(labels, scores_test=False)).total_s == pytest.approx(100)


def test_a_pretraining_is_not_predicted():
    forecast = a_forecast(one=a_workload(100))
    assert forecast.trial(replace(a_trial("one"), work="pretraining")) is None


def test_a_record_keeps_the_probe_and_the_corrected_prediction():
    forecast = a_forecast(one=100)
    for _ in range(30):
        forecast = forecast.learned(a_predicted_record(120.0, probe="one", train_s=100.0))
    said = forecast.record(a_trial("one"), since_start_s=5, startup_s=20)
    assert said.measured_seconds == 100
    assert said.train_seconds == pytest.approx(120, abs=3)
    assert said.train_seconds_low < said.train_seconds < said.train_seconds_high
    assert said.total_seconds == pytest.approx(said.train_seconds + 25)
    assert said.num_learned_from == 30


def test_seeds_come_first_so_that_no_model_is_missing():
    order = [trial.trial_id for trial in seeds_first(some_trials("one", "two"))]
    assert order == ["one-s1", "two-s1", "one-s2", "two-s2"]
