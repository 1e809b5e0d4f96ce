import pytest

from agnews_ray.report.curve_figures import curve_figures
from tests.fakes.curves import a_curve, a_point, a_variant_curve, near
from tests.fakes.facts import chart_rows


def shown(figure):
    return chart_rows(figure.specification())


def test_scores_stand_against_rows_and_minutes():
    rows, minutes = curve_figures(a_curve())
    assert (rows.choice, minutes.choice) == ("Train rows", "Train time (min)")
    points = [row for row in shown(minutes) if row["variant"] == "one"]
    assert [row["rows"] for row in points] == pytest.approx([0.12, 0.4, 1.2, 4.0])
    assert [row["share"] for row in points] == ["3%", "10%", "30%", "100%"]


def test_the_law_is_dashed_beyond_all_rows():
    law = [row for row in shown(curve_figures(a_curve())[0]) if row.get("part")]
    parts = {
        part: [row["rows"] for row in law if (row["variant"], row["part"]) == ("one", part)]
        for part in ("measured range", "forecast")
    }
    assert parts == {"measured range": [120, 1000, 4000], "forecast": [4000, 8000]}


def test_both_axes_of_cost_and_rows_are_logarithmic():
    for figure in curve_figures(a_curve()):
        layers = figure.specification()["layer"]
        inner = [one for layer in layers for one in layer.get("layer", [layer])]
        assert {one["encoding"]["x"]["scale"]["type"] for one in inner} == {"log"}


def test_money_has_a_figure_where_every_price_is_known():
    points = (a_point(0.1, 0.8, money=0.1), a_point(1.0, 0.9, money=1.0))
    figures = curve_figures(a_curve(curves=(a_variant_curve(points=points),), crossings=()))
    assert [figure.choice for figure in figures] == [
        "Train rows",
        "Train time (min)",
        "Money a training",
    ]


def test_the_judged_metric_is_drawn():
    figure = curve_figures(a_curve(metric="macro-f1"))[1]
    assert shown(figure)[0]["score"] == pytest.approx(a_curve().curves[0].points[0].macro_f1.value)
    assert figure.title == "Macro-F1 against train time (min)"


def test_intervals_far_wider_than_the_curve_are_cut_off():
    wide = a_point(0.1, 0.8).model_copy(update={"accuracy": near(0.8, 0.5)})
    found = a_curve(curves=(a_variant_curve(points=(wide, a_point(1.0, 0.9))),), crossings=())
    layers = curve_figures(found)[1].specification()["layer"]
    low, high = layers[0]["encoding"]["y"]["scale"]["domain"]
    assert 0.6 < low < 0.8
    assert 0.9 < high <= 1


def test_a_variant_without_a_law_has_its_points():
    none = a_variant_curve(law=None, forecast=None, band=())
    figure = curve_figures(a_curve(curves=(none,), crossings=()))[0]
    assert len(shown(figure)) == 4
    assert figure.png().startswith(b"\x89PNG")
