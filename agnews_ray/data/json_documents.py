"""JSON files that are one value: arrays of objects, columns, or an object around either."""

from pathlib import Path
from typing import Any

from agnews_ray.data.columns import names_both_roles
from agnews_ray.errors import DataError

ASIDE = {"schema", "info", "meta", "metadata", "version", "index", "license", "licenses"}
"""Keys beside the rows of a document that pandas and other programs write."""


def rows_of(path: Path, value: Any) -> list[dict[str, Any]]:
    """Turn a document into rows: a list of objects, columns, or an object around either.

    Raises:
        DataError: the document is none of these.
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
        tables = [name for name, rows in value.items() if is_table(rows)]
        if len(tables) == 1:
            return rows_of(path, value[tables[0]])
    hint = 'write one object a line, such as {"text": ..., "label": ...}'
    raise DataError(str(path), "rows of objects, or columns of one length", "something else", hint)


def _is_by_column(value: dict[str, Any]) -> bool:
    """Whether an object holds columns by name, as pandas writes by default."""
    cells = list(value.values())
    return names_both_roles(list(value)) and all(isinstance(c, list | dict) for c in cells)


def _from_columns(path: Path, value: dict[str, Any]) -> list[dict[str, Any]]:
    """Combine cells into rows by the row's name, or by order; cells may be nested."""
    first = next(iter(value.values()))
    keys = list(first) if isinstance(first, dict) else list(range(len(first)))
    for name, cells in value.items():
        own = set(cells) if isinstance(cells, dict) else set(range(len(cells)))
        if own != set(keys):
            hint = "write every row's name in every column, or one object a line"
            raise DataError(str(path), "columns of the same rows", f"others in {name!r}", hint)
    return [{name: cells[key] for name, cells in value.items()} for key in keys]


def _columns(path: Path, value: dict[str, Any]) -> dict[str, list[Any] | None]:
    """Return the cells of each column, in the order of the first column's row names."""
    keyed = [cells for cells in value.values() if isinstance(cells, dict)]
    if any(set(cells) != set(keyed[0]) for cells in keyed) and not any(map(is_table, keyed)):
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
    """Whether an object holds rows by name: the objects inside name a text and a label column."""
    rows = list(value.values())
    return all(isinstance(row, dict) for row in rows) and any(
        names_both_roles(list(row)) and not _is_by_column(row) for row in rows[:5]
    )


def is_document(value: Any) -> bool:
    """Whether one object holds rows, and is not a row itself."""
    return isinstance(value, dict) and (
        _is_split_frame(value)
        or _is_by_row(value)
        or _is_by_column(value)
        or any(is_table(rows) for rows in value.values())
        or (len(value) > 1 and all(_column(cells) is not None for cells in value.values()))
    )


def _is_split_frame(value: dict[str, Any]) -> bool:
    """Whether an object is what pandas writes with ``orient="split"``."""
    return {"columns", "data"} <= set(value) and isinstance(value["columns"], list)


def is_table(value: Any) -> bool:
    """Whether a part of a document is rows."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(row, dict) for row in value)
    return isinstance(value, dict) and len(value) > 1 and is_document(value)


def _holds_rows(value: dict[str, Any]) -> bool:
    return any(isinstance(rows, list) and is_table(rows) for rows in value.values())


def _column(cells: Any) -> list[Any] | None:
    """The cells of a column: a list, or pandas' object by row name."""
    if isinstance(cells, list):
        return cells
    if (
        isinstance(cells, dict)
        and cells
        and not any(isinstance(c, list | dict) for c in cells.values())
    ):
        return list(cells.values())
    return None
