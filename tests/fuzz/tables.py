"""Tables of made-up rows, and the programs that people write them with."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from hypothesis import strategies as st

Row = tuple[str, str]
"""A text and its label."""

LABELS = ("World", "Sports", "Sci/Tech", "naïve")


@st.composite
def rows(draw: st.DrawFn, characters: st.SearchStrategy[str] | None = None) -> list[Row]:
    """Draw rows of at least two classes, each of them in several rows."""
    text = (
        characters
        if characters is not None
        else st.text(
            st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30
        )
    )
    texts = draw(st.lists(text, min_size=8, max_size=24))
    labels = draw(st.sampled_from((LABELS[:2], LABELS[:3], LABELS)))
    # A few words in every text, so that it is not empty.
    return [(f"row {i}: {one} end", labels[i % len(labels)]) for i, one in enumerate(texts)]


def _csv(rows: list[Row], **how: object) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, **how).writerows([("text", "label"), *rows])
    return out.getvalue().encode()


def _pandas_csv(rows: list[Row], **how: object) -> bytes:
    content: str = pd.DataFrame(rows, columns=["text", "label"]).to_csv(**how)
    return content.encode()


def _arrow_csv(rows: list[Row]) -> bytes:
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(table_of(rows), sink)
    return bytes(sink.getvalue())


def _json_lines(rows: list[Row], **how: object) -> bytes:
    return "".join(json.dumps({"text": t, "label": y}, **how) + "\n" for t, y in rows).encode()


def _json_array(rows: list[Row], **how: object) -> bytes:
    return json.dumps([{"text": t, "label": y} for t, y in rows], **how).encode()


def _pandas_json(rows: list[Row], **how: object) -> bytes:
    content: str = pd.DataFrame(rows, columns=["text", "label"]).to_json(**how)
    return content.encode()


def table_of(rows: list[Row]) -> pa.Table:
    """Make an Arrow table."""
    texts, labels = zip(*rows, strict=True)
    return pa.table({"text": pa.array(texts, pa.string()), "label": pa.array(labels, pa.string())})


def _parquet(rows: list[Row], **how: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table_of(rows), sink, **how)
    return sink.getvalue()


def _arrow(rows: list[Row], is_stream: bool) -> bytes:
    sink, table = io.BytesIO(), table_of(rows)
    new = pa.ipc.new_stream if is_stream else pa.ipc.new_file
    with new(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return sink.getvalue()


WRITERS: dict[str, tuple[str, Callable[[list[Row]], bytes]]] = {
    "csv": (".csv", lambda rows: _csv(rows)),
    "csv, all quoted": (".csv", lambda rows: _csv(rows, quoting=csv.QUOTE_ALL)),
    "csv, Unix lines": (".csv", lambda rows: _csv(rows, lineterminator="\n")),
    "csv, semicolons": (".csv", lambda rows: _csv(rows, delimiter=";", quoting=csv.QUOTE_ALL)),
    "tsv": (".tsv", lambda rows: _csv(rows, delimiter="\t")),
    "csv, pandas": (".csv", lambda rows: _pandas_csv(rows, index=False)),
    "csv, pandas with index": (".csv", lambda rows: _pandas_csv(rows)),
    "csv, Arrow": (".csv", _arrow_csv),
    "json lines": (".jsonl", lambda rows: _json_lines(rows)),
    "json lines, unescaped": (".jsonl", lambda rows: _json_lines(rows, ensure_ascii=False)),
    "json lines, pandas": (
        ".jsonl",
        lambda rows: _pandas_json(rows, orient="records", lines=True),
    ),
    "json array": (".json", lambda rows: _json_array(rows, indent=1)),
    "json array, one line": (".json", lambda rows: _json_array(rows)),
    "json columns, pandas": (".json", lambda rows: _pandas_json(rows)),
    "json split, pandas": (".json", lambda rows: _pandas_json(rows, orient="split")),
    "json table, pandas": (".json", lambda rows: _pandas_json(rows, orient="table")),
    "parquet": (".parquet", lambda rows: _parquet(rows)),
    "parquet, zstd": (".parquet", lambda rows: _parquet(rows, compression="zstd")),
    "parquet, small groups": (".parquet", lambda rows: _parquet(rows, row_group_size=5)),
    "parquet, version 1": (
        ".parquet",
        lambda rows: _parquet(rows, version="1.0", use_dictionary=False, compression="gzip"),
    ),
    "arrow file": (".arrow", lambda rows: _arrow(rows, False)),
    "arrow stream": (".arrow", lambda rows: _arrow(rows, True)),
}
"""Programs and settings, by name: the file's ending, and what writes its content."""

TEXT_ENDINGS = (".csv", ".tsv", ".json", ".jsonl")


def _zip(content: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


COMPRESSORS: dict[str, Callable[[bytes, str], bytes]] = {
    "": lambda content, _: content,
    ".gz": lambda content, _: gzip.compress(content, mtime=0),
    ".bz2": lambda content, _: bz2.compress(content),
    ".xz": lambda content, _: lzma.compress(content),
    ".zst": lambda content, _: pa.Codec("zstd").compress(content).to_pybytes(),
    ".zip": _zip,
}
"""Compressions by ending."""

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32")


def packed(kind: str, files: dict[str, bytes]) -> bytes:
    """Put files into an archive, under any names."""
    out = io.BytesIO()
    if kind == ".zip":
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=out, mode="w:gz" if kind == ".tgz" else "w") as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()
