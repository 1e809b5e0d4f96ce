"""Folders that differ in the names of their columns, or in the kind of value that is the text."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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
    titled,
    write,
)

CORPUS = Corpus()
Rows = tuple[Row, ...]


def add(name: str, build: Callable[[Path], object], outcome: object = NEWS, **spec: object) -> None:
    CORPUS.add("columns", name, build, outcome, **spec)  # type: ignore[arg-type]


def tables(make: Callable[[Rows], pd.DataFrame], **options: object) -> Callable[[Path], object]:
    return lambda at: csv_files(at, make(TRAIN), make(TEST), **options)


def called(text: str, label: str, outcome: object = NEWS, name: str = "", **spec: object) -> None:
    """The usual rows under other column names."""
    names = {"text": text, "label": label}
    build = tables(lambda rows: frame(rows).rename(columns=names))
    add(name or f"{text}-and-{label}".replace(" ", "-"), build, outcome, **spec)


def parts(
    names: tuple[str, str], label: str = "label", extra: dict[str, object] | None = None
) -> Callable[[Path], object]:
    """Two text columns, and columns that are neither."""

    def make(rows: Rows) -> pd.DataFrame:
        made = titled(rows)
        made.columns = [label, *names]
        return made.assign(**(extra or {}))

    return tables(make)


# The names that people use: those of the issue are read; of others, reading or help is right.
for pair in (
    "text:intent text:sentiment text:topic text:genre headline:category body:label sentence:label "
    "text:coarse_label text:emotion Text:Label TEXT:LABEL"
).split():
    called(*pair.split(":"))
for pair in (
    "article:section tweet:sentiment utterance:intent question:label comment:class message:label "
    "news:type abstract:subject review:rating content:target document:topic query:intent "
    "review_text:stars tweet_text:polarity input:output sms:label x:y"
).split():
    called(*pair.split(":"), (NEWS, "--text-column|--label-column"))
called("text", "Class Index")
called(" text ", " label ", name="spaces-in-header")

add(
    "kaggle-ag-news",
    tables(lambda rows: titled(rows).set_axis(["Class Index", "Title", "Description"], axis=1)),
)
add("title-and-text", parts(("title", "text")), (NEWS, "text-column"))
add("title-and-content", parts(("title", "content")), (NEWS, "text-column"))
add("headline-and-body", parts(("headline", "body")), (NEWS, "text-column"))
add("huffpost", lambda at: huffpost(at), (NEWS, "text-column"))
add("sentence-pair", parts(("sentence1", "sentence2")), (NEWS, "sentence1"))
add("premise-and-hypothesis", parts(("premise", "hypothesis")), (NEWS, "premise"))
add(
    "order-stated",
    parts(("title", "text")),
    Works(train=tuple((t, y) for t, y in TRAIN), test=TEST),
    text_columns=("title", "text"),
)
add("nothing-known", tables(lambda rows: frame(rows, "v2", "v1")), (NEWS, "v1.*v2|v2.*v1"))
add(
    "nothing-known-stated",
    tables(lambda rows: frame(rows, "v2", "v1")),
    text_columns=("v2",),
    label_column="v1",
)
add(
    "spam-from-kaggle",
    lambda at: csv_files(
        at,
        *(
            frame(r, "v2", "v1")[["v1", "v2"]].assign(**{"": None, " ": None})
            for r in (TRAIN, TEST)
        ),
        encoding="cp1252",
    ),
    text_columns=("v2",),
    label_column="v1",
)
add("misspelt-text", lambda at: csv_files(at), "did you mean.*text|text", text_columns=("txet",))
add("misspelt-label", lambda at: csv_files(at), "did you mean.*label|label", label_column="lable")
add(
    "other-case-stated",
    lambda at: csv_files(at),
    (NEWS, "did you mean.*label"),
    label_column="Label",
)
add("near-names", tables(lambda rows: frame(rows, "texts", "lables")), (NEWS, "lables|texts"))
add(
    "two-labels",
    tables(lambda rows: frame(rows).assign(category=["a", "b"] * (len(rows) // 2))),
    (Works(train=TRAIN, test=TEST, assumes="label"), "category"),
)
add(
    "coarse-and-fine",
    tables(
        lambda rows: frame(rows, "text", "coarse_label").assign(
            fine_label=[str(i % 7) for i in range(len(rows))]
        )
    ),
    (Works(train=TRAIN, test=TEST, assumes="coarse_label"), "fine_label"),
)
add("three-levels", tables(lambda rows: frame(rows, "text", "l1").assign(l2="x", l3="y")), "l1.*l2")
add(
    "amazon-reviews",
    parts(("review_title", "review_body"), "stars", {"product_category": "book", "language": "en"}),
    (NEWS, "text-column|label-column"),
)
add("no-label-at-all", tables(lambda rows: frame(rows)[["text"]]), "label")
add("no-text-at-all", tables(lambda rows: frame(rows)[["label"]]), "text")
add(
    "only-one-unnamed-column",
    lambda at: [
        write(at / f"{n}.csv", "".join(f'"{t[:9]}"\n' for t, _ in r))
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    "column|header",
)
add(
    "text-is-label",
    lambda at: csv_files(at),
    "label.*both|same column|text.*label",
    text_columns=("label",),
)
add(
    "text-is-label-both-stated",
    lambda at: csv_files(at),
    "label.*both|same column|text.*label",
    text_columns=("text",),
    label_column="text",
)
add(
    "duplicate-names",
    lambda at: [
        write(
            at / f"{n}.csv", csv_text([(t, t.upper(), y) for t, y in r], ("text", "text", "label"))
        )
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    "text.*twice|twice|two columns|duplicate|same name|more than one",
)  # type: ignore[misc]
add(
    "duplicate-names-elsewhere",
    lambda at: [
        write(
            at / f"{n}.csv",
            csv_text([(t, "a", "b", y) for t, y in r], ("text", "note", "note", "label")),
        )
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
)  # type: ignore[misc]
add(
    "same-name-other-case",
    tables(lambda rows: frame(rows).assign(Label=["a", "b"] * (len(rows) // 2))),
    (Works(train=TRAIN, test=TEST, assumes="Label"), "Label"),
)
add(
    "ten-thousand-columns",
    lambda at: [
        write(
            at / f"{n}.csv",
            ",".join(f"feature_{i}" for i in range(10_000))
            + "\n"
            + ",".join("1" for _ in range(10_000))
            + "\n",
        )
        for n in ("train", "test")
    ],
    "column|label",
)
add(
    "ten-thousand-columns-and-ours",
    lambda at: [
        write(
            at / f"{n}.csv",
            csv_text(
                [(*row, *"0" * 2000) for row in r],
                ("text", "label", *(f"f{i}" for i in range(2000))),
            ),
        )
        for n, r in (("train", TRAIN[:20]), ("test", TEST))
    ],
    Works(train=TRAIN[:20], test=TEST),
)  # type: ignore[misc]
add("long-column-names", tables(lambda rows: frame(rows, "t" * 3000, "l" * 3000)), "column")
add("empty-header-names", lambda at: csv_files(at, header=["", ""]), "column|header")
add(
    "headerless-label-first",
    lambda at: csv_files(at, *(frame(r)[["label", "text"]] for r in (TRAIN, TEST)), header=False),
    (NEWS, "header"),
)
add("headerless-label-last", lambda at: csv_files(at, header=False), (NEWS, "header"))
add(
    "headerless-number-last",
    lambda at: csv_files(at, coded(TRAIN), coded(TEST), header=False),
    (numbered(), "header"),
)
add(
    "headerless-three",
    lambda at: csv_files(at, titled(TRAIN), titled(TEST), header=False),
    (NEWS, "header"),
)
add(
    "headerless-quoted",
    lambda at: csv_files(
        at, *(coded(r, 1)[["label", "text"]] for r in (TRAIN, TEST)), header=False, quoting=1
    ),
    numbered(1),
)
add(
    "headerless-floats",
    lambda at: csv_files(
        at,
        *(coded(r, 1)[["label", "text"]].astype({"label": float}) for r in (TRAIN, TEST)),
        header=False,
    ),
    numbered(1),
)
add(
    "headerless-negative",
    lambda at: csv_files(
        at,
        *(
            frame(r)
            .replace({"Business": "-1", "Sports": "1"})
            .loc[lambda t: t["label"].isin(["-1", "1"])][["label", "text"]]
            for r in (TRAIN, TEST)
        ),
        header=False,
    ),
    Works(
        train=tuple(
            (t, {"Business": "-1", "Sports": "1"}[y])
            for t, y in TRAIN
            if y in ("Business", "Sports")
        ),
        test=tuple(
            (t, {"Business": "-1", "Sports": "1"}[y])
            for t, y in TEST
            if y in ("Business", "Sports")
        ),
        classes=("-1", "1"),
    ),
)
add(
    "headerless-sentiment140",
    lambda at: csv_files(
        at,
        *(
            pd.DataFrame(
                [
                    (
                        0 if y in AG[:2] else 4,
                        1_467_810_000 + i,
                        "Mon Apr 06 22:19:45 PDT 2009",
                        "NO_QUERY",
                        f"user{i}",
                        t,
                    )
                    for i, (t, y) in enumerate(r)
                ]
            )
            for r in (TRAIN, TEST)
        ),
        header=False,
        quoting=1,
    ),
    "header|column",
)
add(
    "header-in-train-only",
    lambda at: [csv_files(at), frame(TEST).to_csv(at / "test.csv", index=False, header=False)],
    (NEWS, "test.csv"),
)
add(
    "other-columns-in-test",
    lambda at: csv_files(at, frame(TRAIN), frame(TEST)[["label", "text"]].assign(note="x")),
)
add(
    "other-names-in-test",
    lambda at: csv_files(at, frame(TRAIN), frame(TEST, "sentence", "class")),
    (Works(train=TRAIN, test=TEST, assumes="sentence|class"), "test.csv"),
)
add(
    "spaces-in-names-stated",
    tables(lambda rows: frame(rows, "News Text", "News Class")),
    text_columns=("News Text",),
    label_column="News Class",
)
add(
    "comma-in-a-name",
    tables(lambda rows: frame(rows, "text, cleaned", "label")),
    text_columns=("text, cleaned",),
)
add(
    "number-names-stated",
    tables(lambda rows: frame(rows, "1", "0")),
    text_columns=("1",),
    label_column="0",
)
add(
    "nested-columns-beside",
    lambda at: files(
        at,
        "parquet",
        *(
            frame(r).assign(meta=[{"a": [1, 2]}] * len(r), tags=[["x"]] * len(r))
            for r in (TRAIN, TEST)
        ),
    ),
)
add(
    "dotted-names",
    lambda at: files(at, "parquet", *(frame(r, "data.text", "data.label") for r in (TRAIN, TEST))),
    text_columns=("data.text",),
    label_column="data.label",
)


def huffpost(at: Path) -> None:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        table = titled(rows).set_axis(["category", "headline", "short_description"], axis=1)
        table = table.assign(link="https://news.example/1", authors="A. B.", date="2022-09-23")
        table.to_json(at / f"{name}.json", orient="records", lines=True)


def text(
    name: str, build: Callable[[Path], object], outcome: object = NEWS, **spec: object
) -> None:
    CORPUS.add("text", name, build, outcome, **spec)  # type: ignore[arg-type]


def typed(
    kind: pa.DataType, values: Callable[[str], object] = str, compression: str = "snappy"
) -> Callable[[Path], object]:
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
text("dictionary", typed("dictionary"))  # type: ignore[arg-type]
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
