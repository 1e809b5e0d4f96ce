"""What each figure of a search shows."""

import pytest

from agnews_ray.compare.search_facts import search_facts
from agnews_ray.compare.searches import searches_of
from agnews_ray.report.search_figures import search_figures
from tests.fakes.facts import chart_rows
from tests.fakes.searched import a_search, a_trial

RATE, DECAY = "recipe.learning_rate", "recipe.weight_decay"


def figures_of(trials):
    (search,) = searches_of(trials, [])
    found = search_figures(search, search_facts(search, (), (), ()), 0)
    return {figure.name: figure for figure in found}


def shown(figure):
    return chart_rows(figure.specification())


@pytest.fixture(scope="module")
def figures():
    return figures_of(a_search())


@pytest.fixture(scope="module")
def two():
    """One whole setting and one stopped, of two parameters."""
    return figures_of(
        [
            a_trial(0, {RATE: 1e-5, DECAY: 0.0}, 0.9),
            a_trial(1, {RATE: 1e-3, DECAY: 0.1}, 0.5, stopped_at=1),
        ]
    )


def test_the_importances_come_first_and_slices_one_for_each_parameter_last(figures):
    assert list(figures) == [
        "importance-0",
        "parallel-0",
        "best-so-far-0",
        *(f"slice-0-{place}" for place in range(4)),
    ]
    assert figures["slice-0-0"].choice == "learning_rate"


def test_importances_are_percent_with_the_rest_last(figures):
    rows = shown(figures["importance-0"])
    assert [row["parameter"] for row in (rows[0], rows[-1])] == [
        "learning_rate",
        "seeds and the rest",
    ]
    assert 50 < rows[0]["low"] <= rows[0]["share"] <= rows[0]["high"] <= 100


def test_unknown_importances_and_a_single_parameter_have_no_figure():
    few = figures_of([a_trial(n, {RATE: 10.0**-n}, 0.9 - n / 100) for n in (3, 4)])
    assert list(few) == ["best-so-far-0", "slice-0-0"]


def test_a_setting_is_a_line_through_its_values_and_its_score(two):
    lines = [row for row in shown(two["parallel-0"]) if "number" in row]
    assert [(row["number"], row["axis"], row["place"]) for row in lines] == [
        (1, "learning_rate (log)", 1.0),
        (1, "weight_decay", 1.0),
        (1, "validation accuracy", 0.0),
        (0, "learning_rate (log)", 0.0),
        (0, "weight_decay", 0.0),
        (0, "validation accuracy", 1.0),
    ]
    ends = [row["text"] for row in shown(two["parallel-0"]) if "text" in row]
    assert ends == ["1e-05", "0.001", "0", "0.1", "0.5000", "0.9000"]


def test_stopped_settings_are_marked_and_the_best_is_ringed(two):
    rows = [row for row in shown(two["slice-0-0"]) if "value" in row]
    assert [(row["value"], row["score"], row["end"], row["best"]) for row in rows] == [
        (1e-5, 0.9, "trained to its end", True),
        (1e-3, 0.5, "stopped early", False),
    ]


def test_the_axis_of_a_slice_is_that_of_its_parameter(figures):
    def axis(name):
        figure = next(one for one in figures.values() if one.choice == name)
        return figure.specification()["layer"][0]["encoding"]["x"]

    assert axis("learning_rate")["scale"]["type"] == "log"
    assert axis("class_weights")["type"] == "nominal"
    assert axis("global_batch_size")["type"] == "quantitative"


def test_the_best_so_far_never_falls(figures):
    best = [
        row["best"] for row in shown(figures["best-so-far-0"]) if list(row) == ["number", "best"]
    ]
    assert best == sorted(best)
    assert len(best) > 1


def test_a_search_without_any_score_has_no_figures():
    assert figures_of([a_trial(0, {RATE: 0.5}, 0.5, diverged="loss is not a number")]) == {}


def test_a_picture_is_drawn_of_each(two):
    assert all(figure.png().startswith(b"\x89PNG") for figure in two.values())
