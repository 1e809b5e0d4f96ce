"""Plain text files with one text a line, the usual form of texts without labels."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa

from agnews_ray.data.encoding import find_encoding, open_text
from agnews_ray.data.layout import BATCH_ROWS, FileLayout
from agnews_ray.spec.data import DataSpec


def lines_layout(path: Path, spec: DataSpec) -> FileLayout | None:
    """Find out whether a text file has one text a line, and its encoding.

    Args:
        path: the file.
        spec: the user's settings, which may state the encoding or text columns.

    Returns:
        The layout; None for a table: its text columns are stated, or its first line has tabs.
    """
    if spec.text_columns is not None:
        return None
    encoding, said = find_encoding(path, spec.encoding)
    with open_text(path, encoding) as file:
        first = next((line for line in file if line.strip()), "")
    if "\t" in first.strip():
        return None
    return FileLayout(
        kind="text",
        columns=("text",),
        has_header=False,
        text_columns=("text",),
        label_column="",
        encoding=encoding,
        notes=(*([said] if said else []), "one text a line"),
    )


def iter_lines(path: Path, layout: FileLayout) -> Iterator[pa.RecordBatch]:
    """Stream the lines of a text file; an empty line is an empty text.

    Args:
        path: the file.
        layout: from ``lines_layout``.

    Yields:
        Batches with the column ``text``, all strings.
    """
    with open_text(path, layout.encoding) as file:
        lines = (line.removeprefix("\ufeff").rstrip("\r\n") for line in file)
        while batch := list(islice(lines, BATCH_ROWS)):
            yield pa.record_batch({"text": pa.array(batch, pa.string())})
