"""Read CSV, Parquet and JSON Lines files as a stream of (text, label) batches; plain pyarrow."""

import codecs
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from agnews_ray.errors import DataError
from agnews_ray.spec.study import DataSpec

BLOCK_BYTES = 4 << 20
"""Bytes of CSV or JSON parsed at a time: bounds memory whatever the file's size."""

BATCH_ROWS = 8192
"""Rows of Parquet read at a time."""

KINDS = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
}
LABEL_NAMES = ("label", "labels", "class index", "class", "category", "target")
TEXT_NAMES = (("text",), ("title", "description"), ("sentence",), ("content",), ("review",))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLayout:
    """How the columns of a file become text and label."""

    kind: str
    """csv, parquet or jsonl."""
    columns: tuple[str, ...]
    """All columns in file order; for a CSV without header made-up names."""
    has_header: bool
    """False for a CSV as AG News is published: class, title, description."""
    text_columns: tuple[str, ...]
    label_column: str


def detect_layout(path: Path, spec: DataSpec) -> FileLayout:
    """Find out a file's kind, header, text columns and label column.

    Args:
        path: a file whose ending is one of ``KINDS``.
        spec: may name the columns; otherwise they are found by name.

    Returns:
        The layout.

    Raises:
        DataError: the ending is unknown, the file is empty or unreadable, or a column is missing.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        wanted = f"a file ending in {', '.join(KINDS)}"
        raise DataError(str(path), wanted, f"{path.suffix or 'no ending'}", "convert or rename it")
    if not path.is_file():
        hint = "check the path given to --dataset"
        raise DataError(str(path), "a data file", "no such file", hint)
    if path.stat().st_size == 0:
        raise DataError(str(path), "at least one row", "an empty file", "remove or replace it")
    if kind == "csv":
        columns, has_header = _csv_columns(path)
    else:
        columns, has_header = _schema(path, kind).names, True
    text, label = _choose_columns(path, columns, has_header, spec)
    return FileLayout(
        kind=kind,
        columns=tuple(columns),
        has_header=has_header,
        text_columns=text,
        label_column=label,
    )


def iter_batches(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    """Stream a file's rows in file order.

    Args:
        path: the file.
        layout: from ``detect_layout``.

    Yields:
        Batches with columns ``text`` (string, columns joined by one space, nulls as empty) and
        ``label`` (string, null where missing).

    Raises:
        DataError: the bytes are not UTF-8, a row has another number of fields, or the format is
            broken; names the row or byte.
    """
    reader = {"csv": _iter_csv, "parquet": _iter_parquet, "jsonl": _iter_jsonl}[layout.kind]
    try:
        for batch in reader(path, layout):
            yield _text_and_label(batch, layout, path)
    except (pa.ArrowException, OSError) as error:
        raise _explain(path, layout.kind, error) from error


def _csv_columns(path: Path) -> tuple[list[str], bool]:
    """Read the first row; one that starts with a number is data, not a header."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = next(csv.reader(file), [])
    except (UnicodeDecodeError, OSError, csv.Error) as error:
        raise _explain(path, "csv", error) from error
    if first and first[0].strip().lstrip("-").isdigit():
        return ["label", *(f"column_{i}" for i in range(2, len(first) + 1))], False
    return first, True


def _schema(path: Path, kind: str) -> pa.Schema:
    try:
        if kind == "parquet":
            return pq.read_schema(path)
        with pa.json.open_json(path, read_options=_json_options()) as reader:
            return reader.schema
    except (pa.ArrowInvalid, OSError) as error:
        raise _explain(path, kind, error) from error


def _choose_columns(
    path: Path, columns: list[str], has_header: bool, spec: DataSpec
) -> tuple[tuple[str, ...], str]:
    if not has_header:
        if len(columns) < 2 or spec.text_columns or spec.label_column:
            wanted = "a header row, or class and text columns without named columns"
            hint = "add a header row, or drop --text-column and --label-column"
            raise DataError(str(path), wanted, f"{len(columns)} columns without header", hint)
        return tuple(columns[1:]), columns[0]
    by_lower = {name.strip().lower(): name for name in columns}
    label = spec.label_column
    if label is None:
        label = next((by_lower[name] for name in LABEL_NAMES if name in by_lower), None)
    text = spec.text_columns
    if text is None:
        found = (names for names in TEXT_NAMES if all(name in by_lower for name in names))
        text = next((tuple(by_lower[name] for name in names) for names in found), None)
    _need_columns(path, columns, "label", LABEL_NAMES, (label,) if label else None)
    _need_columns(path, columns, "text", tuple(" + ".join(n) for n in TEXT_NAMES), text)
    return text or (), label or ""


def _need_columns(
    path: Path,
    columns: list[str],
    role: str,
    known: tuple[str, ...],
    chosen: tuple[str, ...] | None,
) -> None:
    """Refuse a role without columns, or with columns that the file lacks."""
    shown = ", ".join(columns[:20]) or "none"
    if chosen is None:
        wanted = f"a {role} column named {', '.join(known)}"
        hint = f"name it with --{role}-column"
        raise DataError(str(path), wanted, f"columns {shown}", hint)
    for name in chosen:
        if name not in columns:
            close = get_close_matches(name, columns, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"pass another --{role}-column"
            raise DataError(str(path), f"a column {name!r}", f"columns {shown}", hint)


def _iter_csv(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    wanted = [*layout.text_columns, layout.label_column]
    yield from pa.csv.open_csv(
        path,
        read_options=pa.csv.ReadOptions(
            block_size=BLOCK_BYTES,
            use_threads=False,
            column_names=list(layout.columns),
            skip_rows=1 if layout.has_header else 0,
        ),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
        ),
    )


def _iter_parquet(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    # Arrow's read-ahead would hold all row groups until the last one has been read.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(
            batch_size=BATCH_ROWS, columns=[*layout.text_columns, layout.label_column]
        ):
            batch.validate(full=True)  # Parquet readers trust that strings are UTF-8
            yield batch


def _iter_jsonl(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    # Arrow takes the first block's fields for all; what we do not read may come and go.
    schema = _schema(path, "jsonl")
    wanted = [schema.field(name) for name in {*layout.text_columns, layout.label_column}]
    parsing = pa.json.ParseOptions(
        explicit_schema=pa.schema(wanted), unexpected_field_behavior="ignore"
    )
    with pa.json.open_json(path, _json_options(), parsing) as reader:
        for batch in reader:
            batch.validate(full=True)  # it does not look for bytes that are not UTF-8
            yield batch


def _json_options() -> pa.json.ReadOptions:
    return pa.json.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)


def _text_and_label(batch: pa.RecordBatch, layout: FileLayout, path: Path) -> pa.RecordBatch:
    parts = []
    for name in layout.text_columns:
        column = batch.column(name)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            found = f"{column.type} in column {name!r}"
            raise DataError(str(path), "text", found, "name the column with --text-column")
        parts.append(column.cast(pa.string()).fill_null(""))
    text = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")
    label = batch.column(layout.label_column)
    if pa.types.is_floating(label.type) and pc.all(pc.equal(pc.floor(label), label)).as_py():
        label = label.cast(pa.int64())  # 3.0, as pandas writes integers beside a null
    label = pc.utf8_trim_whitespace(label.cast(pa.string()))
    label = pc.if_else(pc.equal(label, ""), None, label)
    return pa.record_batch({"text": text, "label": label})


def _explain(path: Path, kind: str, error: Exception) -> DataError:
    """Say where a file is broken, searching it again: pyarrow names neither byte nor line."""
    if isinstance(error, PermissionError):
        return DataError(str(path), "a readable file", "no permission", "change its permissions")
    if kind in ("csv", "jsonl"):
        byte = _first_undecodable_byte(path)
        if byte is not None:
            found = f"an undecodable byte at offset {byte}"
            return DataError(str(path), "UTF-8 text", found, "convert the file, e.g. with iconv")
    if kind == "jsonl":
        line = _first_bad_json_line(path)
        if line is not None:
            return DataError(str(path), "one JSON object a line", f"line {line}", "mend that line")
    ragged = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error))
    if ragged:
        row, wanted_fields, fields = ragged.groups()
        hint = "quote fields that hold a comma, and double the quotes inside them"
        found = f"{fields} in row {row} (a header counted)"
        return DataError(str(path), f"{wanted_fields} fields in each row", found, hint)
    wanted = {"csv": "a CSV file", "parquet": "a Parquet file", "jsonl": "a JSON Lines file"}[kind]
    reason = " ".join(str(error).split())[:200]
    return DataError(str(path), wanted, reason, "replace the file")


def _first_undecodable_byte(path: Path) -> int | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    with path.open("rb") as file:
        while chunk := file.read(BLOCK_BYTES):
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return offset - held + error.start
            offset += len(chunk)
    return None


def _first_bad_json_line(path: Path) -> int | None:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                if line.strip() and not isinstance(json.loads(line), dict):
                    return number
            except json.JSONDecodeError:
                return number
    return None
