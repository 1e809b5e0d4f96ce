"""Folders of compressed files and archives, whole and damaged."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    Build,
    Corpus,
    coded,
    csv_files,
    csv_text,
    files,
    numbered,
    records,
    write,
)

CORPUS = Corpus()
pack = partial(CORPUS.add, "compressed")


def packed(ending: str, compress: Callable[[bytes], bytes], inner: str = "csv") -> Build:
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


def cut(ending: str, compress: Callable[[bytes], bytes]) -> Build:
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
pack("tar", tarred, (NEWS, "unpack|extract"))
pack("tar-named", tarred, (NEWS, "unpack|extract"), source="ag_news_csv.tgz")
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
