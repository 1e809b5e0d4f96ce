"""Folders of JSON in the shapes that tools give it, and of compressed files."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Row,
    Works,
    coded,
    csv_files,
    csv_text,
    files,
    frame,
    numbered,
    records,
    relabelled,
    write,
)

CORPUS = Corpus()
Rows = tuple[Row, ...]
CODES = {name: str(i) for i, name in enumerate(AG)}


def add(name: str, build: Callable[[Path], object], outcome: object = NEWS, **spec: object) -> None:
    CORPUS.add("JSON", name, build, outcome, **spec)  # type: ignore[arg-type]


def whole(
    make: Callable[[Rows], Any], ending: str = "json", **options: Any
) -> Callable[[Path], object]:
    """One JSON value in a file."""

    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            write(at / f"{name}.{ending}", json.dumps(make(rows), **options))

    return build


def lines(
    make: Callable[[int, str, str], Any], ending: str = "jsonl", **options: Any
) -> Callable[[Path], object]:
    """A JSON value in each line."""

    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            made = (json.dumps(make(i, t, y), **options) for i, (t, y) in enumerate(rows))
            write(at / f"{name}.{ending}", "\n".join(made) + "\n")

    return build


def raw(make: Callable[[Rows], str], ending: str = "json") -> Callable[[Path], object]:
    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            write(at / f"{name}.{ending}", make(rows))

    return build


def pandas(orient: str, **options: object) -> Callable[[Path], object]:
    return lambda at: files(at, "json", orient=orient, **options)


def pair(i: int, text: str, label: str) -> dict[str, Any]:
    return {"text": text, "label": label}


def damaged(change: Callable[[str], str], ending: str = "jsonl") -> Callable[[Path], object]:
    """Records in lines, of which train's are changed."""

    def build(at: Path) -> None:
        lines(pair, ending)(at)
        path = at / f"train.{ending}"
        write(path, change(path.read_text(encoding="utf-8")))

    return build


def by_datasets(at: Path, **options: Any) -> None:
    import datasets

    for name, rows in (("train", TRAIN), ("test", TEST)):
        datasets.Dataset.from_list(records(rows)).to_json(at / f"{name}.json", **options)


def doccano(at: Path) -> None:
    lines(lambda i, t, y: {"id": i, "text": t, "label": [y], "Comments": []})(at)


def label_studio(rows: Rows) -> list[dict[str, Any]]:
    return [
        {
            "id": i,
            "annotations": [{"result": [{"value": {"choices": [y]}, "type": "choices"}]}],
            "data": {"text": t},
        }
        for i, (t, y) in enumerate(rows)
    ]


TABLE = lambda rows: {"columns": ["text", "label"], "data": [list(r) for r in rows]}  # noqa: E731

add("lines", lines(pair))
add("lines-called-json", lines(pair, "json"))
add("lines-ndjson", lines(pair, "ndjson"))
add("lines-from-datasets", by_datasets)
add("array-from-datasets", lambda at: by_datasets(at, lines=False))
add("array", pandas("records"))
add("array-indented", whole(records, indent=2))
add("array-called-jsonl", whole(records, "jsonl"))
add(
    "array-with-line-breaks",
    raw(lambda r: "[\n" + ",\n".join(map(json.dumps, records(r))) + "\n]\n"),
)
add("array-after-blanks", raw(lambda r: "\n\n  " + json.dumps(records(r))))
add("pandas-columns", pandas("columns"))
add("pandas-index", pandas("index"))
add("pandas-split", pandas("split"))
add("pandas-table", pandas("table"))
add("pandas-values", pandas("values"), (NEWS, "array|object|list|column"))
add("columns-of-lists", whole(lambda r: frame(r).to_dict("list")))
add("split-by-hand", whole(TABLE), (NEWS, "column|data"))
add("under-data", whole(lambda r: {"data": records(r)}))
add(
    "under-data-with-version",
    whole(lambda r: {"version": "1.0", "data": records(r), "count": len(r)}),
)
add("under-rows", whole(lambda r: {"rows": records(r)}), (NEWS, "rows|array|object"))
add("under-examples", whole(lambda r: {"examples": records(r)}), (NEWS, "examples|array|object"))
add(
    "viewer-rows",
    whole(
        lambda r: {
            "features": [],
            "rows": [
                {"row_idx": i, "row": x, "truncated_cells": []} for i, x in enumerate(records(r))
            ],
        }
    ),
    (NEWS, "row|column"),
)
add(
    "two-lists-in-one",
    whole(lambda r: {"good": records(r), "bad": records(r[:5])}),
    "good|bad|array|object|column",
)
add(
    "both-splits-in-one",
    lambda at: write(
        at / "news.json", json.dumps({"train": records(TRAIN), "test": records(TEST)})
    ),
    (NEWS, "train"),
)
add(
    "by-id",
    whole(lambda r: {f"doc{i}": x for i, x in enumerate(records(r))}),
    (NEWS, "column|array|object"),
)
add("text-to-label", whole(dict), "array|object|column")
add(
    "indented-objects",
    raw(lambda r: "\n".join(json.dumps(x, indent=2) for x in records(r))),
    (NEWS, "line|object"),
)
add(
    "objects-in-one-line",
    raw(lambda r: " ".join(map(json.dumps, records(r))), "jsonl"),
    (NEWS, "line|object"),
)
add(
    "objects-with-commas",
    raw(lambda r: ",\n".join(map(json.dumps, records(r))), "jsonl"),
    (NEWS, "line|object"),
)
add(
    "record-separators",
    raw(lambda r: "".join("\x1e" + json.dumps(x) + "\n" for x in records(r)), "jsonl"),
    (NEWS, "line|object"),
)
add("lists-in-lines", lines(lambda i, t, y: [t, y]), "line|object")
add("strings-in-lines", lines(lambda i, t, y: t), "line 1|object")
add("blank-lines", damaged(lambda s: s.replace("\n", "\n\n")))
add("windows-lines", damaged(lambda s: s.replace("\n", "\r\n")))
add("no-last-newline", damaged(str.rstrip))
add(
    "escaped-unicode",
    lines(lambda i, t, y: pair(i, f"Zoë — {t}", y)),
    Works(
        train=tuple((f"Zoë — {t}", y) for t, y in TRAIN),
        test=tuple((f"Zoë — {t}", y) for t, y in TEST),
    ),
)
add(
    "emoji-pairs",
    lines(lambda i, t, y: pair(i, f"😀 {t}", y)),
    Works(
        train=tuple((f"😀 {t}", y) for t, y in TRAIN), test=tuple((f"😀 {t}", y) for t, y in TEST)
    ),
)
BROKEN = tuple((t.replace("Oslo", "\ufffd") if i == 0 else t, y) for i, (t, y) in enumerate(TRAIN))
add(
    "half-of-an-emoji",
    damaged(lambda s: s.replace("Oslo", r"\ud83d", 1)),
    (Works(train=BROKEN, test=TEST), "line|surrogate|UTF-8|unicode|row"),
)
add("single-quotes", raw(lambda r: "\n".join(map(str, records(r))), "jsonl"), "line 1|JSON")
add("truncated", damaged(lambda s: s[:-30]), "line 40|last line")
add(
    "truncated-array",
    lambda at: [whole(records)(at), write(at / "train.json", json.dumps(records(TRAIN))[:-30])],
    "JSON",
)
add("trailing-comma", raw(lambda r: json.dumps(records(r))[:-1] + ",]"), (NEWS, "JSON|comma"))
add(
    "settings-in-the-first-line",
    damaged(lambda s: '{"version": 1, "created": "2024-01-05"}\n' + s),
    "row 1|line 1",
)
add("late-column", lines(lambda i, t, y: pair(i, t, y) | ({"note": "x"} if i > 30 else {})))
add("late-label", lines(lambda i, t, y: {"text": t} | ({"label": y} if i > 2 else {})), "row 1")
add(
    "mixed-labels",
    lines(lambda i, t, y: pair(i, t, CODES[y]) if i % 2 else pair(i, t, int(CODES[y]))),
    numbered(),
)
add(
    "late-mixed-labels",
    lines(lambda i, t, y: pair(i, t, CODES[y]) if i > 30 else pair(i, t, int(CODES[y]))),
    numbered(),
)
add(
    "integer-and-float-labels",
    lines(lambda i, t, y: pair(i, t, float(CODES[y])) if i > 30 else pair(i, t, int(CODES[y]))),
    numbered(),
)
add(
    "mixed-texts",
    lines(lambda i, t, y: pair(i, 1000 + i if i % 5 == 4 else t, y)),
    Works(
        train=tuple((str(1000 + i) if i % 5 == 4 else t, y) for i, (t, y) in enumerate(TRAIN)),
        test=tuple((str(1000 + i) if i % 5 == 4 else t, y) for i, (t, y) in enumerate(TEST)),
    ),
)
add("mixed-elsewhere", lines(lambda i, t, y: pair(i, t, y) | {"meta": i if i % 2 else {"a": [i]}}))
add(
    "null-texts",
    lines(lambda i, t, y: pair(i, None if i == 4 else t, y)),
    Works(
        train=tuple(("" if i == 4 else t, y) for i, (t, y) in enumerate(TRAIN)),
        test=tuple(("" if i == 4 else t, y) for i, (t, y) in enumerate(TEST)),
    ),
)
add("keys-in-any-order", lines(lambda i, t, y: pair(i, t, y) if i % 2 else {"label": y, "text": t}))
add(
    "key-twice",
    damaged(lambda s: s.replace('{"text"', '{"label": "old", "text"', 1)),
    (NEWS, "line 1|label|twice|duplicate"),
)
add(
    "dates-beside",
    lines(lambda i, t, y: pair(i, t, y) | {"date": f"2024-01-{i % 28 + 1:02d}T00:00:00Z"}),
)
add(
    "dates-as-labels",
    lines(lambda i, t, y: pair(i, t, f"202{AG.index(y)}-01-01")),
    Works(
        train=relabelled(TRAIN, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
        test=relabelled(TEST, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
    ),
)
add(
    "dates-as-labels-array",
    whole(lambda r: [pair(0, t, f"202{AG.index(y)}-01-01") for t, y in r]),
    Works(
        train=relabelled(TRAIN, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
        test=relabelled(TEST, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
    ),
)
add(
    "label-in-an-object", lines(lambda i, t, y: {"text": t, "label": {"id": 1, "name": y}}), "label"
)
add("doccano", doccano, (NEWS, "label|list"))
add("label-studio", whole(label_studio), "annotations|column")
add(
    "label-studio-min",
    whole(
        lambda r: [
            {
                "text": t,
                "sentiment": y,
                "id": i,
                "annotator": 1,
                "created_at": "2024-01-05T10:00:00.0Z",
            }
            for i, (t, y) in enumerate(r)
        ]
    ),
)
add(
    "prodigy",
    lines(lambda i, t, y: {"text": t, "_input_hash": i, "answer": "accept", "accept": [y]}),
    "label|column|accept",
)
add(
    "chat",
    lines(
        lambda i, t, y: {
            "messages": [{"role": "user", "content": t}, {"role": "assistant", "content": y}]
        }
    ),
    "messages|column",
)
add("empty-array", lambda at: [whole(records)(at), write(at / "train.json", "[]")], "row|empty")
add("array-of-strings", whole(lambda r: [t for t, _ in r]), "object|array|JSON")
add("a-number", whole(lambda r: 7), "object|array|JSON|line 1")
add(
    "not-a-number",
    raw(lambda r: "\n".join(json.dumps({**x, "score": float("nan")}) for x in records(r)), "jsonl"),
    (NEWS, "NaN|line"),
)
add(
    "large-numbers-beside",
    lines(lambda i, t, y: pair(i, t, y) | {"id": 10**25 + i}),
    (NEWS, "id|number|line"),
)
add("comments", damaged(lambda s: "// news\n" + s), "line 1|comment")


def pack(
    name: str, build: Callable[[Path], object], outcome: object = NEWS, **spec: object
) -> None:
    CORPUS.add("compressed", name, build, outcome, **spec)  # type: ignore[arg-type]


def packed(
    ending: str, compress: Callable[[bytes], bytes], inner: str = "csv"
) -> Callable[[Path], object]:
    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            content = csv_text(rows)
            if inner == "jsonl":
                content = "".join(json.dumps(x) + "\n" for x in records(rows))
            write(at / f"{name}.{ending}", compress(content.encode()))

    return build


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def zipped(*members: tuple[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def locked(content: bytes) -> bytes:
    """Set the bit that says encrypted, in both headers of the only member."""
    made = bytearray(zipped(("train.csv", content)))
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def halved(compress: Callable[[bytes], bytes], times: int = 2) -> Callable[[bytes], bytes]:
    """Several compressed streams, one after the other, as ``cat a.gz b.gz`` makes them."""
    return lambda content: b"".join(
        compress(content[i * len(content) // times : (i + 1) * len(content) // times])
        for i in range(times)
    )


def cut(ending: str, compress: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    def build(at: Path) -> None:
        packed(ending, compress)(at)
        path = at / f"train.{ending}"
        write(path, path.read_bytes()[:-40])

    return build


def archive(at: Path, name: str = "archive.zip", within: str = "") -> None:
    members = [
        (f"{within}{split}.csv", csv_text(rows))
        for split, rows in (("train", TRAIN), ("test", TEST))
    ]
    write(at / name, zipped(*members))


def tarred(at: Path) -> None:
    with tarfile.open(at / "ag_news_csv.tgz", "w:gz") as out:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            content = csv_text(rows).encode()
            entry = tarfile.TarInfo(f"ag_news_csv/{name}.csv")
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))


pack("gz", packed("csv.gz", gzip.compress))
pack("gz-tsv", lambda at: csv_files(at, sep="\t", names=("train.tsv.gz", "test.tsv.gz")))
pack("gz-json-lines", packed("jsonl.gz", gzip.compress, "jsonl"))
pack("gz-json-lines-called-json", packed("json.gz", gzip.compress, "jsonl"))
pack(
    "gz-json-array",
    lambda at: files(at, "json", names=("train.json.gz", "test.json.gz"), orient="records"),
)
pack("gz-upper-case", packed("CSV.GZ", gzip.compress))
pack("gz-two-streams", packed("csv.gz", halved(gzip.compress)))
pack("bz2", packed("csv.bz2", bz2.compress))
pack("bz2-two-streams", packed("csv.bz2", halved(bz2.compress)))
pack("zst", packed("csv.zst", zstd))
pack("zst-json-lines", packed("jsonl.zst", zstd, "jsonl"))
pack("zst-two-frames", packed("csv.zst", halved(zstd)))
pack("xz", packed("csv.xz", lzma.compress), (NEWS, "xz|gz"))
pack("zip-each", packed("csv.zip", lambda c: zipped(("train.csv", c))))
pack("zip-each-short-name", packed("zip", lambda c: zipped(("data.csv", c))))
pack("zip-by-pandas", lambda at: csv_files(at, names=("train.csv.zip", "test.csv.zip")))
pack(
    "zip-from-a-mac",
    packed("csv.zip", lambda c: zipped(("train.csv", c), ("__MACOSX/._train.csv", b"\0\5"))),
)
pack(
    "zip-with-several",
    packed("csv.zip", lambda c: zipped(("a.csv", c), ("b.csv", c))),
    r"a\.csv.*b\.csv|2 files|several|one file",
)
pack("zip-of-both", archive, (NEWS, "unzip|unpack|extract"))
pack("zip-of-both-named", archive, (NEWS, "unzip|unpack|extract"), source="archive.zip")
pack(
    "zip-of-a-folder",
    lambda at: archive(at, within="ag_news_csv/"),
    (NEWS, "unzip|unpack|extract"),
)
pack("zip-with-password", packed("csv.zip", locked), "password|encrypted")
pack("zip-empty", packed("csv.zip", lambda c: zipped()), "empty|no file|nothing|none")
pack("tar", tarred, "unpack|extract")
pack("tar-named", tarred, "unpack|extract", source="ag_news_csv.tgz")
pack(
    "truncated-gz",
    cut("csv.gz", gzip.compress),
    "train.csv.gz.*(truncated|broken|end|complete|damaged|whole)",
)
pack(
    "truncated-bz2",
    cut("csv.bz2", bz2.compress),
    "train.csv.bz2.*(truncated|broken|end|complete|damaged|whole)",
)
pack(
    "truncated-zst",
    cut("csv.zst", zstd),
    "train.csv.zst.*(truncated|broken|end|complete|damaged|whole)",
)
pack(
    "truncated-zip",
    cut("csv.zip", lambda c: zipped(("train.csv", c))),
    "train.csv.zip.*(truncated|broken|end|complete|damaged|whole|not a zip)",
)
pack(
    "damaged-gz",
    lambda at: [
        packed("csv.gz", gzip.compress)(at),
        write(
            at / "train.csv.gz",
            (at / "train.csv.gz").read_bytes()[:400]
            + b"\0" * 60
            + (at / "train.csv.gz").read_bytes()[460:],
        ),
    ],
    "train.csv.gz",
)
pack("plain-called-gz", packed("csv.gz", bytes), (NEWS, "gz"))
pack("gz-called-csv", packed("csv", gzip.compress), (NEWS, "gz"))
pack("zip-called-csv", packed("csv", lambda c: zipped(("train.csv", c))), (NEWS, "zip"))
pack("gz-without-inner-ending", packed("gz", gzip.compress), (NEWS, "gz"))
for codec in ("gzip", "brotli", "zstd", "lz4", "none"):
    pack(
        f"parquet-{codec}",
        lambda at, codec=codec: files(
            at, "parquet", compression=None if codec == "none" else codec
        ),
    )
pack(
    "parquet-in-gz",
    lambda at: [
        files(at, "parquet"),
        [
            write(at / f"{n}.parquet.gz", gzip.compress((at / f"{n}.parquet").read_bytes()))
            or (at / f"{n}.parquet").unlink()
            for n in ("train", "test")
        ],
    ],
    (NEWS, "gunzip|unpack|extract"),
)
pack(
    "gz-of-numbers",
    lambda at: csv_files(at, coded(TRAIN), coded(TEST), names=("train.csv.gz", "test.csv.gz")),
    numbered(),
)
