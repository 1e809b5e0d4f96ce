from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from agnews_ray.data.values import clean_label, from_python, is_numeric, to_labels, to_texts
from agnews_ray.errors import DataError

FILE = Path("rows.parquet")


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array(["a", None, " b "]), ["a", "", " b "]),
        (pa.array([1, None, 20]), ["1", "", "20"]),
        (pa.array([date(2024, 1, 31)]), ["2024-01-31"]),
        (pa.array(["a", "b", "a", None]).dictionary_encode(), ["a", "b", "a", ""]),
        (pa.array(["ü".encode()], pa.binary()), ["ü"]),
        (pa.nulls(2), ["", ""]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_texts_are_written_as_they_are_and_nulls_are_empty(column, texts):
    found = to_texts(column, "text", FILE)
    assert found.type == pa.string()
    assert found.to_pylist() == texts


@pytest.mark.parametrize(
    ("column", "labels"),
    [
        (pa.array([3.0, float("nan"), None, 1.5]), ["3", None, None, "1.5"]),
        (pa.array([Decimal("2.00"), Decimal("0.50")]), ["2", "0.5"]),
        (pa.array([7, -1], pa.int8()), ["7", "-1"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([" a", "a ", "", None]), ["a", "a", None, None]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), ["b", "a", "b"]),
        (pa.nulls(2), [None, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_labels_are_the_same_words_whatever_the_columns_type(column, labels):
    found = to_labels(column, "label", FILE)
    assert found.type == pa.string()
    assert found.to_pylist() == labels


@pytest.mark.parametrize(
    ("word", "label"),
    [
        (" 1.0 ", "1"),
        ("1.", "1"),
        ("+1", "1"),
        ("-1.00", "-1"),
        ("-0.0", "0"),
        ("007", "007"),
        ("1.50", "1.50"),
        ("+x", "+x"),
        ("1.0.0", "1.0.0"),
        ("\u0661.0", "\u0661.0"),  # a digit, but not of ASCII
        ("cafe\u0301", "caf\u00e9"),
        ("\ufeffSports", "Sports"),
        (" \t", None),
    ],
)
def test_labels_are_compared_in_one_form(word, label):
    assert clean_label(word) == label


@pytest.mark.parametrize(
    ("read", "wanted"), [(to_texts, "text"), (to_labels, "one label in a cell")]
)
def test_lists_and_records_are_refused(read, wanted):
    with pytest.raises(DataError) as caught:
        read(pa.array([["a"], ["b", "c"]]), "tags", FILE)
    error = caught.value
    assert (error.where, error.wanted) == ("rows.parquet", wanted)
    assert error.found.endswith("in column 'tags'")


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(DataError, match=r"want text, found bytes that are not UTF-8 in column 'x'"):
        to_texts(pa.array([b"\xff"]), "x", FILE)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.int8(), True),
        (pa.float32(), True),
        (pa.decimal128(5, 2), True),
        (pa.bool_(), False),
        (pa.string(), False),
    ],
    ids=str,
)
def test_integers_and_fractions_are_numbers(kind, expected):
    assert is_numeric(kind) is expected


def test_values_of_json_are_written_as_json_writes_them():
    values = ["a", 1, 1.5, True, False, None, float("nan")]
    assert from_python(values).to_pylist() == ["a", "1", "1.5", "true", "false", None, None]


def test_half_a_character_of_json_becomes_a_replacement_and_two_halves_become_one():
    assert from_python(["\ud83d", "\ud83d\ude00 é"]).to_pylist() == ["\ufffd", "\U0001f600 é"]


@pytest.mark.parametrize("nested", [["a"], {"a": 1}], ids=str)
def test_a_list_among_values_makes_a_column_that_is_refused(nested):
    column = from_python(["a", nested, None])
    assert (len(column), pa.types.is_nested(column.type)) == (3, True)
