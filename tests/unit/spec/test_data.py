"""A user may describe the data in several words."""

import pytest
from pydantic import ValidationError

from agnews_ray.spec.data import DataSpec


@pytest.mark.parametrize(
    ("given", "delimiter"),
    [
        (";", ";"),
        ("|", "|"),
        ("tab", "\t"),
        ("TAB", "\t"),
        ("\\t", "\t"),
        ("Comma", ","),
        ("space", " "),
        (None, None),
    ],
)
def test_a_delimiter_is_a_character_or_its_name(given, delimiter):
    assert DataSpec(delimiter=given).delimiter == delimiter


@pytest.mark.parametrize("given", ["", ";;", "tabs", "\n", "\r", '"', "'"])
def test_a_delimiter_that_cannot_be_one_is_refused_with_the_names(given):
    with pytest.raises(ValidationError, match="want one character, or comma, tab"):
        DataSpec(delimiter=given)


@pytest.mark.parametrize("given", ["utf-8", "CP1252", "latin-1", "utf-16", None])
def test_an_encoding_is_kept_as_it_was_named(given):
    assert DataSpec(encoding=given).encoding == given


@pytest.mark.parametrize("given", ["utf-9", "hex", "undefined", "a\0b"])
def test_what_is_no_encoding_of_text_is_refused(given):
    with pytest.raises(ValidationError, match="want a name such as utf-8"):
        DataSpec(encoding=given)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("a", "b", "a"), "class_names: want different names, found one twice"),
        (("a",), "class_names: want at least two"),
        ((), "class_names: want at least two"),
    ],
)
def test_class_names_are_two_or_more_different_ones(names, problem):
    with pytest.raises(ValidationError, match=problem):
        DataSpec(class_names=names)
