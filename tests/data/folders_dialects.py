"""Folders whose CSV is written in another dialect or encoding, or with an index column."""

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd

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
    frame,
    news,
    numbered,
    relabelled,
    titled,
    write,
)

CORPUS = Corpus()
Rows = tuple[Row, ...]
CODES = {name: str(i) for i, name in enumerate(AG)}


def retold(change: Callable[[str], str], rows: Rows = TRAIN) -> Rows:
    return tuple((change(text), label) for text, label in rows)


def works(change: Callable[[str], str], assumes: str = "") -> Works:
    return Works(train=retold(change), test=retold(change, TEST), assumes=assumes)


def both(
    at: Path,
    content: Callable[[Rows], str | bytes],
    ending: str = "csv",
    change: Callable[[str], str] = str,
    encoding: str = "utf-8",
) -> None:
    """Write train and test by a function of their rows."""
    for name, rows in (("train", TRAIN), ("test", TEST)):
        write(at / f"{name}.{ending}", content(retold(change, rows)), encoding)


def dialect(name: str, ending: str = "csv", outcome: object = NEWS, **options: object) -> None:
    """A case written by Python's csv module."""
    spec = {key: options.pop(key) for key in ("delimiter_", "text_columns") if key in options}
    spec = {key.rstrip("_"): value for key, value in spec.items()}
    build = lambda at: both(at, lambda rows: csv_text(rows, **options), ending)  # noqa: E731
    CORPUS.add("dialects", name, build, outcome, **spec)  # type: ignore[arg-type]


def lines(
    name: str, content: Callable[[Rows], str], outcome: object = NEWS, **spec: object
) -> None:
    """A case whose files are made by a function of their rows."""
    ending = str(spec.pop("ending", "csv"))
    CORPUS.add("dialects", name, lambda at: both(at, content, ending), outcome, **spec)  # type: ignore[arg-type]


def semicolons(text: str) -> str:
    return text.replace(" ", "; ")


def sevens(rows: Rows) -> list[tuple[str, ...]]:
    return [(text, label, f"{i},5") for i, (text, label) in enumerate(rows)]


def plain(rows: Rows) -> Rows:
    """Without marks, for dialects that cannot quote."""
    return retold(lambda text: text.replace('"', "").replace(",", ""), rows)


PLAIN = Works(train=plain(TRAIN), test=plain(TEST))
ODD = Works(train=TRAIN, test=TEST, assumes="")

dialect("semicolon", delimiter=";")
dialect("tab-in-csv", delimiter="\t")
dialect("pipe", delimiter="|")
dialect("caret-stated", delimiter="^", delimiter_="^")
dialect("control-a-stated", delimiter="\x01", delimiter_="\x01")
dialect("semicolon-stated", delimiter=";", delimiter_=";")
dialect("wrong-delimiter-stated", outcome="delimiter|column", delimiter_="|")
dialect("tsv-quoted", "tsv", delimiter="\t", quoting=csv.QUOTE_ALL)
dialect("tsv-unquoted", "tsv", delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)
dialect("single-quotes", quotechar="'")
dialect("single-quotes-all", quotechar="'", quoting=csv.QUOTE_ALL)
dialect("backslash-escapes", doublequote=False, escapechar="\\")
dialect("backslash-escapes-all-quoted", doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL)
dialect("backslash-without-quotes", quoting=csv.QUOTE_NONE, escapechar="\\", quotechar=None)
dialect("all-quoted", quoting=csv.QUOTE_ALL)
dialect("windows-lines", lineterminator="\r\n")
dialect("old-mac-lines", lineterminator="\r")
dialect("semicolon-header-single-quotes", delimiter=";", quotechar="'", quoting=csv.QUOTE_ALL)
lines(
    "mixed-lines", lambda rows: csv_text(rows[:9]).replace("\n", "\r\n") + csv_text(rows[9:], None)
)
lines("no-last-newline", lambda rows: csv_text(rows).rstrip("\n"))
lines(
    "spaces-after-commas",
    lambda rows: (
        "label, text\n"
        + "".join(f"{label}, " + '"{}"\n'.format(text.replace('"', '""')) for text, label in rows)
    ),
)
lines(
    "spaces-and-numbers",
    lambda rows: (
        "label, text\n"
        + "".join(
            f" {CODES[label]}, " + '"{}"\n'.format(text.replace('"', '""')) for text, label in rows
        )
    ),
    numbered(),
)
lines("sep-line", lambda rows: "sep=;\n" + csv_text(rows, delimiter=";"))
lines("sep-line-comma-quoted", lambda rows: '"sep=,"\n' + csv_text(rows))
lines("comment-lines", lambda rows: "# exported 2024-01-05, by ann\n# 40 rows\n" + csv_text(rows))
lines("leading-blank-lines", lambda rows: "\n\n" + csv_text(rows))
lines("leading-empty-cells", lambda rows: ",\n" + csv_text(rows), (NEWS, "header|row|column"))
lines("blank-lines-between", lambda rows: csv_text(rows).replace("World\n", "World\n\n"))
lines("blank-lines-at-the-end", lambda rows: csv_text(rows) + "\n\n\n")
lines(
    "line-break-in-header",
    lambda rows: csv_text(rows, ("news\ntext", "label")),
    text_columns=("news\ntext",),
)
lines(
    "line-break-in-other-header",
    lambda rows: csv_text([(*row, "x") for row in rows], ("text", "label", "remarks\nof raters")),
)  # type: ignore[misc]
lines(
    "line-breaks-in-texts",
    lambda rows: csv_text(retold(lambda t: t.replace(", ", ",\n\n"), rows)),
    works(lambda t: t.replace(", ", ",\n\n")),
)
lines(
    "trailing-delimiter", lambda rows: csv_text([(*row, "") for row in rows], ("text", "label", ""))
)  # type: ignore[misc]
lines(
    "trailing-delimiter-rows-only",
    lambda rows: csv_text([(*row, "") for row in rows]),
    (NEWS, "row|field"),
)  # type: ignore[misc]
lines(
    "decimal-commas", lambda rows: csv_text(sevens(rows), ("text", "label", "score"), delimiter=";")
)  # type: ignore[arg-type]
lines("semicolons-in-texts", lambda rows: csv_text(retold(semicolons, rows)), works(semicolons))
lines(
    "one-semicolon-in-each-text",
    lambda rows: csv_text(retold(lambda t: f"Today; {t}", rows)),
    works(lambda t: f"Today; {t}"),
)
lines(
    "tabs-in-texts",
    lambda rows: csv_text(retold(lambda t: t.replace(" ", "\t"), rows)),
    works(lambda t: t.replace(" ", "\t")),
)
lines(
    "pipes-in-texts",
    lambda rows: csv_text(retold(lambda t: f"BBC | {t}", rows)),
    works(lambda t: f"BBC | {t}"),
)
lines(
    "apostrophe-first",
    lambda rows: csv_text(retold(lambda t: f"'{t}", plain(rows))),
    Works(
        train=retold(lambda t: f"'{t}", plain(TRAIN)), test=retold(lambda t: f"'{t}", plain(TEST))
    ),
)
lines(
    "hash-first",
    lambda rows: csv_text(retold(lambda t: f"#{t}", plain(rows))),
    Works(
        train=retold(lambda t: f"#{t}", plain(TRAIN)), test=retold(lambda t: f"#{t}", plain(TEST))
    ),
)
lines(
    "backslashes-in-texts",
    lambda rows: csv_text(retold(lambda t: t.replace(" ", "\\ "), rows)),
    works(lambda t: t.replace(" ", "\\ ")),
)
lines(
    "backslash-last",
    lambda rows: csv_text(retold(lambda t: t + "\\", rows), quoting=csv.QUOTE_ALL),
    works(lambda t: t + "\\"),
)
lines(
    "mysql-outfile",
    lambda rows: "".join(f"{CODES[label]}\t{text}\t\\N\n" for text, label in rows),
    (numbered(), "header|column"),
    ending="tsv",
)
lines(
    "mysql-comma",
    lambda rows: (
        "label,text,note\n"
        + "".join('"{}","{}",\\N\n'.format(label, text.replace('"', '\\"')) for text, label in rows)
    ),
)
lines(
    "many-signs",
    lambda rows: "text|||label\n" + "".join(f"{t}|||{y}\n" for t, y in rows),
    (NEWS, "delimiter|column"),
)
lines(
    "double-colon",
    lambda rows: "".join(f"{t} ::: {y}\n" for t, y in rows),
    (NEWS, "delimiter|header|column"),
)
lines(
    "ragged",
    lambda rows: "label,text\n" + "".join(f"{y},{t}\n" for t, y in rows),
    r"row \d|line \d|quote",
)
lines(
    "unclosed-quote",
    lambda rows: (
        csv_text(rows[:5]) + 'Half "a,World\n"Open quote,World\n' + csv_text(plain(rows[5:]), None)
    ),
    r"quote|row|line",
)
lines(
    "quote-inside",
    lambda rows: csv_text(plain(rows)) + 'A 5" disk,World\n',
    Works(
        train=(*plain(TRAIN), ('A 5" disk', "World")), test=(*plain(TEST), ('A 5" disk', "World"))
    ),
)
lines(
    "trec",
    lambda rows: "".join(f"{y}:other {t}\n" for t, y in rows),
    "delimiter|header|column|txt",
    ending="txt",
)
lines(
    "trec-csv",
    lambda rows: "".join(f"{y[:4].upper()}:other {t}\n" for t, y in plain(rows)),
    "delimiter|header|column|label",
)
lines(
    "fasttext",
    lambda rows: "".join(f"__label__{y} {t}\n" for t, y in rows),
    (NEWS, "train|txt|fasttext"),
    ending="txt",
)
lines(
    "sst",
    lambda rows: "".join(f"{CODES[y]} {t}\n" for t, y in plain(rows)),
    (
        Works(train=relabelled(plain(TRAIN), CODES), test=relabelled(plain(TEST), CODES)),
        "delimiter|header|column",
    ),
)
lines(
    "txt-with-tabs",
    lambda rows: csv_text(rows, delimiter="\t"),
    (NEWS, "txt|tsv|train"),
    ending="txt",
)
lines(
    "very-long-text",
    lambda rows: csv_text(retold(lambda t: t + " so" * 60000, rows)),
    works(lambda t: t + " so" * 60000),
)
lines(
    "r-write-table",
    lambda rows: (
        '"text" "label"\n'
        + "".join(
            '"{}" "{}" "{}"\n'.format(i, t.replace('"', '\\"'), y)
            for i, (t, y) in enumerate(rows, 1)
        )
    ),
    (NEWS, "column|field|row|delimiter"),
)
lines("header-repeated", lambda rows: csv_text(rows[:6]) + csv_text(rows[6:]), "header|'label'")
lines(
    "nul-bytes",
    lambda rows: csv_text(rows).replace(", ", ",\0"),
    (works(lambda t: t.replace(", ", ",\0")), "NUL|zero|\\\\x00|byte"),
)
lines("empty-last-line-of-commas", lambda rows: csv_text(rows) + ",\n", (NEWS, "label"))


def encoded(
    name: str, encoding: str, outcome: object, change: Callable[[str], str] = str, **options: object
) -> None:
    spec = {"encoding": options.pop("stated")} if "stated" in options else {}
    build = lambda at: both(at, lambda rows: csv_text(rows, **options), "csv", change, encoding)  # noqa: E731
    CORPUS.add("encodings", name, build, outcome, **spec)  # type: ignore[arg-type]


def western(text: str) -> str:
    return (
        text.replace("a", "á", 1).replace("e", "é", 1).replace("'", "\u2019").replace('"', "\u201c")
    )


def russian(text: str) -> str:
    return "Сегодня в городе новости: " + text


def japanese(text: str) -> str:
    return "東京のニュースをお伝えします。" + text


MARKED = "\ufeff"
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


def lettered(
    name: str, build: Callable[[Path], object], outcome: object = NEWS, **spec: object
) -> None:
    CORPUS.add("encodings", name, build, outcome, **spec)  # type: ignore[arg-type]


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


def indexed(
    name: str, build: Callable[[Path], object], outcome: object = NEWS, **spec: object
) -> None:
    CORPUS.add("index columns", name, build, outcome, **spec)  # type: ignore[arg-type]


def with_column(
    name: str, values: Callable[[int], object], first: bool = True
) -> Callable[[Path], object]:
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
)  # type: ignore[misc]
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
