import math
from dataclasses import replace

import pytest

from agnews_ray.app.afford import Answer, VariantCost
from agnews_ray.cli import cost_text
from agnews_ray.plan.fitting import Option
from agnews_ray.plan.past_errors import Past, PastError
from agnews_ray.plan.time_forecast import Limit, Span
from tests.fakes.predictions import some_trials
from tests.fakes.searches import a_search_study

COST = VariantCost(
    model="minilm",
    num_trials=3,
    train_seconds=300,
    train_seconds_low=240,
    train_seconds_high=375,
    scoring_seconds=20,
    trial_seconds=330,
    machine_hours=0.275,
    money=None,
    peak_memory_bytes=3 << 29,
    disk_bytes=300 << 20,
)
TRIALS = some_trials("one", "two")
OVER = Answer(
    limit=Limit(text="30m", seconds=1800),
    spent_s=0,
    cost=Span(median=3000, low=2400, high=3600),
    kept=TRIALS[:3],
    left=TRIALS[3:],
    options=(
        Option(what="fewer seeds", change="--seeds 1", cost=Span(median=1500, low=1, high=2)),
        Option(
            what="a smaller model",
            change="--models bert-mini",
            cost=Span(median=600, low=1, high=2),
            is_measured=False,
        ),
    ),
)


def past(*errors):
    return Past(
        errors=tuple(
            PastError(probe="p", log_ratio=math.log1p(one), error=one, train_s=100)
            for one in errors
        )
    )


def test_a_line_for_each_variant_without_columns_that_nobody_has():
    header, _, line = cost_text.variants_table([COST]).splitlines()
    assert header.split() == (
        "Model Trials Train 8 of 10 within Scoring Trial Machine h Memory Disk".split()
    )
    assert line.split() == (
        "minilm 3 5 min 4 min to 6 min 15 s 20 s 5 min 30 s 0.28 1.5 GiB 300 MiB".split()
    )


def test_a_variant_that_was_not_measured_has_dashes():
    unknown = VariantCost(model="svm", num_trials=1, train_seconds=None, unmeasured="no probe")
    assert cost_text.variants_table([COST, unknown]).splitlines()[-1].split() == [
        "svm",
        "1",
        *["-"] * 7,
    ]


def test_the_error_in_the_past_is_told():
    assert cost_text.errors_line(past(0.02, 0.06, -0.05)) == (
        "error here: +1% train time against the prediction on average "
        "(the last 3 trial(s), at most +6%)"
    )


def test_without_a_past_the_interval_is_explained():
    assert "no trial was predicted on this machine yet" in cost_text.errors_line(Past())


def test_over_budget_each_option_is_a_flag_with_its_time():
    assert cost_text.budget_lines(OVER) == [
        "budget 30m: it does not fit (50 min predicted); what would:",
        "  --seeds 1                    fewer seeds: 25 min",
        "  --models bert-mini           a smaller model: 10 min, by its size: not measured",
        "  --what-fits                  3 trial(s) run, 1 left out: two-s2",
    ]


def test_within_budget_all_run():
    fits = replace(OVER, kept=TRIALS, left=())
    assert cost_text.budget_lines(fits) == ["budget 30m: it fits; a submit runs all 4 trial(s)"]


def test_if_nothing_fits_it_says_so():
    nothing = replace(OVER, kept=(), left=TRIALS, options=())
    assert cost_text.option_lines(nothing) == [
        "  nothing of it: raise the budget, or choose a much smaller model"
    ]


def test_money_on_several_machines_is_time_of_machines():
    money = replace(OVER, limit=Limit(text="5usd", seconds=1800, adds_up=True))
    assert "(50 min of machines predicted)" in cost_text.budget_lines(money)[0]


def test_one_line_says_what_a_submit_starts():
    assert cost_text.fit_line(OVER) == (
        "budget 30m: 50 min predicted (8 of 10 times 40 min to 1 h) for all; "
        "3 trial(s) fit, 1 would be left out"
    )


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (23, 41, "23 to 41 s"),
        (1500, 2400, "25 to 40 min"),
        (50, 200, "50 s to 3 min 20 s"),
        (7, 7, "7 s"),
        (None, None, "-"),
    ],
)
def test_an_interval_names_a_unit_once(low, high, text):
    assert cost_text._between(low, high) == text


def test_a_search_is_told_apart_from_the_study():
    study = a_search_study(num_trials=10, num_seeds=2)
    (line,) = cost_text.search_lines(study, [COST, COST])
    seconds = 2 * 10 * 2 * COST.trial_seconds
    assert f"10 setting(s) a model x 2 seed(s), {cost_text.duration(seconds)} if each" in line
    assert cost_text.search_lines(study.model_copy(update={"search": None}), [COST]) == []
