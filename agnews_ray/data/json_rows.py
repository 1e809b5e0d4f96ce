"""Rows of JSON: lines, arrays, pretty-printed objects, columns; streamed, but for documents."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from agnews_ray.data.columns import names_both_roles
from agnews_ray.data.encoding import open_text
from agnews_ray.data.opening import data_ending
from agnews_ray.errors import DataError

Form = Literal["lines", "values", "document"]
"""An object a line; objects one after the other, or in an array; one object that holds the rows."""

CHUNK_CHARS = 1 << 20
ASIDE = {"schema", "info", "meta", "metadata", "version", "index", "license", "licenses"}
"""Keys beside the rows of a document, as pandas and others write them."""
SPACE = " \t\r\n,"


def find_form(path: Path, encoding: str) -> Form:
    """Tell how a JSON file holds its rows.

    Args:
        path: the file.
        encoding: as found.

    Returns:
        The form; a broken file is told when it is read.
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
    except json.JSONDecodeError:
        is_pretty = first.strip() == "{" or (follows and not follows.lstrip().startswith("{"))
        if not is_pretty:
            return "lines"
        return "document" if _is_document(_first_value(path, encoding)) else "values"
    return "document" if not follows and _is_document(value) else "lines"


def iter_rows(path: Path, encoding: str, form: Form) -> Iterator[dict[str, Any]]:
    """Stream the rows of a JSON file.

    Args:
        path: the file.
        encoding: as found.
        form: from ``find_form``.

    Yields:
        One mapping a row.

    Raises:
        DataError: broken JSON, or a row that is no object; names the line.
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
    return [name for name, rows in document.items() if _is_table(rows)] if is_split else []


def split_rows(path: Path, encoding: str, name: str) -> list[dict[str, Any]]:
    """Give the rows of one split of such a document."""
    return rows_of(path, _load(path, encoding)[name])


def rows_of(path: Path, value: Any) -> list[dict[str, Any]]:
    """Turn a document into rows: a list of objects, columns, or an object around either.

    Raises:
        DataError: it is none of these.
    """
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    if isinstance(value, dict):
        if _is_by_column(value):
            return _from_columns(path, value)
        value = {name: part for name, part in value.items() if name not in ASIDE}
        if _is_by_row(value):
            return list(value.values())
        if _is_split_frame(value):
            return [dict(zip(value["columns"], row, strict=False)) for row in value["data"]]
        columns = _columns(path, value)
        lengths = {len(cells) for cells in columns.values() if cells is not None}
        if None not in columns.values() and len(lengths) == 1 and not _holds_rows(value):
            names = list(columns)
            return [
                dict(zip(names, cells, strict=True))
                for cells in zip(*columns.values(), strict=True)
            ]
        tables = [name for name, rows in value.items() if _is_table(rows)]
        if len(tables) == 1:
            return rows_of(path, value[tables[0]])
    hint = 'write one object a line, such as {"text": ..., "label": ...}'
    raise DataError(str(path), "rows of objects, or columns of one length", "something else", hint)


def _is_by_column(value: dict[str, Any]) -> bool:
    """Whether it is columns by their names, as pandas writes by default."""
    cells = list(value.values())
    return names_both_roles(list(value)) and all(isinstance(c, list | dict) for c in cells)


def _from_columns(path: Path, value: dict[str, Any]) -> list[dict[str, Any]]:
    """Put cells together by their row's name, or in their order; what is in them may be nested."""
    first = next(iter(value.values()))
    keys = list(first) if isinstance(first, dict) else list(range(len(first)))
    for name, cells in value.items():
        own = set(cells) if isinstance(cells, dict) else set(range(len(cells)))
        if own != set(keys):
            hint = "write every row's name in every column, or one object a line"
            raise DataError(str(path), "columns of the same rows", f"others in {name!r}", hint)
    return [{name: cells[key] for name, cells in value.items()} for key in keys]


def _columns(path: Path, value: dict[str, Any]) -> dict[str, list[Any] | None]:
    """Give the cells of each column, in the order of the first one's row names."""
    keyed = [cells for cells in value.values() if isinstance(cells, dict)]
    if any(set(cells) != set(keyed[0]) for cells in keyed) and not any(map(_is_table, keyed)):
        hint = "write every row's name in every column, or one object a line"
        raise DataError(str(path), "columns of the same rows", "other row names in one", hint)
    aligned = {
        name: {key: cells[key] for key in keyed[0] if key in cells}
        if isinstance(cells, dict)
        else cells
        for name, cells in value.items()
    }
    return {name: _column(cells) for name, cells in aligned.items()}


def _is_by_row(value: dict[str, Any]) -> bool:
    """Whether it is rows by their name: the objects inside name a text and a label column."""
    rows = list(value.values())
    return all(isinstance(row, dict) for row in rows) and any(
        names_both_roles(list(row)) for row in rows[:5]
    )


def _is_document(value: Any) -> bool:
    """Whether one object holds rows, and is not a row itself."""
    return isinstance(value, dict) and (
        _is_split_frame(value)
        or _is_by_row(value)
        or _is_by_column(value)
        or any(_is_table(rows) for rows in value.values())
        or (len(value) > 1 and all(_column(cells) is not None for cells in value.values()))
    )


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line.lstrip("\ufeff")), dict)
    except json.JSONDecodeError:
        return False


def _is_split_frame(value: dict[str, Any]) -> bool:
    """Whether it is what pandas writes with ``orient="split"``."""
    return {"columns", "data"} <= set(value) and isinstance(value["columns"], list)


def _is_table(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(row, dict) for row in value)
    return isinstance(value, dict) and len(value) > 1 and _is_document(value)


def _holds_rows(value: dict[str, Any]) -> bool:
    return any(isinstance(rows, list) and _is_table(rows) for rows in value.values())


def _column(cells: Any) -> list[Any] | None:
    """Cells of a column: a list, or pandas' object by row name."""
    if isinstance(cells, list):
        return cells
    if (
        isinstance(cells, dict)
        and cells
        and not any(isinstance(c, list | dict) for c in cells.values())
    ):
        return list(cells.values())
    return None


def _load(path: Path, encoding: str) -> Any:
    with open_text(path, encoding) as file:
        try:
            return json.load(file)
        except json.JSONDecodeError as error:
            raise _broken(path, error.lineno) from error


def _first_value(path: Path, encoding: str) -> Any:
    with open_text(path, encoding) as file:
        try:
            text = file.read()
            return json.JSONDecoder().raw_decode(text.lstrip("\ufeff" + SPACE))[0]
        except json.JSONDecodeError:
            return None


def _iter_lines(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    with open_text(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line.removeprefix("\ufeff"))
            except json.JSONDecodeError as error:
                raise _broken(path, number) from error
            if not isinstance(value, dict):
                raise _broken(path, number)
            yield value


def _iter_values(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    """Decode value after value from a growing buffer, so that one row is held and not all."""
    decoder, buffer, line, size = json.JSONDecoder(), "", 1, CHUNK_CHARS
    with open_text(path, encoding) as file:
        buffer = file.read(size).lstrip("\ufeff" + SPACE)
        is_array = buffer.startswith("[")
        line += buffer[: len(buffer) - len(buffer.lstrip(SPACE + "["))].count("\n")
        buffer = buffer.lstrip(SPACE + "[")
        position = 0
        while True:
            while position < len(buffer) and buffer[position] in SPACE:
                position += 1
            try:
                value, end = decoder.raw_decode(buffer, position)
            except json.JSONDecodeError as error:
                more = file.read(size)
                if not more and buffer[position:].strip(SPACE) == ("]" if is_array else ""):
                    return
                if not more:
                    raise _broken(path, line + buffer.count("\n", 0, error.pos)) from error
                line += buffer.count("\n", 0, position)
                buffer, position, size = buffer[position:] + more, 0, size * 2
                continue
            if not isinstance(value, dict):
                raise _broken(path, line + buffer.count("\n", 0, position))
            size = CHUNK_CHARS
            position = end
            yield value


def _broken(path: Path, line: int) -> DataError:
    return DataError(str(path), "one JSON object a line", f"line {line}", "mend that line")
