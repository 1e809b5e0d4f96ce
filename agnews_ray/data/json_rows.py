"""Rows of JSON: lines, arrays, pretty-printed objects, columns; all but documents are streamed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from agnews_ray.data.compression import data_ending
from agnews_ray.data.encoding import open_text
from agnews_ray.data.json_documents import is_document, is_table, rows_of
from agnews_ray.errors import DataError

Form = Literal["lines", "values", "document"]
"""How a file holds rows: one object per line; objects in sequence or in an array; one object with
all rows."""

UNREADABLE = (ValueError, RecursionError)
"""What the decoder raises: also for numbers of thousands of digits, and lists in lists in lists."""

CHUNK_CHARS = 1 << 20

SPACE = " \t\r\n,"


def find_form(path: Path, encoding: str) -> Form:
    """Find how a JSON file holds its rows.

    Args:
        path: the file.
        encoding: the encoding that was found.

    Returns:
        The form; a broken file is reported later, when it is read.
    """
    with open_text(path, encoding) as file:
        first = next((line for line in file if line.strip()), "")
        follows = next((line for line in file if line.strip()), "")
    if first.lstrip("\ufeff \t")[:1] == "[":
        return "values"
    if first.strip()[:1].isalnum():
        hint = "rename it to .csv"
        found = f"what looks like CSV, {first.strip()[:40]!r}"
        raise DataError(str(path), "one JSON object a line", found, hint)
    if data_ending(path) in (".jsonl", ".ndjson") and _is_object(first):
        return "lines"
    try:
        value = json.loads(first.lstrip("\ufeff"))
    except UNREADABLE:
        is_pretty = first.strip() == "{" or (follows and not follows.lstrip().startswith("{"))
        if not is_pretty:
            return "lines"
        return "document" if is_document(_first_value(path, encoding)) else "values"
    return "document" if not follows and is_document(value) else "lines"


def iter_rows(path: Path, encoding: str, form: Form) -> Iterator[dict[str, Any]]:
    """Stream the rows of a JSON file.

    Args:
        path: the file.
        encoding: the encoding that was found.
        form: from ``find_form``.

    Yields:
        One mapping per row.

    Raises:
        DataError: broken JSON, or a row that is not an object; the message names the line.
    """
    if form == "document":
        yield from rows_of(path, _load(path, encoding))
        return
    reader = _iter_lines if form == "lines" else _iter_values
    yield from reader(path, encoding)


def split_names(path: Path, encoding: str) -> list[str]:
    """Name the splits that a document holds, as ``{"train": [...], "test": [...]}``."""
    document = _load(path, encoding)
    is_split = isinstance(document, dict) and "train" in document
    return [name for name, rows in document.items() if is_table(rows)] if is_split else []


def split_rows(path: Path, encoding: str, name: str) -> list[dict[str, Any]]:
    """Return the rows of one split of such a document."""
    return rows_of(path, _load(path, encoding)[name])


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line.lstrip("\ufeff")), dict)
    except UNREADABLE:
        return False


def _load(path: Path, encoding: str) -> Any:
    with open_text(path, encoding) as file:
        try:
            return json.load(file)
        except UNREADABLE as error:
            raise _broken(path, getattr(error, "lineno", 1)) from error


def _first_value(path: Path, encoding: str) -> Any:
    with open_text(path, encoding) as file:
        try:
            text = file.read()
            return json.JSONDecoder().raw_decode(text.lstrip("\ufeff" + SPACE))[0]
        except UNREADABLE:
            return None


def _iter_lines(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    with open_text(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line.removeprefix("\ufeff"))
            except UNREADABLE as error:
                raise _broken(path, number) from error
            if not isinstance(value, dict):
                raise _broken(path, number)
            yield value


def _iter_values(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    """Decode one value after the other from a buffer, so that only one row is in memory."""
    decoder, buffer, line, size = json.JSONDecoder(), "", 1, CHUNK_CHARS
    with open_text(path, encoding) as file:
        start = file.read(size)
        is_array = start.lstrip("\ufeff" + SPACE).startswith("[")
        buffer = start.lstrip("\ufeff" + SPACE + "[")
        line += start[: len(start) - len(buffer)].count("\n")
        position = 0
        while True:
            while position < len(buffer) and buffer[position] in SPACE:
                position += 1
            try:
                value, end = decoder.raw_decode(buffer, position)
            except UNREADABLE as error:
                more = file.read(size) if isinstance(error, json.JSONDecodeError) else ""
                if not more and buffer[position:].strip(SPACE) == ("]" if is_array else ""):
                    return
                if not more:
                    place = getattr(error, "pos", position)
                    raise _broken(path, line + buffer.count("\n", 0, place)) from error
                line += buffer.count("\n", 0, position)
                buffer, position, size = buffer[position:] + more, 0, size * 2
                continue
            if not isinstance(value, dict):
                raise _broken(path, line + buffer.count("\n", 0, position))
            size = CHUNK_CHARS
            position = end
            yield value


def _broken(path: Path, line: int) -> DataError:
    return DataError(str(path), "one JSON object a line", f"line {line}", "fix that line")
