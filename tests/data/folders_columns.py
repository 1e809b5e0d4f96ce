"""Folders that differ in the names and the order of their columns."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    Build,
    Corpus,
    Row,
    Works,
    csv_files,
    csv_text,
    files,
    frame,
    titled,
    write,
)

CORPUS = Corpus()


add = partial(CORPUS.add, "columns")


Rows = tuple[Row, ...]


def tables(make: Callable[[Rows], pd.DataFrame], **options: object) -> Build:
    return lambda at: csv_files(at, make(TRAIN), make(TEST), **options)


def called(text: str, label: str, outcome: object = NEWS, name: str = "", **spec: object) -> None:
    """The usual rows under other column names."""
    names = {"text": text, "label": label}
    build = tables(lambda rows: frame(rows).rename(columns=names))
    add(name or f"{text}-and-{label}".replace(" ", "-"), build, outcome, **spec)


def parts(
    names: tuple[str, str], label: str = "label", extra: dict[str, object] | None = None
) -> Build:
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
)
add(
    "duplicate-names-elsewhere",
    lambda at: [
        write(
            at / f"{n}.csv",
            csv_text([(t, "a", "b", y) for t, y in r], ("text", "note", "note", "label")),
        )
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    (NEWS, "note.*twice"),
)
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
)
add("long-column-names", tables(lambda rows: frame(rows, "t" * 3000, "l" * 3000)), "column")
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
