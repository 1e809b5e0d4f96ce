from dataclasses import replace

import pytest

from agnews_ray.app.afford import afford, allowance_of, in_order, limit_of, refuse, variant_costs
from agnews_ray.app.prepare import prepare_study, read_study
from agnews_ray.errors import ResourceError
from tests.fakes.predictions import a_forecast, a_workload

MODELS = [
    {"model": "bert", "init": "random", "name": "large"},
    {"model": "minilm", "init": "random", "name": "small"},
]


NUM_STEPS = 2 * 3200 // 16


@pytest.fixture
def prepare(tmp_path):
    def make(forecast=None, **flags):
        source = {
            "models": MODELS,
            "seeds": [1, 2],
            "data.source": "synthetic:train=3200,test=64,seed=1",
        }
        prepared = prepare_study(read_study(None, source | flags), tmp_path / "runs")
        found = forecast or a_forecast(
            startup_s=20,
            large=a_workload(1000, "large", num_steps=NUM_STEPS),
            small=a_workload(400, "small", num_steps=NUM_STEPS),
        )
        return replace(prepared, forecast=found)

    return make


def test_without_a_budget_everything_fits(prepare):
    answer = afford(prepare())
    assert answer.fits
    assert answer.cost.median == 20 + 2 * 1000 + 2 * 400
    assert len(answer.kept) == 4


def test_a_budget_that_is_large_enough_leaves_nothing_out(prepare):
    answer = afford(prepare(**{"budget.limit": "1h"}))
    assert (answer.fits, answer.left, answer.options) == (True, (), ())


def test_over_budget_it_says_what_would_run_and_what_would_fit(prepare):
    answer = afford(prepare(**{"budget.limit": "30m"}))
    assert [trial.variant.name for trial in answer.kept] == ["large", "small"]
    assert [option.change for option in answer.options] == [
        "--seeds 1",
        "--limit-train 2000",
        "--epochs 1",
        "without large in the job file's models",
    ]


def test_what_was_spent_before_counts(prepare):
    assert afford(prepare(**{"budget.limit": "48m"}), spent_s=0).fits
    assert not afford(prepare(**{"budget.limit": "48m"}), spent_s=120).fits


def test_of_one_model_a_smaller_published_one_is_named(prepare):
    prepared = prepare(**{"models": MODELS[:1], "budget.limit": "12m", "seeds": [1]})
    assert "--models" in afford(prepared).options[-1].change
    assert not afford(prepared).options[-1].is_measured


def test_where_nobody_is_there_to_ask_one_line_says_all(prepare):
    with pytest.raises(ResourceError) as refused:
        refuse(afford(prepare(**{"budget.limit": "30m"})))
    assert str(refused.value) == (
        "--budget: want at most 30m, found 47 min predicted for 4 trial(s); add one of: "
        "--seeds 1 (24 min), --limit-train 2000 (30 min), --epochs 1 (24 min), "
        "without large in the job file's models (14 min), "
        "--what-fits (runs 2, leaves 2 out)"
    )


def test_what_fits_is_refused_no_more(prepare):
    refuse(afford(prepare(**{"budget.limit": "1h"})))


def test_money_is_the_time_of_this_machine_and_on_a_cluster_of_all(prepare):
    study = prepare(**{"budget.limit": "2usd", "budget.price_per_hour": 4}).study
    assert limit_of(study).seconds == 1800
    assert not limit_of(study).adds_up
    assert limit_of(study, on_cluster=True).adds_up


def test_a_variants_trials_cost_their_time_memory_disk_and_money(prepare):
    prepared = prepare(**{"budget.price_per_hour": 3.6})
    large, small = variant_costs(prepared)
    assert (large.num_trials, large.train_seconds) == (2, 1000)
    assert large.money == pytest.approx(2.0)
    assert large.machine_hours == pytest.approx(2000 / 3600)
    assert large.disk_bytes > 2 * large.peak_memory_bytes / 1024
    assert large.gpu_hours is None
    assert small.money == pytest.approx(0.8)


def test_a_variant_without_a_probe_has_no_numbers(prepare):
    _, small = variant_costs(prepare(a_forecast(large=a_workload(100, num_steps=NUM_STEPS))))
    assert (small.num_trials, small.train_seconds, small.money) == (2, None, None)


def test_a_budget_runs_seed_by_seed(prepare):
    names = [(trial.variant.name, trial.seed) for trial in in_order(prepare())]
    assert names == [("large", 1), ("large", 2), ("small", 1), ("small", 2)]
    names = [t.variant.name for t in in_order(prepare(**{"budget.limit": "1h"}))]
    assert names == ["large", "small", "large", "small"]


def test_an_allowance_keeps_to_the_budget(prepare):
    prepared = prepare(**{"budget.limit": "30m"})
    assert allowance_of(prepared, 0.0).limit.text == "30m"


def test_without_a_forecast_nothing_is_predicted_and_all_start(prepare):
    prepared = replace(prepare(), forecast=None)
    allowance = allowance_of(prepared, 0.0)
    assert allowance.predict(prepared.trials[0], 0.0) is None
    assert allowance.reason_to_leave_out(prepared.trials[0]) is None
