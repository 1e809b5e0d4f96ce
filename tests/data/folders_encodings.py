"""Folders in other encodings, or with an index column."""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Build,
    Corpus,
    Row,
    Works,
    coded,
    csv_files,
    csv_text,
    frame,
    news,
    numbered,
    relabelled,
    titled,
    write,
)
from tests.data.folders_dialects import both, retold, works

CORPUS = Corpus()
lettered = partial(CORPUS.add, "encodings")
indexed = partial(CORPUS.add, "index columns")
Rows = tuple[Row, ...]
CODES = {name: str(i) for i, name in enumerate(AG)}


def encoded(
    name: str, encoding: str, outcome: object, change: Callable[[str], str] = str, **options: object
) -> None:
    spec = {"encoding": options.pop("stated")} if "stated" in options else {}
    build = lambda at: both(at, lambda rows: csv_text(rows, **options), "csv", change, encoding)  # noqa: E731
    CORPUS.add("encodings", name, build, outcome, **spec)


def western(text: str) -> str:
    return (
        text.replace("a", "á", 1).replace("e", "é", 1).replace("'", "\u2019").replace('"', "\u201c")
    )


def russian(text: str) -> str:
    return "Сегодня в городе новости: " + text


def japanese(text: str) -> str:
    return "東京のニュースをお伝えします。" + text


encoded("utf8-mark", "utf-8-sig", NEWS)
encoded("utf8-mark-semicolon", "utf-8-sig", NEWS, delimiter=";")
encoded("utf16", "utf-16", works(western), western)
encoded(
    "utf16-excel-unicode-text",
    "utf-16",
    works(western),
    western,
    delimiter="\t",
    lineterminator="\r\n",
)
encoded("utf16-big-endian-unmarked", "utf-16-be", (NEWS, "encoding|UTF"))
encoded("utf32", "utf-32", (NEWS, "encoding|UTF"))
encoded("windows-1252-found", "cp1252", (works(western, "1252|encoding"), "--encoding"), western)
encoded(
    "windows-1252-semicolon",
    "cp1252",
    (works(western, "1252|encoding"), "--encoding"),
    western,
    delimiter=";",
)
encoded("windows-1252-stated", "cp1252", works(western), western, stated="cp1252")
encoded(
    "latin1-stated",
    "latin-1",
    works(lambda t: t.replace("a", "á")),
    lambda t: t.replace("a", "á"),
    stated="latin-1",
)
encoded("windows-1251-stated", "cp1251", works(russian), russian, stated="windows-1251")
encoded("windows-1251-found", "cp1251", (works(russian, "1251|encoding"), "--encoding"), russian)
encoded("shift-jis-stated", "shift_jis", works(japanese), japanese, stated="shift_jis")
encoded(
    "gb18030-found",
    "gb18030",
    (works(lambda t: "北京新闻报道" + t, "gb|encoding"), "--encoding"),
    lambda t: "北京新闻报道" + t,
)
encoded("wrong-encoding-stated", "cp1252", "encoding|byte", western, stated="utf-8")
encoded("unknown-encoding-stated", "utf-8", "encoding", stated="utf-99")
encoded("stated-utf16-is-utf8", "utf-8", "encoding|utf-16", stated="utf-16")


def marked_classes(at: Path) -> None:
    headerless(at, [0, 1, 2])
    write(at / "classes.txt", "\n".join(AG), "utf-8-sig")


def headerless(at: Path, order: list[int], encoding: str = "utf-8") -> None:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        table = titled(rows)
        table["label"] = [AG.index(label) + 1 for label in table["label"]]
        table = table.iloc[:, order]
        table.to_csv(at / f"{name}.csv", index=False, header=False, quoting=1, encoding=encoding)


def one_bad_byte(at: Path) -> None:
    csv_files(at)
    content = (at / "train.csv").read_bytes()
    write(
        at / "train.csv", content.replace(b"Oslo", b"Osl\xf3", 1).replace(b"Lima", "Límá".encode())
    )


def glued(at: Path) -> None:
    """Two files with byte order marks put together, as Windows' copy a+b does."""
    csv_files(at, TRAIN[:20], encoding="utf-8-sig")
    second = csv_text(TRAIN[20:], None).encode("utf-8-sig")
    write(at / "train.csv", (at / "train.csv").read_bytes() + second)


def marked_lines(at: Path) -> None:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        text = frame(rows).to_json(orient="records", lines=True)
        write(at / f"{name}.jsonl", text, "utf-8-sig")


def two_encodings(at: Path) -> None:
    csv_files(at, retold(western), retold(western, TEST))
    write(at / "test.csv", csv_text(retold(western, TEST)), "cp1252")


lettered("mark-without-header", lambda at: headerless(at, [0, 1, 2], "utf-8-sig"), numbered(1))
lettered("mark-in-classes", marked_classes)
lettered("mark-in-json-lines", marked_lines)
lettered("marks-glued", glued, (NEWS, "mark|BOM|row|label"))
lettered("one-bad-byte", one_bad_byte, "encoding|byte|UTF-8")
lettered("train-and-test-differ", two_encodings, (works(western, "1252|encoding"), "--encoding"))
lettered(
    "utf16-json",
    lambda at: both(
        at, lambda r: frame(r).to_json(orient="records", lines=True), "jsonl", str, "utf-16"
    ),
    (NEWS, "UTF|encoding"),
)
lettered(
    "mark-in-shards",
    lambda at: [
        csv_files(at, TRAIN[i::2], TEST, names=(f"train-{i}.csv", "test.csv"), encoding="utf-8-sig")
        for i in (0, 1)
    ],
)


def with_column(name: str, values: Callable[[int], object], first: bool = True) -> Build:
    def table(rows: Rows) -> pd.DataFrame:
        made = frame(rows)
        made.insert(
            0 if first else 2, name, [values(i) for i in range(len(made))], allow_duplicates=True
        )
        return made

    return lambda at: csv_files(at, table(TRAIN), table(TEST))


def renamed(
    at: Path, names: list[object], order: list[int], index: bool = False, header: bool = True
) -> None:
    """The published columns class, title, description under other heads, or in another order."""
    tables = [
        titled(rows).assign(label=coded(rows, 1)["label"]).iloc[:, order] for rows in (TRAIN, TEST)
    ]
    for table in tables:
        table.columns = names
    csv_files(at, *tables, index=index, header=header)


indexed("pandas-index", lambda at: csv_files(at, index=True))
indexed(
    "pandas-index-tsv",
    lambda at: csv_files(at, index=True, sep="\t", names=("train.tsv", "test.tsv")),
)
indexed("pandas-index-named", lambda at: csv_files(at, index=True, index_label="index"))
indexed("pandas-number-header", lambda at: renamed(at, [0, 1, 2], [0, 1, 2]), numbered(1))
indexed(
    "pandas-index-and-number-header",
    lambda at: renamed(at, [0, 1, 2], [0, 1, 2], index=True),
    (numbered(1), "index|column|header"),
)
indexed(
    "index-without-header",
    lambda at: renamed(at, [0, 1, 2], [0, 1, 2], index=True, header=False),
    (numbered(1), "index|column|header|label"),
)
indexed(
    "index-without-header-names",
    lambda at: csv_files(
        at,
        frame(TRAIN)[["label", "text"]],
        frame(TEST)[["label", "text"]],
        index=True,
        header=False,
    ),
    (NEWS, "index|column|header|label"),
)
indexed("text-header-number", lambda at: csv_files(at, header=["0", "1"]), (NEWS, "header|column"))
indexed("id", with_column("id", lambda i: i))
indexed("id-from-1", with_column("ID", lambda i: i + 1))
indexed("uuid", with_column("uuid", lambda i: f"{i:08x}-0000-4000-8000-00000000"))
indexed("row-last", with_column("row", lambda i: i, first=False))
indexed(
    "two-unnamed",
    lambda at: [
        csv_files(at, index=True),
        [pd.read_csv(at / f"{n}.csv").to_csv(at / f"{n}.csv") for n in ("train", "test")],
    ],
)
indexed(
    "r-write-csv",
    lambda at: both(
        at,
        lambda r: csv_text(
            [(str(i), *row) for i, row in enumerate(r, 1)],
            ("", "text", "label"),
            quoting=csv.QUOTE_ALL,
        ),
    ),
)
indexed(
    "parquet-index",
    lambda at: [
        frame(r)
        .set_index(pd.Index([f"r{i}" for i in range(len(r))]))
        .to_parquet(at / f"{n}.parquet")
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
)
indexed(
    "shuffled-index",
    lambda at: csv_files(at, frame(TRAIN).sample(frac=1, random_state=1), index=True),
)
indexed(
    "index-called-label",
    lambda at: renamed(at, ["label", "class", "text"], [1, 0, 2]),
    "label|class",
)
indexed(
    "many-rows-number-header",
    lambda at: csv_files(
        at, *(pd.DataFrame([(AG.index(y), t) for t, y in r]) for r in (news(400), TEST))
    ),
    Works(train=relabelled(news(400), CODES), test=relabelled(TEST, CODES)),
)
