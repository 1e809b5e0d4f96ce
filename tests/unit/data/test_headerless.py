"""Columns without names: told by what stands in them; folders of files are in the corpus."""

from pathlib import Path

import pytest

from agnews_ray.data.headerless import (
    choose_positions,
    is_data,
    is_index,
    is_label_like,
    is_numbering,
    is_one_hot,
)
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

FILE = Path("rows.csv")
LABELS = ["a", "b", "a", "b"]
TEXTS = ["one two", "two three", "three four", "four five"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b", "a", "b"], True),  # half of them, the limit
        (["a", "b", "c", "a", "b"], False),
        (["a", "a"], False),
        ([" a", "a ", "b", "b"], True),
        ([None, "a", "b", "a", "b"], True),
        ([], False),
        ([None], False),
        (["a" * 60, "b", "a" * 60, "b"], True),
        (["a" * 61, "b", "a" * 61, "b"], False),
    ],
)
def test_labels_are_short_and_come_again(values, expected):
    assert is_label_like(values) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 0], True),
        (["1.0", " 0 "], True),
        (["True", "false"], True),
        (["0"], True),
        (["0", "true"], False),
        ([0, 2], False),
        ([], False),
    ],
)
def test_one_hot_columns_hold_two_values(values, expected):
    assert is_one_hot(values) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["0", "1", "2"], True),
        (["1", " 2", "3 "], True),
        (["1", "2"], False),
        (["1", "2", "4"], False),
        (["-1", "0", "1"], False),
        (["\u0661", "\u0662", "\u0663"], False),
    ],
)
def test_an_index_counts_rows(values, expected):
    assert is_index(values) is expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0", "1"], True),
        (["", "0", "1"], True),
        (["0"], False),
        (["1", "2"], False),
        (["", "1", "2"], False),
        ([], False),
    ],
)
def test_a_numbering_is_pandas_header_of_nothing(cells, expected):
    assert is_numbering(cells) is expected


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        (["text", "label"], [TEXTS, LABELS], False),
        (["text", "7"], [TEXTS, LABELS], True),
        (["text", "-7.5"], [TEXTS, LABELS], True),
        (["one", "a"], [TEXTS, LABELS], True),
        (["one", ""], [TEXTS, ["", "", "x", "x"]], False),
        (["one two", "label"], [TEXTS, LABELS], False),
    ],
)
def test_a_first_row_is_data_where_it_has_numbers_or_values_that_come_again(first, later, expected):
    assert is_data(first, later) is expected


@pytest.mark.parametrize(
    ("columns", "text", "label", "notes"),
    [
        ([LABELS, TEXTS], (1,), 0, ("no header row", "label in column 1")),
        ([TEXTS, LABELS], (0,), 1, ("no header row", "label in column 2")),
        ([LABELS, TEXTS, TEXTS], (1, 2), 0, ("no header row", "label in column 1")),
        (
            [["0", "1", "2", "3"], TEXTS, LABELS],
            (1,),
            2,
            ("no header row", "column 1 numbers the rows", "label in column 3"),
        ),
        ([["1", "2", "3", "4"], TEXTS], (1,), 0, ("no header row", "label in column 1")),
        ([["one two"] * 4, LABELS], (0,), 1, ("no header row", "label in column 2")),
        (
            [["one two three", "four five six"] * 2, LABELS],
            (0,),
            1,
            ("no header row", "label in column 2"),
        ),
        (
            [LABELS, ["one two three", "four five six"] * 2],
            (1,),
            0,
            ("no header row", "label in column 1"),
        ),
    ],
)
def test_label_and_texts_are_found(columns, text, label, notes):
    found = choose_positions(FILE, columns, DataSpec())
    assert (found.text, found.label, found.notes) == (text, label, notes)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ([TEXTS], "1 column(s) without header; first row one two"),
        ([TEXTS, TEXTS], "no column that is clearly the label; first row one two, one two"),
        ([LABELS, TEXTS, LABELS], "a first and a last column that could both be the label"),
        ([LABELS, LABELS], "a first and a last column that could both be the label"),
        (
            [["1", "1", "2", "2"], TEXTS, ["1", "2", "2", "1"]],
            "no column that is clearly the label",
        ),
        ([LABELS, ["x", "y", "z", "w"], TEXTS], "column 2, which is not text; first row a, x, one"),
    ],
)
def test_what_is_not_clear_is_asked(columns, found):
    with pytest.raises(DataError) as caught:
        choose_positions(FILE, columns, DataSpec())
    assert caught.value.where == "rows.csv"
    assert caught.value.found.startswith(found)
    assert "--label-column 1 --text-column 2" in caught.value.hint


@pytest.mark.parametrize(
    ("spec", "text", "label"),
    [
        ({"label_column": "1"}, (1, 2), 0),
        ({"label_column": "column_3"}, (0, 1), 2),
        ({"text_columns": ("2", "3")}, (1, 2), 0),
        ({"text_columns": ("Column 3",), "label_column": "2"}, (2,), 1),
    ],
)
def test_positions_may_be_said(spec, text, label):
    found = choose_positions(FILE, [LABELS, TEXTS, TEXTS], DataSpec(**spec))
    assert (found.text, found.label, found.notes) == (text, label, ("no header row",))


@pytest.mark.parametrize(
    ("spec", "found", "hint"),
    [
        ({"label_column": "4"}, "3 columns without header, and '4' requested", "from 1 to 3"),
        ({"label_column": "0"}, "3 columns without header, and '0' requested", "from 1 to 3"),
        (
            {"text_columns": ("title",)},
            "3 columns without header, and 'title' requested",
            "header row",
        ),
        ({"text_columns": ("2",)}, "2 left", "--label-column"),
        ({"text_columns": ("2",), "label_column": "2"}, "one as both", "name another"),
    ],
)
def test_positions_that_cannot_be_are_refused(spec, found, hint):
    with pytest.raises(DataError) as caught:
        choose_positions(FILE, [LABELS, TEXTS, TEXTS], DataSpec(**spec))
    assert (caught.value.where, caught.value.found) == ("rows.csv", found)
    assert hint in caught.value.hint
