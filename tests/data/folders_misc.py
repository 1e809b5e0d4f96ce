"""Folders that are no data set, or no longer one."""

import json
import pickle
import sqlite3
from functools import partial
from pathlib import Path

import numpy as np

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Build,
    Corpus,
    csv_files,
    csv_text,
    files,
    frame,
    write,
)
from tests.data.folders_compressed import zipped

CORPUS = Corpus()
add = partial(CORPUS.add, "misc")


def instead(ending: str, content: bytes | str) -> Build:
    """Both files of this content."""
    return lambda at: [write(at / f"{name}.{ending}", content) for name in ("train", "test")]


def excel() -> bytes:
    """The least that Excel opens: no writer of it is installed."""
    rows = "".join(
        f'<row><c t="inlineStr"><is><t>{y}</t></is></c></row>' for y in ("label", "World")
    )
    return zipped(
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", "<workbook/>"),
        ("xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>"),
    )


def images(at: Path) -> None:
    for name in ("train", "test"):
        for i in range(6):
            write(at / name / "cats" / f"{i}.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF")
            write(at / name / "dogs" / f"{i}.png", b"\x89PNG\r\n\x1a\n")


def database(at: Path) -> None:
    with sqlite3.connect(at / "news.db") as connection:
        frame(TRAIN).to_sql("train", connection)
    connection.close()


def called(path: Path, form: str, ending: str) -> None:
    """Files of one format under another's name."""
    options = {"index": False} if form != "json" else {"orient": "records", "lines": True}
    files(path, form, names=(f"train.{ending}", f"test.{ending}"), **options)


def pointer(at: Path, ending: str) -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 18585438\n"
    instead(ending, text.format("ab12" * 16))(at)


TO_TABLE = "convert|export|save|unpack|write it"
PAGE = "<!DOCTYPE html>\n<html><head><title>404, not found</title></head><body>No</body></html>\n"
GARBAGE = np.random.default_rng(7).bytes(5000)
EXCEL = excel()
add("empty-folder", lambda at: None, "train")
add("no-such-folder", lambda at: None, "nothing|no such|exist", source="nowhere/at/all")
add("readme-only", lambda at: write(at / "README.md", "# News\n"), "train")
add("images", images, "jpg|png|image")
add("excel", instead("xlsx", EXCEL), TO_TABLE)
add(
    "excel-named",
    lambda at: write(at / "news.xlsx", EXCEL),
    "xlsx",
    source="news.xlsx",
    test_fraction=0.25,
)
add("excel-called-csv", instead("csv", EXCEL), "excel|xlsx|zip")
add("old-excel", instead("xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500), TO_TABLE)
add("open-document", instead("ods", zipped(("mimetype", "application/vnd.oasis"))), TO_TABLE)
add("word", instead("docx", zipped(("word/document.xml", "<w/>"))), TO_TABLE)
add("pdf", instead("pdf", b"%PDF-1.7\n%\xe2\xe3"), TO_TABLE)
add(
    "pickle",
    lambda at: [frame(r).to_pickle(at / f"{n}.pkl") for n, r in (("train", TRAIN), ("test", TEST))],
    "pkl",
)
add(
    "pickle-named",
    lambda at: write(at / "train.pkl", pickle.dumps(TRAIN)),
    "pkl",
    source="train.pkl",
    test_fraction=0.25,
)
add("numpy", lambda at: [np.savez(at / f"{n}.npz", x=np.eye(2)) for n in ("train", "test")], "npz")
add(
    "xml",
    lambda at: [frame(r).to_html(at / f"{n}.xml") for n, r in (("train", TRAIN), ("test", TEST))],
    "xml",
)
add("yaml", instead("yaml", "- text: a\n  label: b\n"), TO_TABLE)
add("arff", instead("arff", "@relation news\n@attribute text string\n@data\n'a',b\n"), TO_TABLE)
add("sql-dump", instead("sql", "INSERT INTO `news` VALUES (1,'a','b');\n"), TO_TABLE)
add("database", database, "db|train")
add(
    "markdown-table",
    lambda at: [
        write(at / f"{n}.md", "| text | label |\n|---|---|\n| a | b |\n") for n in ("train", "test")
    ],
    TO_TABLE,
)
add("garbage-csv", instead("csv", GARBAGE), "train.csv")
add("garbage-parquet", instead("parquet", GARBAGE), "train.parquet")
add("garbage-json", instead("jsonl", GARBAGE), "train.jsonl")
add("zeros-csv", instead("csv", b"\0" * 4096), "zero|NUL|binary|no text")
add("page-csv", instead("csv", PAGE), "HTML|web page")
add("page-parquet", instead("parquet", PAGE), "HTML|web page|parquet")
add("page-json", instead("json", PAGE), "HTML|web page|json")
add("error-in-json", instead("json", '{"error": "Repository not found"}'), "column|error")
add(
    "access-denied-xml",
    instead("csv", '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>\n'),
    "XML|HTML|web page",
)
add("lfs-pointer-parquet", lambda at: pointer(at, "parquet"), "LFS")
add("lfs-pointer-csv", lambda at: pointer(at, "csv"), "LFS")
add("lfs-pointer-json", lambda at: pointer(at, "jsonl"), "LFS")
add("lfs-pointer-gz", lambda at: pointer(at, "csv.gz"), "LFS")
add(
    "truncated-parquet",
    lambda at: [
        files(at, "parquet"),
        write(at / "train.parquet", (at / "train.parquet").read_bytes()[:900]),
    ],
    "train.parquet.*(truncated|damaged|complete|whole|broken|footer|Parquet)",
)
add("parquet-called-csv", lambda at: called(at, "parquet", "csv"), (NEWS, "parquet"))
add("csv-called-parquet", lambda at: called(at, "csv", "parquet"), (NEWS, "CSV|text"))
add("json-called-csv", lambda at: called(at, "json", "csv"), (NEWS, "JSON|column"))
add("csv-called-json", lambda at: called(at, "csv", "json"), (NEWS, "CSV"))
add("tsv-called-csv", lambda at: write_tabs(at), NEWS)
add(
    "no-ending",
    lambda at: [write(at / n, csv_text(r)) for n, r in (("train", TRAIN), ("test", TEST))],
    (NEWS, "ending"),
)
add(
    "folder-called-csv",
    lambda at: (at / "train.csv").mkdir() or write(at / "test.csv", csv_text(TEST)),
    "is a folder|empty folder|without files|no data file",
)
add(
    "broken-link",
    lambda at: (
        (at / "train.csv").symlink_to(at / "gone.csv") or write(at / "test.csv", csv_text(TEST))
    ),
    "link",
)
add(
    "links",
    lambda at: [
        csv_files(at / "real"),
        (at / "d").mkdir(),
        [(at / "d" / n).symlink_to(at / "real" / n) for n in ("train.csv", "test.csv")],
    ],
    NEWS,
    source="d",
)
add(
    "unreadable-file",
    lambda at: [csv_files(at), (at / "train.csv").chmod(0)],
    "permission",
    needs_user=True,
)
add(
    "unreadable-folder",
    lambda at: [csv_files(at / "d"), (at / "d").chmod(0)],
    "permission",
    source="d",
    needs_user=True,
)
add(
    "unknown-ending-named",
    lambda at: write(at / "news.dat", csv_text(TRAIN)),
    "dat",
    source="news.dat",
    test_fraction=0.25,
)
add(
    "many-files",
    lambda at: [write(at / f"part_{i:04d}_of_the_news_of_the_year.dat", "x") for i in range(300)],
    "train",
)
add("long-file-name", lambda at: write(at / ("n" * 200 + ".dat"), "x"), "train")
add(
    "trainer-output",
    lambda at: [
        write(at / "config.json", json.dumps({"model_type": "bert"})),
        write(at / "model.safetensors", b"\0" * 64),
        write(at / "tokenizer.json", "{}"),
    ],
    "model",
)
add(
    "text-lines-only",
    lambda at: [
        write(at / f"{n}.txt", "\n".join(t for t, _ in r))
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    "label",
)
add(
    "texts-and-labels-apart",
    lambda at: [
        [
            write(at / f"{n}.txt", "\n".join(t for t, _ in r)),
            write(at / f"{n}.labels", "\n".join(y for _, y in r)),
        ]
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    "label",
)
add(
    "x-and-y-csv",
    lambda at: [
        [
            frame(r)[["text"]].to_csv(at / f"X_{n}.csv", index=False),
            frame(r)[["label"]].to_csv(at / f"y_{n}.csv", index=False),
        ]
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    "X_train.*y_train|y_train.*X_train|label",
)
add(
    "a-folder-for-each-class-csv",
    lambda at: [
        frame([r for r in TRAIN if r[1] == y])[["text"]].to_csv(at / f"{i}.csv", index=False)
        for i, y in enumerate(AG)
    ],
    "train|label",
)


def write_tabs(at: Path) -> None:
    csv_files(at, sep="\t", names=("train.csv", "test.csv"))
