"""Read a data file of any supported format as a stream of (text, label) batches."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from agnews_ray.data.arrow_file import arrow_layout, iter_arrow
from agnews_ray.data.compression import READ_ERRORS, data_ending
from agnews_ray.data.csv_file import csv_layout, iter_csv
from agnews_ray.data.encoding import find_encoding
from agnews_ray.data.json_rows import find_form, iter_rows
from agnews_ray.data.layout import BATCH_ROWS, SAMPLE_ROWS, FileLayout, choose_roles
from agnews_ray.data.text_lines import iter_lines, lines_layout
from agnews_ray.data.values import from_python, to_labels, to_texts
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

KINDS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".psv": "csv",
    ".txt": "csv",
}
"""The endings of files that are read; ``.gz`` and similar may follow those of CSV and JSON."""

NAMES = {
    "csv": "a CSV file",
    "parquet": "a Parquet file",
    "arrow": "an Arrow file",
    "jsonl": "a JSON Lines file",
    "text": "a text file",
}


def detect_layout(
    path: Path, spec: DataSpec, like: FileLayout | None = None, is_labelled: bool = True
) -> FileLayout:
    """Find out a file's kind, encoding, dialect, header, text columns and label column.

    Args:
        path: a file whose ending is one of ``KINDS``, perhaps compressed.
        spec: the user's settings, which replace what is otherwise found.
        like: the layout of the train split's first file, whose columns are tried first.
        is_labelled: whether labels are wanted; without them, a ``.txt`` has one text a line unless
            its first line has tabs or its text columns are stated.

    Returns:
        The layout.

    Raises:
        DataError: the ending is unknown, the file is empty or unreadable, or a column is missing
            or ambiguous.
    """
    kind = KINDS.get(data_ending(path))
    if kind is None:
        hint = "save it as CSV, Parquet or JSON Lines, or rename it"
        found = data_ending(path) or "no ending"
        raise DataError(str(path), "a file ending in .csv, .parquet or .jsonl", found, hint)
    if not path.is_file():
        hint = "check the path given to --dataset"
        raise DataError(str(path), "a data file", "no such file", hint)
    if path.stat().st_size == 0:
        raise DataError(str(path), "at least one row", "an empty file", "remove or replace it")
    try:
        return _layout(path, kind, spec, like, is_labelled)
    except (*READ_ERRORS, UnicodeDecodeError) as error:
        raise _explain(path, kind, error) from error


def iter_batches(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    """Stream a file's rows in file order.

    Args:
        path: the file.
        layout: from ``detect_layout``.

    Yields:
        Batches with columns ``text`` (string, columns joined by one space, nulls as empty) and
        ``label`` (string, null where missing or not read).

    Raises:
        DataError: a row has another number of fields, or the format is broken; names the row.
    """
    readers = {"csv": iter_csv, "jsonl": _iter_json, "text": iter_lines}
    try:
        for batch in readers.get(layout.kind, iter_arrow)(path, layout):
            yield _text_and_label(batch, layout, path)
    except UnicodeDecodeError as error:
        found = f"other bytes at position {error.start:,} of a part"
        hint = "unpack or download it again, or state --encoding"
        raise DataError(str(path), f"text in {layout.encoding} to its end", found, hint) from error
    except READ_ERRORS as error:
        raise _explain(path, layout.kind, error) from error


def _layout(
    path: Path, kind: str, spec: DataSpec, like: FileLayout | None, is_labelled: bool
) -> FileLayout:
    if not is_labelled and data_ending(path) == ".txt" and (lines := lines_layout(path, spec)):
        return lines
    if kind == "csv":
        return csv_layout(path, spec, like, is_labelled)
    if kind == "jsonl":
        return _json_layout(path, spec, like, is_labelled)
    return arrow_layout(path, kind, spec, like, is_labelled)


def _json_layout(
    path: Path, spec: DataSpec, like: FileLayout | None, is_labelled: bool
) -> FileLayout:
    encoding, said = find_encoding(path, spec.encoding)
    form = find_form(path, encoding)
    rows = list(islice(iter_rows(path, encoding, form), SAMPLE_ROWS))
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    if not columns:
        raise DataError(str(path), "at least one row", "none", "remove or replace the file")
    sample = [[row.get(name) for row in rows] for name in columns]
    roles = choose_roles(path, columns, sample, spec, like, is_labelled)
    return FileLayout(
        kind="jsonl",
        columns=columns,
        has_header=True,
        text_columns=roles.text,
        label_column=roles.label,
        encoding=encoding,
        form=form,
        notes=(*([said] if said else []), *roles.notes),
    )


def _iter_json(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    rows = iter_rows(path, layout.encoding, layout.form or "lines")
    while batch := list(islice(rows, BATCH_ROWS)):
        columns = [from_python([row.get(name) for row in batch]) for name in layout.wanted]
        yield pa.record_batch(columns, names=list(layout.wanted))


def _text_and_label(batch: pa.RecordBatch, layout: FileLayout, path: Path) -> pa.RecordBatch:
    parts = [to_texts(batch.column(name), name, path) for name in layout.text_columns]
    text = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")
    label = pa.nulls(batch.num_rows, pa.string())
    if layout.label_column:
        label = to_labels(batch.column(layout.label_column), layout.label_column, path)
    return pa.record_batch({"text": text, "label": label})


def _explain(path: Path, kind: str, error: Exception) -> DataError:
    """Say where a file is broken, in the words of the library that read it."""
    if isinstance(error, PermissionError):
        return DataError(str(path), "a readable file", "no permission", "change its permissions")
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    hint = "replace the file: it is damaged or cut off"
    return DataError(str(path), NAMES[kind], reason, hint)
