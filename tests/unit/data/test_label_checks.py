from pathlib import Path

import pytest

from agnews_ray.data.label_checks import fold, is_fraction, refuse_doubtful
from agnews_ray.errors import DataError


def places(*words):
    """Return where each label first occurs: the first one in row 1."""
    return {word: (Path("train.csv"), row) for row, word in enumerate(words, start=1)}


@pytest.mark.parametrize(
    ("words", "row", "wanted", "found"),
    [
        (["a", "nan"], 2, "a label", "'nan' (nothing)"),
        (["a", "NULL", "N/A"], 2, "a label", "'NULL' (nothing)"),
        (["a", "['b', 'c']"], 2, "one label in a cell", "\"['b', 'c']\""),
        (["{a}", "b"], 1, "one label in a cell", "'{a}'"),
        (["a", "(b, c)"], 2, "one label in a cell", "'(b, c)'"),
        (
            ["1", "0.5", "2.75"],
            2,
            "a class, not a measurement",
            "numbers with fractions such as '0.5'",
        ),
        (["a", "b", "a;b"], 3, "one label in a cell", "'a;b'"),
        (["a|b", "b|c", "a|c"], 1, "one label in a cell", "'a|b'"),
        (
            ["Sports", "World", "sports "],
            3,
            "labels that differ by more than case and spaces",
            '"sports " beside "Sports"',
        ),
        (
            ["1", "01"],
            2,
            "labels that differ by more than case and spaces",
            '"01" beside "1"',
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_one_class_is_placed(words, row, wanted, found):
    with pytest.raises(DataError) as caught:
        refuse_doubtful(places(*words))
    error = caught.value
    assert (error.where, error.wanted) == (f"train.csv, row {row}", wanted)
    assert error.found == found
    assert error.hint


@pytest.mark.parametrize(
    "words",
    [
        ["none", "some"],
        ["a (old)", "(b)"],
        ["Sci/Tech", "Business, Economy", "World; Asia"],  # parts that occur nowhere else
        ["1.5", "a", "b"],  # fewer fractions than names
        ["-1", "1"],
    ],
    ids=" ".join,
)
def test_what_only_looks_like_that_is_a_class(words):
    assert refuse_doubtful(places(*words)) is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("0.5", True),
        (".5", True),
        ("-1.", True),
        ("1e-3", True),
        ("10", False),
        ("1.2.3", False),
        ("e5", False),
        ("\u0661.\u0665", False),
    ],
)
def test_a_fraction_is_a_number_with_a_point_or_an_exponent(word, expected):
    assert is_fraction(word) is expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("007", "7"),
        ("0", "0"),
        ("9" * 999, "9" * 999),
        ("0" * 1000, "0" * 1000),  # too long for a number
        (" World  News ", "worldnews"),
        ("\u200bSports", "sports"),
        ("\uff26\uff35\uff2c\uff2c", "full"),
        ("1.0", "1.0"),
    ],
)
def test_labels_that_look_alike_are_folded_alike(label, expected):
    assert fold(label) == expected
