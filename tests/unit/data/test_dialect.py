import csv

import pytest

from agnews_ray.data.dialect import Dialect


@pytest.mark.parametrize(
    ("settings", "lines", "rows"),
    [
        ({}, ['a,"b, ""c"""\n'], [["a", 'b, "c"']]),
        ({}, ['a,"b\n', 'c"\n'], [["a", "b\nc"]]),
        ({}, ["\ufeffa,b\n", "\ufeffc,d\n"], [["a", "b"], ["c", "d"]]),
        ({"delimiter": "\t"}, ["a, b\tc\n"], [["a, b", "c"]]),
        ({"quote": None}, ['"a,b"\n'], [['"a', 'b"']]),
        ({"quote": "'"}, ["'a, b',\"c\"\n"], [["a, b", '"c"']]),
        ({"skips_space": True}, ['a, "b, c"\n'], [["a", "b, c"]]),
        ({"num_skipped_lines": 2}, ["sep=,\n", "\n", "a,b\n"], [["a", "b"]]),
    ],
)
def test_lines_become_rows(settings, lines, rows):
    assert list(Dialect(**settings).rows(lines)) == rows


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('"a \\"b\\"",c\\, d\n', ['a "b"', "c, d"]),
        ("a\\nb\\tc\\rd,e\n", ["a\nb\tc\rd", "e"]),
        ("a\\\\nb,c\n", ["a\\nb", "c"]),  # an escaped backslash before an n
    ],
)
def test_an_escape_stands_for_the_character_that_it_names(line, row):
    assert list(Dialect(escape="\\").rows([line])) == [row]


def test_empty_rows_are_left_out_but_a_header_of_empty_names_is_kept():
    lines = ["\n", ",\n", ",\n", "a,b\n", " , \n", "\n", ",c\n"]
    assert list(Dialect().rows(lines)) == [["", ""], ["a", "b"], ["", "c"]]


def test_an_open_end_takes_away_only_an_empty_last_field():
    lines = ["a,b,\n", "c,d, \n", "e,f,x\n"]
    assert list(Dialect(has_open_end=True).rows(lines)) == [["a", "b"], ["c", "d"], ["e", "f", "x"]]


@pytest.mark.parametrize(
    ("line", "said"),
    [('a,"b" c\n', "expected after"), ('a,"b\n', "unexpected end")],
)
def test_a_misplaced_quote_is_an_error_not_a_text(line, said):
    with pytest.raises(csv.Error, match=said):
        list(Dialect().rows([line]))


@pytest.mark.parametrize(
    ("settings", "is_stated", "notes"),
    [
        ({}, False, ()),
        ({"delimiter": ";"}, False, ("delimiter ';'",)),
        ({"delimiter": "\t"}, False, ("delimiter tab",)),
        ({"delimiter": "~"}, False, ("delimiter ~",)),
        ({"delimiter": ";", "quote": "'"}, True, ("single quotes",)),
        ({"quote": None, "escape": "\\"}, False, ("no quotes", "backslash escapes")),
        (
            {"skips_space": True, "has_comments": True, "has_open_end": True},
            False,
            (
                "spaces after delimiters dropped",
                "lines that start with # above the header left out",
                "a delimiter ends each row",
            ),
        ),
    ],
)
def test_what_differs_from_a_plain_csv_is_said(settings, is_stated, notes):
    assert Dialect(**settings).notes(is_stated) == notes
