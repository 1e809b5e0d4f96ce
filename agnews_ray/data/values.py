"""Columns become texts and label words, in the same way for every file format."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from agnews_ray.errors import DataError

WHOLE_NUMBER = re.compile(r"([+-]?)0*?(\d+)\.0*", re.ASCII)
SIGNED = re.compile(r"[+-](\d+)", re.ASCII)


def to_texts(column: pa.Array, name: str, path: Path) -> pa.Array:
    """Turn a column into strings: numbers and dates as they are written, nulls as empty strings.

    Args:
        column: a column of any Arrow type.
        name: the column's name, for messages.
        path: the file, for messages.

    Returns:
        An array of ``string``.

    Raises:
        DataError: the column holds lists or records, or bytes that are not UTF-8.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        hint = "make it a column of plain text, or name another with --text-column"
        found = f"{str(column.type)[:60]} in column {name!r}"
        raise DataError(str(path), "text", found, hint)
    if pa.types.is_null(column.type):
        return pa.array([""] * len(column), pa.string())
    try:
        texts = column.cast(pa.string())
        texts.validate(full=True)
    except pa.ArrowInvalid as error:
        found = f"bytes that are not UTF-8 in column {name!r}"
        raise DataError(str(path), "text", found, "store it as UTF-8 text") from error
    return texts.fill_null("")


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a column holds numbers; the user is told when they are read as text."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def to_labels(column: pa.Array, name: str, path: Path) -> pa.Array:
    """Turn a column into label words: trimmed, composed Unicode, whole numbers without ".0".

    Args:
        column: a column of any Arrow type.
        name: the column's name, for messages.
        path: the file, for messages.

    Returns:
        An array of ``string``, null where there is no label.

    Raises:
        DataError: a cell may hold several labels, or is a record.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        hint = "keep one label a row; several labels a row are another task"
        found = f"{str(column.type)[:60]} in column {name!r}"
        raise DataError(str(path), "one label in a cell", found, hint)
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    words = (
        to_texts(column, name, path) if not is_numeric(column.type) else column.cast(pa.string())
    )
    encoded = words.dictionary_encode()
    cleaned = pa.array([clean_label(word) for word in encoded.dictionary.to_pylist()], pa.string())
    return cleaned.take(encoded.indices)


def clean_label(word: str) -> str | None:
    """Bring a label into the form that is compared: ``" 1.0"`` and ``"+1"`` become ``"1"``.

    Returns:
        The label; None for an empty one.
    """
    word = unicodedata.normalize("NFC", word.replace("\ufeff", "")).strip()
    whole = WHOLE_NUMBER.fullmatch(word)
    if whole:
        word = whole[1] + whole[2]
    if SIGNED.fullmatch(word):
        word = word.removeprefix("+")
        word = "0" if word.strip("-0") == "" else word
    return word or None


def from_python(values: Sequence[Any]) -> pa.Array:
    """Make a column from a JSON parser's values: numbers mixed with strings become strings.

    Args:
        values: the values of one column.

    Returns:
        Strings; lists if there is one among the values, so that they are refused as lists.
    """
    if any(isinstance(value, list | dict) for value in values):
        return pa.array([["nested"]] * len(values))
    return pa.array([_written(value) for value in values], pa.string())


def _written(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # An escape may be half a surrogate pair, which UTF-8 cannot encode.
        whole = value.isascii() or not re.search("[\ud800-\udfff]", value)
        return (
            value if whole else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    return str(value)
