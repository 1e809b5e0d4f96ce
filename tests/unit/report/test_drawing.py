"""How figures are drawn, in a small chart of three points."""

import struct

import altair as alt
import pytest

from agnews_ray.report.drawing import PNG_WIDTH, Figure, config, data_of, variant_colour
from tests.fakes.facts import chart_rows

ROWS = [
    {"variant": "zebra", "x": 1.0, "y": 0.5},
    {"variant": "ape", "x": 2.0, "y": float("nan")},
    {"variant": "zebra", "x": 3.0, "y": 0.25},
]


def a_figure(**changes):
    colour = variant_colour(["zebra", "ape"])
    chart = alt.Chart(data_of(ROWS)).mark_point().encode(x="x:Q", y="y:Q", color=colour)
    facts = {"name": "points", "title": "Points", "description": "Three points.", "chart": chart}
    return Figure(**facts | changes)


def test_a_figure_is_as_wide_as_its_place_but_a_matrix_fits_its_cells():
    specification = a_figure().specification()
    assert (specification["width"], specification["usermeta"]) == ("container", {"side": 0})
    assert specification["description"] == "Three points."
    matrix = a_figure(side=4).specification()
    assert "width" not in matrix
    assert matrix["usermeta"] == {"side": 4}


def test_what_is_no_number_is_null_in_the_page():
    assert [row["y"] for row in chart_rows(a_figure().specification())] == [0.5, None, 0.25]


def test_a_png_has_twice_the_usual_density_and_draws_what_is_no_number():
    png = a_figure().png()
    assert png.startswith(b"\x89PNG\r\n")
    (width,) = struct.unpack(">I", png[16:20])
    assert width > 2 * PNG_WIDTH


def test_colours_follow_the_studys_order():
    scale = a_figure().specification()["encoding"]["color"]["scale"]
    assert scale["domain"] == ["zebra", "ape"]


@pytest.mark.parametrize(
    ("is_dark", "background", "ink"), [(False, "white", "#222222"), (True, None, "#e8e8e8")]
)
def test_a_theme_has_its_ink_everywhere(is_dark, background, ink):
    theme = config(is_dark=is_dark)
    assert theme["background"] == background
    inks = {
        theme["axis"]["labelColor"],
        theme["axis"]["titleColor"],
        theme["legend"]["labelColor"],
        theme["title"]["color"],
        theme["text"]["color"],
    }
    assert inks == {ink}


def test_both_themes_have_a_colour_of_its_own_for_each_of_eight_variants():
    light, dark = (config(is_dark=is_dark)["range"]["category"] for is_dark in (False, True))
    assert len({*light, *dark}) == len(light) + len(dark) == 16
