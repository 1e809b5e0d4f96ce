"""Folders whose CSV is written in another dialect."""

import csv
from collections.abc import Callable
from pathlib import Path

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Row,
    Works,
    csv_text,
    numbered,
    relabelled,
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
    CORPUS.add("dialects", name, build, outcome, **spec)


def lines(
    name: str, content: Callable[[Rows], str], outcome: object = NEWS, **spec: object
) -> None:
    """A case whose files are made by a function of their rows."""
    ending = str(spec.pop("ending", "csv"))
    CORPUS.add("dialects", name, lambda at: both(at, content, ending), outcome, **spec)


def semicolons(text: str) -> str:
    return text.replace(" ", "; ")


def lengthy(text: str) -> str:
    """Longer than the csv module's limit, in a few rows."""
    return text + " so" * 60_000 if text.startswith("Shares in Oslo") else text


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
)
lines(
    "line-breaks-in-texts",
    lambda rows: csv_text(retold(lambda t: t.replace(", ", ",\n\n"), rows)),
    works(lambda t: t.replace(", ", ",\n\n")),
)
lines(
    "trailing-delimiter", lambda rows: csv_text([(*row, "") for row in rows], ("text", "label", ""))
)
lines(
    "trailing-delimiter-rows-only",
    lambda rows: csv_text([(*row, "") for row in rows]),
    (NEWS, "row|field"),
)
lines(
    "decimal-commas", lambda rows: csv_text(sevens(rows), ("text", "label", "score"), delimiter=";")
)
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
    "excel-empty-rows-and-columns",
    lambda rows: (
        csv_text([(*row, "", "") for row in rows], ("text", "label", "", "")) + ",,,\n" * 20
    ),
    (NEWS, "row 41"),
)
lines(
    "very-long-text",
    lambda rows: csv_text(retold(lengthy, rows)),
    works(lengthy),
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
