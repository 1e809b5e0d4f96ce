"""What each figure of a report shows."""

import pytest

from agnews_ray.compare.assessment import Settings
from agnews_ray.compare.findings import CostAxis, CurvePoint, Interval
from agnews_ray.report.figures import (
    confusion_figures,
    curve_figure,
    difference_figure,
    front_figures,
    reliability_figure,
)
from tests.fakes.facts import a_pair, a_variant, an_assessment, chart_rows


def shown(figure):
    return chart_rows(figure.specification())


def test_each_cost_has_a_figure_with_every_variant_and_its_interval():
    axes = (
        CostAxis(name="Parameters", unit="M", costs=(2.0, 1.0), is_on_front=(False, True)),
        CostAxis(name="Train time", unit="min", costs=(3.0, 4.0), is_on_front=(True, False)),
    )
    first, second = front_figures(an_assessment(axes=axes))
    assert (first.choice, second.choice) == ("Parameters (M)", "Train time (min)")
    assert first.name != second.name
    interval = {"accuracy": 0.5, "low": 0.4, "high": 0.6}
    assert shown(first) == [
        {"variant": "one", "cost": 2.0, "front": "dominated", **interval},
        {"variant": "two", "cost": 1.0, "front": "on the front", **interval},
    ]


def test_differences_are_in_points_beside_the_margin():
    figure = difference_figure(an_assessment(settings=Settings(margin=0.005)))
    rows = shown(figure)
    (pair,) = (row for row in rows if "pair" in row)
    assert (pair["pair"], pair["verdict"]) == ("two against one", "worse")
    assert [pair[end] for end in ("difference", "low", "high")] == pytest.approx([-1, -2, -0.3])
    assert {"low": -0.5, "high": 0.5} in rows
    assert figure.title.startswith("Differences in accuracy; ")


@pytest.mark.parametrize(("margin", "reach"), [(0.005, 2.3), (0.1, 11.5)])
def test_the_axis_of_differences_holds_the_longest_interval_and_the_margin(margin, reach):
    chart = difference_figure(an_assessment(settings=Settings(margin=margin))).specification()
    domains = [layer["encoding"]["x"]["scale"]["domain"] for layer in chart["layer"]]
    for domain in domains:
        assert domain == pytest.approx([-reach, reach])


def test_differences_are_in_the_metric_that_is_judged():
    pair = a_pair(metric="macro-f1", macro_f1=Interval(value=0.25, low=0.125, high=0.5))
    figure = difference_figure(an_assessment(settings=Settings(metric="macro-f1"), pairs=(pair,)))
    (row,) = (row for row in shown(figure) if "pair" in row)
    assert (row["difference"], row["low"], row["high"]) == (25.0, 12.5, 50.0)
    assert "macro-F1" in figure.title


def test_a_step_whose_loss_is_no_number_is_a_gap_in_its_curve():
    points = (
        CurvePoint(samples_seen=16, loss=0.5, lowest=0.4, highest=0.6),
        CurvePoint(samples_seen=32, loss=None, lowest=None, highest=None),
    )
    variants = (a_variant("one", curve=points), a_variant("two", curve=()))
    assert shown(curve_figure(an_assessment(variants=variants))) == [
        {"variant": "one", "samples_seen": 16, "loss": 0.5, "lowest": 0.4, "highest": 0.6},
        {"variant": "one", "samples_seen": 32, "loss": None, "lowest": None, "highest": None},
    ]


def test_confidence_is_shown_against_the_share_right_and_a_diagonal():
    rows = shown(reliability_figure(an_assessment()))
    assert [row for row in rows if "variant" not in row] == [
        {"confidence": 0, "accuracy": 0},
        {"confidence": 1, "accuracy": 1},
    ]
    assert [(r["variant"], r["confidence"], r["accuracy"]) for r in rows if "variant" in r] == [
        ("one", 0.9, 0.8),
        ("two", 0.9, 0.8),
    ]


def test_each_variant_has_a_confusion_matrix_of_its_own_name():
    figures = confusion_figures(an_assessment())
    assert [(one.name, one.choice) for one in figures] == [
        ("confusion-0", "one"),
        ("confusion-1", "two"),
    ]
