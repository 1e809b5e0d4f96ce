import pytest

from agnews_ray.report.curve_text import caveats, cells, columns, conclusions, law_text, written
from tests.fakes.curves import a_crossing, a_curve, a_point, a_variant_curve


def test_a_line_for_each_point():
    assert cells(a_curve())[0] == [
        "one",
        "3%",
        "120",
        "0.7137 [0.6937, 0.7337]",
        "0.7037 [0.6837, 0.7237]",
        "0.12",
        "2",
    ]
    assert len(cells(a_curve())) == 8


def test_money_has_a_column_where_it_is_known():
    priced = a_variant_curve(points=(a_point(0.1, 0.8, money=0.123), a_point(1.0, 0.9)))
    found = a_curve(curves=(priced,), crossings=())
    assert columns(found)[-1] == "Money"
    assert [line[-1] for line in cells(found)] == ["0.123", "-"]
    assert "Money" not in columns(a_curve())


def test_what_twice_the_data_would_bring_is_a_sentence():
    assert conclusions(a_curve())[0] == (
        "one: accuracy 0.7137 with 120 train rows, 0.9000 with 4,000. Twice the data (8,000 rows) "
        "would bring about +1.90 [+0.90, +2.90] points, to 0.9190 [0.8990, 0.9390] "
        "(95 % intervals), for 8.0 min a training."
    )


def test_a_law_that_begins_later_says_from_where():
    law = a_variant_curve().law.model_copy(update={"num_points": 3, "first_rows": 400})
    found = a_curve(curves=(a_variant_curve(law=law),), crossings=())
    assert conclusions(found)[0].endswith("a training. The law holds from 400 rows on.")


def test_without_a_law_there_is_the_reason():
    none = a_variant_curve(law=None, forecast=None, band=(), why_no_law="2 shares are too few")
    found = a_curve(curves=(none,), crossings=())
    assert conclusions(found)[0].endswith("with 4,000. No forecast: 2 shares are too few.")
    assert law_text(none) == "none: 2 shares are too few"


def test_a_law_is_written_as_a_formula():
    assert law_text(a_variant_curve()) == "0.100 (n / 4,000)^-0.30"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {},
            "The curves of two and one cross at about 700 train rows [300, 1,500]: with more, one "
            "has the higher accuracy.",
        ),
        (
            {"low": None, "is_sure": False},
            "The curves of two and one cross at about 700 train rows [below 120, 1,500]: with "
            "more, one has the higher accuracy. The interval leaves the measured range: they may "
            "not cross in it at all.",
        ),
        (
            {"num_rows": None, "ahead_at_first": "one"},
            "The curves of two and one do not cross in the measured range (120 to 4,000 train "
            "rows): one has the higher accuracy throughout.",
        ),
        (
            {"num_rows": None, "is_sure": False},
            "The curves of two and one do not cross in the measured range (120 to 4,000 train "
            "rows), where one has the higher mean throughout, but the seeds and test rows do not "
            "rule one out.",
        ),
    ],
)
def test_a_crossing_says_how_sure_it_is(changes, text):
    assert conclusions(a_curve(crossings=(a_crossing(**changes),)))[-1] == text


def test_trials_that_diverged_are_named():
    assert conclusions(a_curve(diverged=("one with 3% of the rows, seed 2",)))[-1] == (
        "Diverged, and left out of the curve: one with 3% of the rows, seed 2."
    )


def test_single_seeds_are_a_caveat():
    single = a_variant_curve(points=(a_point(0.1, 0.8, num_seeds=1), a_point(1.0, 0.9)))
    assert len(caveats(a_curve(curves=(single,)))) == len(caveats(a_curve())) + 1


def test_a_terminal_has_a_narrow_table_and_all_sentences():
    _, title, table, *sentences = written(a_curve(), "simple")
    assert title == "Curve: scores against train rows, 95 % intervals"
    assert max(map(len, table.splitlines())) <= 80
    assert sentences == conclusions(a_curve())


def test_names_are_escaped():
    found = a_curve(curves=(a_variant_curve("a|b_c%"),), crossings=())
    markdown = "\n".join(written(found, "github"))
    assert r"a\|b\_c" in markdown
    latex = "\n".join(written(found, "latex_booktabs"))
    assert r"a|b\_c\%" in latex or r"a\textbar{}b\_c\%" in latex
    assert r"3\%" in latex


def test_without_a_curve_nothing_is_written():
    assert written(None, "simple") == []


def test_a_tokenizer_that_knows_all_texts_is_a_caveat():
    assert caveats(a_curve(fresh=("two",)))[-1].startswith("The tokenizer of two, without pretr")
