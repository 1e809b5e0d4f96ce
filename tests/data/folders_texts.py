"""Folders that differ in the kind of value that is the text."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    Build,
    Corpus,
    Row,
    Works,
    files,
    frame,
    titled,
    write,
)

CORPUS = Corpus()
text = partial(CORPUS.add, "text")
Rows = tuple[Row, ...]


def typed(
    kind: pa.DataType, values: Callable[[str], object] = str, compression: str = "snappy"
) -> Build:
    """Parquet whose text column is of a type."""

    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            column = pa.array([values(words) for words, _ in rows])
            column = column.dictionary_encode() if kind == "dictionary" else column.cast(kind)
            table = pa.table({"text": column, "label": [label for _, label in rows]})
            pq.write_table(table, at / f"{name}.parquet", compression=compression)

    return build


def reworded(change: Callable[[str, int], object]) -> tuple[Rows, Rows]:
    made = [tuple((str(change(t, i)), y) for i, (t, y) in enumerate(r)) for r in (TRAIN, TEST)]
    return made[0], made[1]


def told(
    change: Callable[[str, int], object], form: str = "csv", outcome: str = ""
) -> dict[str, object]:
    """A case whose texts are changed: how to write it and what comes of it."""

    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            table = frame(rows).assign(text=[change(t, i) for i, (t, _) in enumerate(rows)])
            if form == "csv":
                table.to_csv(at / f"{name}.csv", index=False)
            else:
                table.to_json(at / f"{name}.jsonl", orient="records", lines=True, date_format="iso")

    train, test = reworded(change)
    works = Works(train=train, test=test)
    return {"build": build, "outcome": (works, outcome) if outcome else works}


def tokens(at: Path) -> None:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        write(
            at / f"{name}.jsonl",
            "".join(json.dumps({"text": t.split(), "label": y}) + "\n" for t, y in rows),
        )


def conll(at: Path) -> None:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        files(
            at,
            "parquet",
            *(
                pd.DataFrame(
                    {
                        "tokens": [t.split() for t, _ in rows],
                        "ner_tags": [[0] * len(t.split()) for t, _ in rows],
                    }
                ),
            )
            * 2,
            (f"{name}.parquet",) * 2,
        )


def with_nulls(at: Path) -> None:
    rows = [titled(r) for r in (TRAIN, TEST)]
    for table in rows:
        table.loc[3, "title"] = None
    files(at, "parquet", *rows)


def missing_title(rows: Rows) -> Rows:
    texts = titled(rows)
    return tuple(
        (f" {texts.loc[3, 'description']}" if i == 3 else t, y) for i, (t, y) in enumerate(rows)
    )


text("string-view", typed(pa.string_view()))
text("large-string", typed(pa.large_string()))
text("dictionary", typed("dictionary"))
text(
    "pandas-categories",
    lambda at: files(at, "parquet", *(frame(r).astype("category") for r in (TRAIN, TEST))),
)
text("binary", typed(pa.binary(), lambda t: t.encode()))
text("binary-view", typed(pa.binary_view(), lambda t: t.encode()))
text(
    "binary-not-utf8", typed(pa.binary(), lambda t: t.encode() + b"\xff\xfe\x80"), "UTF-8|byte|text"
)
text(
    "integers",
    typed(pa.int64(), lambda t: sum(map(ord, t)) * 97 + len(t)),
    (
        Works(
            train=tuple((str(sum(map(ord, t)) * 97 + len(t)), y) for t, y in TRAIN),
            test=tuple((str(sum(map(ord, t)) * 97 + len(t)), y) for t, y in TEST),
            assumes="number|int",
        ),
        "number|int|text",
    ),
)
text(
    "floats",
    typed(pa.float64(), lambda t: len(t) / 4 + 0.125),
    (
        Works(
            **{
                name: tuple((str(len(t) / 4 + 0.125), y) for t, y in rows)
                for name, rows in (("train", TRAIN), ("test", TEST))
            },
            assumes="number|double|float",
        ),
        "text|number|double",
    ),
)
text("lists-of-tokens", tokens, (NEWS, "list"))
text("conll", conll, "text|label|column")
text(
    "structs",
    lambda at: files(
        at, "parquet", *(frame(r).assign(text=[{"en": t} for t, _ in r]) for r in (TRAIN, TEST))
    ),
    "struct",
)
text(
    "no-strings-but-nulls",
    lambda at: files(at, "parquet", *(frame(r).assign(text=None) for r in (TRAIN, TEST))),
    "text|null|empty",
)
text(
    "some-titles-missing",
    with_nulls,
    (Works(train=missing_title(TRAIN), test=missing_title(TEST)), "x^"),
)
text(
    "words-that-mean-missing",
    **told(lambda t, i: ("nan", "null", "NA", "None", "NULL", "N/A")[i] if i < 6 else t),
)
text("leading-zeros", **told(lambda t, i: f"{i:05d}"))
text("numbers-beside-words", **told(lambda t, i: i if i % 2 else t))
text("empty-texts", **told(lambda t, i: "" if i in (4, 5) else t))
text("all-texts-empty", **told(lambda t, i: "", outcome="empty|text"))
text("dates-in-json", **told(lambda t, i: f"2024-01-{i % 28 + 1:02d}", "json"))
text("times-in-json", **told(lambda t, i: f"2024-01-05T10:{i:02d}:00Z", "json"))
text("spaced-times-in-json", **told(lambda t, i: f"2024-01-05 10:{i:02d}:00", "json"))
text("html", **told(lambda t, i: f"<p class='x'>{t}</p> &amp; &lt;b&gt; #39;s"))
text("zero-width-and-bidi", **told(lambda t, i: f"\u200b{t}\u202e"))
text(
    "unicode-line-ends",
    **told(
        lambda t, i: t.replace(" ", "\u2028", 1).replace(" ", "\x85", 1).replace(" ", "\x0c", 1)
    ),
)
text("carriage-returns-inside", **told(lambda t, i: t.replace(" ", "\r\n", 1)))
text("emoji-and-scripts", **told(lambda t, i: f"\U0001f600 北京 עברית {t}"))
text("formulas", **told(lambda t, i: f"=SUM(A{i}) {t}"))
text("same-text-often", **told(lambda t, i: "Same words"))
text("spaces-kept", **told(lambda t, i: f"  {t}  "))
text("long-texts-in-json", **told(lambda t, i: t + " so" * 60_000, "json"))
