"""CSV and its relatives: find out how a file is written, then stream its rows."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from agnews_ray.data.columns import names_both_roles, names_text, plain
from agnews_ray.data.dialect import Dialect
from agnews_ray.data.dialect_search import find_dialect, read_sample
from agnews_ray.data.encoding import find_encoding, open_text
from agnews_ray.data.headerless import (
    choose_positions,
    is_data,
    is_numbering,
    stated_positions,
)
from agnews_ray.data.layout import BATCH_ROWS, SAMPLE_ROWS, FileLayout, choose_roles
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

SAMPLE_CHARS = 8 << 20
"""The number of characters from which the dialect is chosen; a later row that does not fit is
refused."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What the first row holds: names or data."""

    columns: tuple[str, ...]
    num_rows: int
    has_names: bool
    notes: tuple[str, ...] = ()


def csv_layout(
    path: Path, spec: DataSpec, like: FileLayout | None, is_labelled: bool = True
) -> FileLayout:
    """Find out how a CSV file is written, and which columns are text and label.

    Args:
        path: the file.
        spec: the user's settings, which may state encoding, delimiter, quotes, header and columns.
        like: the layout of the train split's first file.
        is_labelled: whether a label column is wanted.

    Returns:
        The layout.

    Raises:
        DataError: bytes, rows or columns are ambiguous.
    """
    encoding, said = find_encoding(path, spec.encoding)
    with open_text(path, encoding) as file:
        sample, is_whole = file.read(SAMPLE_CHARS), not file.read(1)
    if not is_labelled and _is_one_column(sample, spec, like):
        dialect = Dialect()
        rows = read_sample(dialect, sample, is_whole)
    else:
        dialect = find_dialect(path, sample, is_whole, spec, like.dialect if like else None)
        rows = read_sample(dialect, sample, is_whole)
        _need_rows(path, rows, sample, like)
    header = _header(rows, spec, like, is_labelled)
    below = rows[header.num_rows : header.num_rows + SAMPLE_ROWS]
    values = [[row[i] if i < len(row) else "" for row in below] for i in range(len(rows[0]))]
    notes = (*([said] if said else []), *dialect.notes(spec.delimiter is not None), *header.notes)
    if is_labelled:
        text, label, more = _roles(path, header, values, spec, like)
    else:
        text, label, more = _text_alone(path, header, values, spec, like)
    return FileLayout(
        kind="csv",
        columns=header.columns,
        has_header=header.has_names,
        text_columns=text,
        label_column=label,
        encoding=encoding,
        dialect=dialect,
        num_header_rows=header.num_rows,
        notes=(*notes, *more),
    )


def iter_csv(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    """Stream a CSV file's rows.

    Args:
        path: the file.
        layout: from ``csv_layout``.

    Yields:
        Batches of the wanted columns, all strings.

    Raises:
        DataError: a row has another number of fields, or a misplaced quote; names the row.
    """
    places = [layout.columns.index(name) for name in layout.wanted]
    rows = _iter_rows(path, layout)
    while batch := list(islice(rows, BATCH_ROWS)):
        columns = [pa.array([row[place] for row in batch], pa.string()) for place in places]
        yield pa.record_batch(columns, names=list(layout.wanted))


def _iter_rows(path: Path, layout: FileLayout) -> Iterator[list[str]]:
    if layout.dialect is None:
        raise ValueError("a CSV file is read with a dialect")
    width, number = len(layout.columns), 0
    header: list[str] = []
    with open_text(path, layout.encoding) as file:
        try:
            for number, row in enumerate(layout.dialect.rows(file), start=1):
                if len(row) != width:
                    raise _ragged(path, layout, number, len(row))
                if number > layout.num_header_rows:
                    if row == header:
                        raise _repeated(path, number)
                    yield row
                elif layout.has_header:
                    header = row
        except csv.Error as error:
            found = f"row {number + 1}: {error}"
            hint = "double the quotes inside quoted fields, or use --quote none"
            raise DataError(
                str(path), "quoted fields that end at the closing quote", found, hint
            ) from error


def _repeated(path: Path, number: int) -> DataError:
    hint = "remove that row: files were put together with their headers"
    return DataError(str(path), "one header row", f"it again in row {number}", hint)


def _need_rows(path: Path, rows: list[list[str]], sample: str, like: FileLayout | None) -> None:
    if "\x00" in sample[:1000]:
        hint = "replace the file: it was not written to its end"
        raise DataError(str(path), "text", "zero bytes", hint)
    if sample.lstrip("\ufeff \t\r\n")[:1] in ("{", "[") and (not rows or '":' in "".join(rows[0])):
        hint = "rename it to .json or .jsonl"
        raise DataError(str(path), "rows of a CSV file", "what looks like JSON", hint)
    if not rows:
        hint = "replace the file, or describe it with --delimiter and --quote"
        raise DataError(str(path), "rows of a CSV file", "none", hint)
    texts = {plain(name) for name in like.text_columns} if like and like.has_header else set()
    if len(rows[0]) == 1 and plain(rows[0][0]) not in texts:
        hint = "give the delimiter with --delimiter"
        found = f"one column, {rows[0][0][:60]!r}"
        raise DataError(str(path), "a text and a label column", found, hint)


def _is_one_column(sample: str, spec: DataSpec, like: FileLayout | None) -> bool:
    """Whether the first line is the name of a text column, alone."""
    first = sample.lstrip("\ufeff\r\n").partition("\n")[0].strip().strip('"')
    known = (*(spec.text_columns or ()), *(like.text_columns if like and like.has_header else ()))
    return names_text([first]) or plain(first) in {plain(name) for name in known}


def _ragged(path: Path, layout: FileLayout, number: int, found: int) -> DataError:
    counted = " (a header counted)" if layout.num_header_rows else ""
    hint = "quote fields that hold a comma and double the quotes inside, or use --delimiter"
    wanted = f"{len(layout.columns)} fields in each row"
    return DataError(str(path), wanted, f"{found} in row {number}{counted}", hint)


def _header(
    rows: list[list[str]], spec: DataSpec, like: FileLayout | None, is_labelled: bool
) -> _Header:
    """Decide whether the first row names the columns."""
    first = rows[0]
    unnamed = tuple(f"column_{i + 1}" for i in range(len(first)))
    if is_numbering(first):
        return _Header(unnamed, 1, False, (f"first row {','.join(first[:4])} left out",))
    later = list(zip(*(row for row in rows[1:SAMPLE_ROWS] if len(row) == len(first)), strict=True))
    if spec.has_header is not None:
        has_names = spec.has_header
    elif (
        names_both_roles(first)
        or _is_stated(first, spec)
        or (not is_labelled and names_text(first))
    ):
        has_names = True
    elif like is not None and like.kind == "csv" and not like.has_header:
        has_names = False
    else:
        has_names = not is_data(first, later)
    if not has_names:
        return _Header(unnamed, 0, False)
    return _Header(tuple(" ".join(cell.split()) for cell in first), 1, True)


def _is_stated(first: list[str], spec: DataSpec) -> bool:
    stated = {plain(name) for name in (*(spec.text_columns or ()), spec.label_column or "")}
    return bool(stated - {""} & {plain(cell) for cell in first})


def _roles(
    path: Path,
    header: _Header,
    values: list[list[str]],
    spec: DataSpec,
    like: FileLayout | None,
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Choose columns by name if there are names, else by content, as in the train file."""
    if header.has_names:
        roles = choose_roles(path, header.columns, values, spec, like)
        return roles.text, roles.label, roles.notes
    if like is not None and not like.has_header and len(like.columns) == len(header.columns):
        return like.text_columns, like.label_column, like.notes
    found = choose_positions(path, values, spec)
    text = tuple(header.columns[place] for place in found.text)
    return text, header.columns[found.label], found.notes


def _text_alone(
    path: Path,
    header: _Header,
    values: list[list[str]],
    spec: DataSpec,
    like: FileLayout | None,
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Choose text columns as stated, as in the train file, else by name or content."""
    if header.has_names:
        roles = choose_roles(path, header.columns, values, spec, like, is_labelled=False)
        return roles.text, "", roles.notes
    if spec.text_columns is not None:
        places = stated_positions(path, len(values), spec.text_columns)
        return tuple(header.columns[place] for place in places), "", ("no header row",)
    text, _, notes = _roles(path, header, values, spec, like)
    return text, "", notes
