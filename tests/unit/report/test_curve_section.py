from agnews_ray.report.curve_section import curve_section
from tests.fakes.curves import a_curve, a_variant_curve
from tests.fakes.facts import an_assessment


def section_of(curve):
    whole = an_assessment()
    table = whole.table.model_copy(update={"curve": curve})
    return curve_section(whole.model_copy(update={"table": table}))


def test_a_study_without_a_curve_has_no_such_section():
    assert section_of(None) is None


def test_the_section_has_points_laws_and_what_they_mean():
    section = section_of(a_curve())
    points, laws = section.grids
    assert [cell.text for cell in points.rows[3][:3]] == ["one", "100%", "4,000"]
    assert [points.rows[3][column].order for column in (1, 2, 5, 6)] == [1.0, 4000, 4.0, 2]
    assert points.rows[3][3].interval.low == a_curve().curves[0].points[3].accuracy.low
    assert [cell.text for cell in laws.rows[0]] == [
        "one",
        "0.100 (n / 4,000)^-0.30",
        "0.30 [0.25, 0.35]",
        "0.000 [0.000, 0.000]",
        "0.9190 [0.8990, 0.9390]",
        "+1.90 [+0.90, +2.90]",
    ]
    assert section.paragraphs[0].startswith("one: accuracy 0.7137 with 120 train rows")


def test_a_variant_without_a_law_says_why():
    none = a_variant_curve(law=None, forecast=None, band=(), why_no_law="too few")
    _, laws = section_of(a_curve(curves=(none,), crossings=())).grids
    assert [cell.text for cell in laws.rows[0]] == ["one", "none: too few", "-", "-", "-", "-"]
