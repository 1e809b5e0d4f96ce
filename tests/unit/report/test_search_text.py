"""A search in words."""

import pytest

from agnews_ray.compare.findings import Interval
from agnews_ray.compare.search_facts import (
    SearchedParameter,
    SearchFacts,
    WinnersCurse,
)
from agnews_ray.compare.searches import searches_of
from agnews_ray.compare.table import compare_records
from agnews_ray.report import search_text
from tests.fakes.facts import a_pair
from tests.fakes.records import a_record
from tests.fakes.searched import a_trial

RATE = "recipe.learning_rate"


def share(value, low, high):
    return Interval(value=value, low=low, high=high)


def some_facts(importances, noise=None, why=""):
    parameters = tuple(
        SearchedParameter(path=path, scale="linear", values=(0, 1), importance=importance)
        for path, importance in importances.items()
    )
    return SearchFacts(
        variant="one",
        parameters=parameters,
        noise=noise,
        why_no_importance=why,
        best_so_far=(),
        curse=None,
        pair=None,
    )


def test_a_search_is_a_line_with_its_size_price_and_best():
    trials = [
        a_trial(0, {RATE: 1e-4, "architecture.num_layers": 3}, 0.9, variant="one"),
        a_trial(1, {RATE: 1e-6, "architecture.num_layers": 2}, 0.5, variant="one", stopped_at=1),
    ]
    assert search_text.lines(compare_records("study", [a_record(), *trials], [])) == [
        "search: one, 2 settings x 1 seed, 1.2 min, 1 stopped early; best 0.9000 validation "
        "accuracy (number 0: learning_rate 0.0001, architecture.num_layers 3)."
    ]


def test_a_search_without_a_best_says_so():
    trials = [a_trial(0, {RATE: 1e-4}, 0.9, variant="one", stopped_at=1)]
    (line,) = search_text.lines(compare_records("study", [a_record(), *trials], []))
    assert line.endswith("; none was trained to its end with a score.")


def test_different_numbers_of_seeds_are_a_range():
    trials = [a_trial(0, {RATE: 1e-4}, 0.9, seed) for seed in (1, 2)]
    (search,) = searches_of([*trials, a_trial(1, {RATE: 1e-3}, 0.9)], [])
    assert search_text.summary(search) == "first, 2 settings x 1 to 2 seeds, 3.0 min"


@pytest.mark.parametrize(
    ("verdict", "start"),
    [
        ("better", "Tuning helped: "),
        ("worse", "Tuning did harm: "),
        ("equivalent", "Tuning did not help: "),
        ("undecided", "It is undecided whether tuning helped: "),
    ],
)
def test_the_verdict_says_whether_it_helped(verdict, start):
    assert search_text.whether_it_helped(a_pair(verdict=verdict)) == start


@pytest.mark.parametrize(("num_rows", "is_close"), [(150, True), (100_000, False), (0, False)])
def test_scores_that_differ_no_more_than_by_chance_are_a_warning(num_rows, is_close):
    dataset = a_record().dataset.model_copy(update={"num_validation": num_rows})
    trials = [a_trial(n, {RATE: 10.0**-n}, 0.8 + n / 100, dataset=dataset) for n in (1, 2, 3)]
    (search,) = searches_of(trials, [])
    said = search_text.close_scores(search)
    assert bool(said) == is_close
    if is_close:
        assert said[0].startswith("Beware: whole trainings score 0.8100 to 0.8300, and on 150")
        assert "3.07 points" in said[0]


def test_parameters_are_said_by_what_their_intervals_leave_open():
    facts = some_facts(
        {
            RATE: share(0.8, 0.5, 0.95),
            "recipe.weight_decay": share(0.05, 0.0, 0.3),
            "architecture.num_layers": share(0.01, 0.0, 0.04),
        },
        share(0.1, 0.02, 0.3),
    )
    assert search_text.what_mattered(facts)[:3] == [
        "What mattered: learning_rate 80 % [50, 95].",
        "Not known to matter: weight_decay 5 % [0, 30].",
        "What hardly mattered: architecture.num_layers 1 % [0, 4].",
    ]
    assert search_text.what_mattered(facts)[3].startswith(
        "Seeds, and all that the parameters do not decide: 10 % [2, 30]."
    )


def test_importances_that_are_not_known_have_a_reason():
    facts = some_facts({RATE: None}, why="3 settings with a score are too few; 10 are needed")
    assert search_text.what_mattered(facts) == [
        "What mattered cannot be said: 3 settings with a score are too few; 10 are needed."
    ]


@pytest.mark.parametrize(
    ("num_seeds", "interval", "said"),
    [
        (1, None, "0.8700 on a new seed and the same validation rows"),
        (3, share(0.03, 0.01, 0.05), "too high by +3.00 [+1.00, +5.00] points"),
    ],
)
def test_the_winners_curse_is_said_in_points(num_seeds, interval, said):
    curse = WinnersCurse(
        number=4, searched=0.9, fresh=0.87, num_seeds=num_seeds, optimism=0.03, interval=interval
    )
    assert said in search_text.curse_text(curse, "accuracy")


def test_a_search_with_a_winner_says_where_its_time_counts():
    trial = a_trial(0, {RATE: 1e-4}, 0.9, variant="one")
    records = [a_record(), a_record("two", "one (tuned)"), trial]
    (line,) = search_text.lines(compare_records("study", records, ["one"]))
    assert ", 1.0 min, a part of the price of one (tuned), not of its train time; best" in line


@pytest.mark.parametrize(
    ("value", "text"), [(0.00032854, "0.0003285"), (16, "16"), (None, "none"), ("bf16", "bf16")]
)
def test_values_are_written_short(value, text):
    assert search_text.value_text(value) == text
