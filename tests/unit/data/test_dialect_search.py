"""The dialect that a sample's rows are written in; folders of such files are in the corpus."""

from pathlib import Path

import pytest

from agnews_ray.data import dialect_search
from agnews_ray.data.dialect import Dialect
from agnews_ray.data.dialect_search import find_dialect, read_sample
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

FILE = Path("rows.csv")
EITHER = "x;a,b\ny;c,d\nz;e,f\n"
"""Rows that a comma and a semicolon split equally well."""


def find(sample, path=FILE, like=None, is_whole=True, **spec):
    return find_dialect(path, sample, is_whole, DataSpec(**spec), like)


@pytest.mark.parametrize(
    ("sample", "settings"),
    [
        ("text,label\na;b,x\nc;d;e,y\n", {}),
        ("text\tlabel\na, b\tx\nc\ty\n", {"delimiter": "\t"}),
        ('text;label\n"a;b";x\nc;y\n', {"delimiter": ";"}),
        ("text|label\na|x\nb|y\n", {"delimiter": "|"}),
        ("text,label\n'a, b',x\n'c',y\n", {"quote": "'"}),
        ("text,label\n'a',x\n'b',y\n", {"quote": "'"}),
        ("text,label\n'a',x\nb,y\n", {}),
        ('text,label\n"say \\"a, b\\"",x\nc,y\n', {"escape": "\\"}),
        ('text, label\n"a, b", "x"\n"c", "y"\n', {"skips_space": True}),
        ('text,label\n"Oil" up,x\nb,y\n', {"quote": None}),
        ('text\tlabel\n"a\tx\nb"\ty\n', {"delimiter": "\t", "quote": None}),
        ("text,label,\na,x,\nb,y,\n", {"has_open_end": True}),
        ("text,label\na,x,\nb,y,\n", {"has_open_end": True}),
        ("text,label,more\na,x,\nb,y,\n", {}),  # a column without values
        ("sep=;\ntext;label\na,b;x\nc,d;y\n", {"delimiter": ";", "num_skipped_lines": 1}),
        (
            "# from, somewhere, else\n\ntext,label\na,x\nb,y\n",
            {"has_comments": True, "num_skipped_lines": 2},
        ),
        ("#text,label\na,x\nb,y\n", {}),
    ],
)
def test_the_dialect_in_which_all_rows_are_alike_is_found(sample, settings):
    assert find(sample) == Dialect(**settings)


@pytest.mark.parametrize(
    ("sample", "name", "delimiter"),
    [
        ("text;label;a,b\nx;y;c,d\n", "rows.csv", ";"),  # names of both roles
        ("x\ta,b\ny\tc,d\n", "rows.tsv", "\t"),
        ("".join(f"t{i};u{i},{'xy'[i % 2]}\n" for i in range(5)), "rows.csv", ","),  # labels
    ],
)
def test_of_two_delimiters_the_one_with_a_reason_is_chosen(sample, name, delimiter):
    assert find(sample, Path(name)).delimiter == delimiter


def test_two_delimiters_without_a_reason_are_refused():
    with pytest.raises(DataError) as caught:
        find(EITHER)
    error = caught.value
    assert (error.where, error.wanted) == ("rows.csv", "one delimiter")
    assert error.found == "rows that ',' or ';' would split equally well"
    assert "--delimiter" in error.hint


def test_a_stated_delimiter_or_that_of_the_train_file_decides():
    assert find(EITHER, delimiter="semicolon").delimiter == ";"
    assert find(EITHER, like=Dialect(delimiter=";")).delimiter == ";"


def test_a_file_that_shows_no_quotes_has_those_of_the_train_file():
    assert find("text,label\na,x\n", like=Dialect(quote="'")).quote == "'"
    assert find('text,label\n"a, b",x\n', like=Dialect(quote="'")).quote == '"'


def test_one_column_is_refused_with_its_first_line():
    with pytest.raises(DataError) as caught:
        find("a title\n" * 5)
    error = caught.value
    assert (error.wanted, error.found) == ("a text and a label column", "one column, 'a title'")
    assert "--delimiter" in error.hint


def test_if_no_dialect_fits_all_rows_the_one_that_fits_most_is_taken():
    assert find("text;label\n" + "a, b;x\n" * 5 + "c;d;y\n").delimiter == ";"


@pytest.mark.parametrize(
    ("sample", "settings"),
    [
        ("text;label\na;x\nb;y;z", {"delimiter": ";"}),
        ('text\tlabel\n"a b"\tx\n"c d"\ty\n"e f', {"delimiter": "\t"}),  # inside its quotes
        (
            "id\ttext\tmore\tlabel\n" + '1\t"Oil" up\tb\tx\n' * 4 + '5\t"Oil',
            {"delimiter": "\t", "quote": None},
        ),
    ],
)
def test_a_row_that_a_sample_cuts_off_does_not_count(sample, settings):
    assert find(sample, is_whole=False) == Dialect(**settings)


def test_a_sample_is_parsed_to_its_last_row_or_to_the_first_that_is_broken():
    header_and_row = [["text", "label"], ["a", "x"]]
    assert read_sample(Dialect(), "text,label\na,x\nb", False) == header_and_row
    assert read_sample(Dialect(), "text,label\na,x\n", True) == header_and_row
    assert read_sample(Dialect(), 'text,label\na,x\nc,"d" e\nf,g\n', True) == header_and_row


def test_what_a_short_sample_shows_is_checked_on_the_long_one(monkeypatch):
    monkeypatch.setattr(dialect_search, "SHORT_CHARS", 40)
    assert find("text,label\n" + "a,x\n" * 20 + "'b, c',y\n") == Dialect(quote="'")
