"""Parquet files, and Arrow files as ``datasets`` saves them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from agnews_ray.data.compression import compression_of
from agnews_ray.data.layout import BATCH_ROWS, SAMPLE_ROWS, FileLayout, choose_roles
from agnews_ray.data.values import is_numeric
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec


def arrow_layout(
    path: Path, kind: str, spec: DataSpec, like: FileLayout | None, is_labelled: bool = True
) -> FileLayout:
    """Find a Parquet or Arrow file's columns, and the class names that it carries.

    Args:
        path: the file.
        kind: parquet or arrow.
        spec: the user's settings, which may name the columns.
        like: the layout of the train split's first file.
        is_labelled: whether a label column is wanted.

    Returns:
        The layout.

    Raises:
        DataError: a column is missing or ambiguous, or the whole file is compressed again.
    """
    if compression_of(path) is not None:
        hint = "unpack it: Parquet and Arrow are compressed inside"
        raise DataError(str(path), f"a {kind} file", "a compressed one", hint)
    with path.open("rb") as file:
        head = file.read(64)
    if kind == "parquet" and not head.startswith(b"PAR1") and head.isascii():
        hint = "rename it to .csv or .jsonl"
        raise DataError(str(path), "a Parquet file", "what looks like text, such as CSV", hint)
    schema = pq.read_schema(path) if kind == "parquet" else _arrow_schema(path)
    columns = tuple(schema.names)
    first = next(iter(_iter(path, kind, None)), None)
    sample = [c.slice(0, SAMPLE_ROWS).to_pylist() for c in first.columns] if first else []
    roles = choose_roles(path, columns, sample, spec, like, is_labelled)
    numbers = [name for name in roles.text if is_numeric(schema.field(name).type)]
    notes = tuple(f"numbers in {name!r} read as text" for name in numbers)
    return FileLayout(
        kind=kind,
        columns=columns,
        has_header=True,
        text_columns=roles.text,
        label_column=roles.label,
        class_names=_class_names(schema, roles.label),
        notes=(*roles.notes, *notes),
    )


def iter_arrow(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    """Stream the wanted columns of a Parquet or Arrow file.

    Args:
        path: the file.
        layout: from ``arrow_layout``.

    Yields:
        Batches with the file's own types.
    """
    yield from _iter(path, layout.kind, list(layout.wanted))


def _iter(path: Path, kind: str, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    if kind == "arrow":
        with pa.memory_map(str(path)) as file:
            for batch in _arrow_batches(file):
                batch.validate(full=True)  # offsets in a damaged file may point anywhere in memory
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    part = batch.slice(start, BATCH_ROWS)
                    yield part.select(columns) if columns else part
        return
    # Arrow's read-ahead would keep all row groups in memory until the last one has been read.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            batch.validate(full=True)  # texts may be no UTF-8
            yield batch


def _is_random_access(file: Any) -> bool:
    """Whether the file is in Arrow's file format; ``datasets`` writes the stream format."""
    start = file.read(6)
    file.seek(0)
    return bool(start == b"ARROW1")


def _arrow_batches(file: Any) -> Iterator[pa.RecordBatch]:
    if _is_random_access(file):
        reader = pa.ipc.open_file(file)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
        return
    yield from pa.ipc.open_stream(file)


def _arrow_schema(path: Path) -> pa.Schema:
    with pa.memory_map(str(path)) as file:
        opened = pa.ipc.open_file if _is_random_access(file) else pa.ipc.open_stream
        return opened(file).schema


def _class_names(schema: pa.Schema, label: str) -> tuple[str, ...] | None:
    """Read the names that ``datasets`` keeps beside a ClassLabel column."""
    try:
        kept = json.loads((schema.metadata or {})[b"huggingface"])
        names = kept["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(str(name) for name in names) or None
