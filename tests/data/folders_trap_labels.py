"""Labels and columns that are easily taken for others."""

from functools import partial

import pandas as pd

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Works,
    coded,
    csv_files,
    frame,
    news,
    numbered,
    titled,
    write,
)
from tests.data.folders_labels import labelled, stained, wrote

CORPUS = Corpus()
column = partial(CORPUS.add, "columns")
label = partial(CORPUS.add, "labels")
label("invisible-difference", stained("Sports\u200b"), "Sports")
label("two-spaces-inside", labelled(("Arts  and", "Arts and", "News")), "Arts")
label(
    "hyphen-and-dash",
    labelled(("Sci-Tech", "Sci\u2010Tech", "News")),
    (
        wrote(("Sci-Tech", "Sci\u2010Tech", "News"), sorted(("Sci-Tech", "Sci\u2010Tech", "News"))),
        "Sci",
    ),
)
label(
    "quoted-twice",
    labelled(('"World"', '"Sports"')),
    (
        wrote(('"World"', '"Sports"'), ('"Sports"', '"World"')),
        wrote(("World", "Sports"), ("Sports", "World")),
        "label",
    ),
)
label("letters-and-numbers", labelled(("0", "1", "World")), "World|number")
label("number-words-sorted", labelled(("class 10", "class 9")), wrote(("class 10", "class 9")))
label(
    "one-of-each",
    lambda at: csv_files(
        at,
        [(t, f"c{i}") for i, (t, _) in enumerate(TRAIN)],
        [(t, f"c{i}") for i, (t, _) in enumerate(TEST)],
    ),
    "label|class|row",
)
label("infinite", stained("inf", names=(0, 1, 2, 3)), "row 7.*inf|inf")
label(
    "exponent", labelled(("0e0", "1e0")), (wrote(("0e0", "1e0")), wrote(("0", "1")), "number|label")
)
label("hexadecimal", labelled(("0x0", "0x1")), wrote(("0x0", "0x1")))


MONTHS = tuple(f"{i:02d}" for i in range(1, 13))


HUFFPOST = ("ARTS", "ARTS & CULTURE", "CULTURE & ARTS", "STYLE", "STYLE & BEAUTY", "TASTE")


STARS = tuple(f"{i} star{'s' if i > 1 else ''}" for i in range(1, 6))


def many(names, count=60, write_names=(), base=None):
    """More classes than the usual four, as they are or as numbers from a base."""

    def build(at):
        for split, rows in (("train", news(count, names)), ("test", news(len(names), names, 200))):
            table = frame(rows)
            if base is not None:
                table["label"] = [names.index(y) + base for _, y in rows]
            table.to_csv(at / f"{split}.csv", index=False)
        if write_names:
            write(at / "classes.txt", "\n".join(write_names))

    return build


def many_rows(names, count=60):
    return Works(train=news(count, names), test=news(len(names), names, 200), classes=names)


label("zero-padded-to-twelve", many(MONTHS), many_rows(MONTHS))
label("dewey-numbers", many(("004", "510", "610")), (many_rows(("004", "510", "610")), "004"))
label("huffpost-classes", many(HUFFPOST), many_rows(HUFFPOST))
label(
    "slashes-in-names",
    many(("Sci", "Sci/Tech", "Tech")),
    (many_rows(("Sci", "Sci/Tech", "Tech")), "Sci/Tech"),
)
label("plus-in-names", many(("C", "C#", "C++")), many_rows(("C", "C#", "C++")))
label("stars-in-classes-txt", many(STARS, write_names=STARS, base=1), many_rows(STARS))
label(
    "numbered-names-in-classes-txt",
    many(STARS[:3], write_names=("0: bad", "1: fair", "2: good"), base=0),
    (
        Works(
            **{
                k: tuple(
                    (t, {"1 star": "bad", "2 stars": "fair", "3 stars": "good"}[y])
                    for t, y in getattr(many_rows(STARS[:3]), k)
                )
                for k in ("train", "test")
            },
            classes=("bad", "fair", "good"),
        ),
        "classes.txt",
    ),
)
label(
    "versions-as-classes",
    many(("1.0", "1.1", "2.0")),
    (many_rows(("1.0", "1.1", "2.0")), "fraction|measurement|label"),
)
label(
    "dotted-groups",
    many(("alt.atheism", "comp.graphics", "sci.space")),
    many_rows(("alt.atheism", "comp.graphics", "sci.space")),
)
label(
    "no-and-yes-no",
    many(("no", "yes", "yes, no")),
    (many_rows(("no", "yes", "yes, no")), "yes, no"),
)
label("underscored", stained("1_0", names=(0, 1, 2, 3)), "1_0")
column(
    "headerless-index-and-text",
    lambda at: csv_files(
        at, *(frame(r)[["text"]] for r in (TRAIN, TEST)), index=True, header=False
    ),
    "label|header|index",
)
column(
    "headerless-id-and-text",
    lambda at: csv_files(
        at,
        *(
            pd.DataFrame({"id": [1000 + 7 * i for i in range(len(r))], "text": [t for t, _ in r]})
            for r in (TRAIN, TEST)
        ),
        header=False,
    ),
    "label|header|index",
)
column(
    "index-and-text-only",
    lambda at: csv_files(at, *(frame(r)[["text"]] for r in (TRAIN, TEST)), index=True),
    "label",
)
column(
    "year-in-the-header",
    lambda at: csv_files(
        at, *(frame(r, "utterance_x", "klass_x").assign(**{"2020": "x"}) for r in (TRAIN, TEST))
    ),
    "header|column",
)
column(
    "headerless-sorted",
    lambda at: csv_files(
        at,
        *(coded(r, 1).sort_values("label")[["label", "text"]] for r in (TRAIN, TEST)),
        header=False,
    ),
    numbered(1),
)
column(
    "headerless-names-sorted",
    lambda at: csv_files(
        at, *(frame(r).sort_values("label")[["label", "text"]] for r in (TRAIN, TEST)), header=False
    ),
    (NEWS, "header"),
)
column(
    "headerless-id-last",
    lambda at: csv_files(
        at,
        *(coded(r, 1)[["label", "text"]].assign(id=range(len(r))) for r in (TRAIN, TEST)),
        header=False,
    ),
    (numbered(1), "header|column"),
)
column(
    "headerless-two-numbers",
    lambda at: csv_files(
        at,
        *(
            coded(r, 1)[["label", "text"]].assign(stars=[i % 5 for i in range(len(r))])
            for r in (TRAIN, TEST)
        ),
        header=False,
    ),
    "header|column",
)
column(
    "headerless-turned-in-test",
    lambda at: csv_files(at, coded(TRAIN)[["label", "text"]], coded(TEST), header=False),
    (numbered(), "test.csv"),
)
column(
    "label-names-the-text",
    lambda at: csv_files(
        at, *(titled(r).set_axis(["text", "label", "content"], axis=1) for r in (TRAIN, TEST))
    ),
    "label|class",
)
column(
    "numbers-one-hot",
    lambda at: csv_files(
        at,
        *(
            frame(r)[["text"]].assign(
                **{str(j): [int(AG.index(y) == j) for _, y in r] for j in range(4)}
            )
            for r in (TRAIN, TEST)
        ),
    ),
    "column|header|one-hot|label",
)
column(
    "prediction-beside",
    lambda at: csv_files(
        at, *(frame(r).assign(prediction="World", score=0.5) for r in (TRAIN, TEST))
    ),
)
column(
    "label-and-its-number",
    lambda at: csv_files(at, *(frame(r).assign(label_id=coded(r)["label"]) for r in (TRAIN, TEST))),
)
column(
    "predicted-label-first",
    lambda at: csv_files(
        at,
        *(
            frame(r).assign(predicted_label="World")[["predicted_label", "text", "label"]]
            for r in (TRAIN, TEST)
        ),
    ),
)
column(
    "text-length-beside",
    lambda at: csv_files(
        at, *(frame(r).assign(text_length=9, text_clean="x") for r in (TRAIN, TEST))
    ),
)
column(
    "headerless-position-stated",
    lambda at: csv_files(
        at,
        *(titled(r).assign(x="x")[["x", "label", "title", "description"]] for r in (TRAIN, TEST)),
        header=False,
    ),
    NEWS,
    label_column="2",
    text_columns=("3", "4"),
)
