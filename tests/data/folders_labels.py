"""Folders that differ in how labels are written."""

import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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
    files,
    frame,
    numbered,
    relabelled,
    write,
)

CORPUS = Corpus()
add = partial(CORPUS.add, "labels")


def labelled(values: Iterable[object], form: str = "csv", **options: object) -> Build:
    """Write the usual rows with one value for each class instead of its name."""
    by_name = dict(zip(AG, values, strict=False))

    def table(rows: tuple[Row, ...]) -> pd.DataFrame:
        rows = tuple(row for row in rows if row[1] in by_name)
        return frame(rows).assign(label=[by_name[label] for _, label in rows])

    if form == "json":
        options = {"orient": "records", "lines": True, **options}
    else:
        options = {"index": False, **options}
    names = ("train.jsonl", "test.jsonl") if form == "json" else None
    return lambda at: files(at, form, table(TRAIN), table(TEST), names, **options)


def wrote(
    names: Iterable[str], classes: Iterable[str] | None = None, either: str = "", assumes: str = ""
) -> object:
    """What comes of ``labelled``: the names, in class id order where it is not that of AG."""
    shown = dict(zip(AG, names, strict=False))
    train, test = (
        relabelled((row for row in rows if row[1] in shown), shown) for rows in (TRAIN, TEST)
    )
    works = Works(train=train, test=test, classes=tuple(classes or shown.values()), assumes=assumes)
    return (works, either) if either else works


def stained(
    word: object, form: str = "csv", split: str = "train", names: Iterable[object] = AG
) -> Build:
    """The usual rows, one of whose labels is another."""

    def build(at: Path) -> None:
        labelled(names, form)(at)
        path = at / f"{split}.{'jsonl' if form == 'json' else form}"
        table = pd.read_csv(path, dtype=str) if form == "csv" else pd.read_json(path, lines=True)
        table["label"] = table["label"].astype(object)
        table.loc[6, "label"] = word
        if form == "csv":
            table.to_csv(path, index=False)
        else:
            table.to_json(path, orient="records", lines=True)

    return build


def columns(**more: Callable[[Row, int], object]) -> Build:
    """Text and made columns instead of ``label``."""

    def table(rows: tuple[Row, ...]) -> pd.DataFrame:
        made = {name: [make(row, i) for i, row in enumerate(rows)] for name, make in more.items()}
        return pd.DataFrame({"text": [text for text, _ in rows], **made})

    return lambda at: csv_files(at, table(TRAIN), table(TEST))


def classes_txt(content: str | bytes, base: int = 1) -> Build:
    def build(at: Path) -> None:
        csv_files(at, coded(TRAIN, base), coded(TEST, base))
        write(at / "classes.txt", content)

    return build


def both(train: object, test: object) -> Build:
    return lambda at: csv_files(at, train, test)


def arrow(kind: pa.DataType, values: Callable[[Row], object]) -> Build:
    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            label = pa.array([values(row) for row in rows]).cast(kind)
            pq.write_table(
                pa.table({"text": [text for text, _ in rows], "label": label}),
                at / f"{name}.parquet",
            )

    return build


def code(row: Row, *_: object) -> int:
    return AG.index(row[1])


NUMBERS = ("0", "1", "2", "3")
add("integers-from-0", lambda at: csv_files(at, coded(TRAIN), coded(TEST)), numbered())
add("integers-from-1", lambda at: csv_files(at, coded(TRAIN, 1), coded(TEST, 1)), numbered(1))
add("floats-csv", labelled((0.0, 1.0, 2.0, 3.0)), numbered())
add("floats-from-1-csv", labelled((1.0, 2.0, 3.0, 4.0)), numbered(1))
add("floats-parquet", labelled((0.0, 1.0, 2.0, 3.0), "parquet"), numbered())
add("floats-json", labelled(("0.0", "1.0", "2.0", "3.0"), "json"), numbered())
add(
    "float-train-integer-test",
    lambda at: csv_files(at, coded(TRAIN).astype({"label": float}), coded(TEST)),
    numbered(),
)
add(
    "integer-train-float-test",
    lambda at: csv_files(at, coded(TRAIN), coded(TEST).astype({"label": float})),
    numbered(),
)
add(
    "floats-with-classes-txt",
    lambda at: [labelled((1.0, 2.0, 3.0, 4.0))(at), write(at / "classes.txt", "\n".join(AG))],
)
add("decimals-parquet", labelled(map(Decimal, NUMBERS), "parquet"), numbered())
add("small-integers-parquet", arrow(pa.uint8(), code), numbered())
add(
    "nullable-integers-parquet",
    lambda at: files(at, "parquet", *(coded(r).astype({"label": "Int64"}) for r in (TRAIN, TEST))),
    numbered(),
)
add(
    "years",
    labelled((2019, 2021, 2020, 2022)),
    wrote(("2019", "2021", "2020", "2022"), ("2019", "2020", "2021", "2022")),
)
add("minus-one-and-one", labelled((-1, 1)), wrote(("-1", "1")))
add("minus-one-zero-one", labelled((-1, 0, 1)), wrote(("-1", "0", "1")))
add("minus-one-and-one-floats", labelled((-1.0, 1.0)), wrote(("-1", "1")))
add("plus-signs", labelled(("-1", "+1")), (wrote(("-1", "+1")), wrote(("-1", "1")), r"\+1"))
add("from-101", labelled((101, 102, 103, 104)), wrote(("101", "102", "103", "104")))
add("from-2", labelled((2, 3, 4, 5)), wrote(("2", "3", "4", "5")))
add("tens", labelled((10, 9, 100, 20)), wrote(("10", "9", "100", "20"), ("9", "10", "20", "100")))
add("stars-without-one", labelled((1, 2, 4, 5)), wrote(("1", "2", "4", "5")))
add("sentiment140", labelled((0, 4)), wrote(("0", "4")))
add("stars-in-json", labelled((1, 3, 4, 5), "json"), wrote(("1", "3", "4", "5")))
add("gap-parquet", labelled((0, 1, 3, 7), "parquet"), wrote(("0", "1", "3", "7")))
add(
    "large-ids",
    labelled((9007199254740992, 9007199254740993, 5, 7)),
    wrote(
        ("9007199254740992", "9007199254740993", "5", "7"),
        ("5", "7", "9007199254740992", "9007199254740993"),
    ),
)
add("zero-padded", labelled(("00", "01", "02", "03")), wrote(("00", "01", "02", "03")))
add(
    "zero-padded-beside-plain",
    lambda at: [
        labelled(("00", "01", "02", "03"))(at),
        coded(TEST).to_csv(at / "test.csv", index=False),
    ],
    (
        Works(
            train=relabelled(TRAIN, dict(zip(AG, NUMBERS, strict=True))),
            test=relabelled(TEST, dict(zip(AG, NUMBERS, strict=True))),
        ),
        "test.csv, row 1",
    ),
)
add("numbers-and-spaces", labelled((" 0", "1 ", " 2 ", "3")), numbered())
add(
    "base-stated",
    lambda at: csv_files(at, coded(TRAIN, 1), coded(TEST, 1)),
    numbered(1),
    label_base=1,
)
add("names-stated", lambda at: csv_files(at, coded(TRAIN, 1), coded(TEST, 1)), class_names=AG)
add(
    "names-stated-for-gaps",
    labelled((1, 2, 4, 5)),
    (NEWS, "class-names|class_names|without gaps|names"),
    class_names=AG,
)
add("booleans-csv", labelled((False, True)), wrote(("False", "True")))
add("booleans-json", labelled((False, True), "json"), wrote(("false", "true")))
add("booleans-parquet", labelled((False, True), "parquet"), wrote(("false", "true")))
add("yes-and-no", labelled(("no", "yes")), wrote(("no", "yes")))
add("binary-parquet", arrow(pa.binary(), lambda row: row[1].encode()))
add(
    "categories-parquet",
    lambda at: files(
        at, "parquet", *(frame(r).astype({"label": "category"}) for r in (TRAIN, TEST))
    ),
)
add(
    "categories-of-numbers-parquet",
    lambda at: files(
        at, "parquet", *(coded(r).astype({"label": "category"}) for r in (TRAIN, TEST))
    ),
    numbered(),
)
add("large-string-parquet", arrow(pa.large_string(), lambda row: row[1]))
add("view-parquet", arrow(pa.string_view(), lambda row: row[1]))
COMPOSED = ("Économie", "Santé", "Ñandú", "Zoë")
SPLIT = tuple(unicodedata.normalize("NFD", name) for name in COMPOSED)
ACCENTS = sorted(COMPOSED)
add(
    "normal-forms",
    lambda at: [
        labelled(COMPOSED)(at),
        labelled(SPLIT)(at / "x"),
        (at / "x/test.csv").replace(at / "test.csv"),
        (at / "x/train.csv").unlink(),
    ],
    wrote(COMPOSED, ACCENTS),
)
add(
    "normal-forms-one-file",
    lambda at: csv_files(
        at,
        pd.concat(
            [
                frame(TRAIN[:20]).replace(dict(zip(AG, SPLIT, strict=True))),
                frame(TRAIN[20:]).replace(dict(zip(AG, COMPOSED, strict=True))),
            ]
        ),
        frame(TEST).replace(dict(zip(AG, COMPOSED, strict=True))),
    ),
    wrote(COMPOSED, ACCENTS),
)
add(
    "normal-forms-classes-txt",
    lambda at: [labelled(SPLIT)(at), write(at / "classes.txt", "\n".join(COMPOSED))],
    wrote(COMPOSED, COMPOSED),
)
add(
    "arabic-digits",
    labelled(("\u0660", "\u0661", "\u0662", "\u0663")),
    (numbered(), wrote("\u0660\u0661\u0662\u0663"), "\u0660"),
)
add(
    "arabic-digits-names",
    labelled(("\u0661", "\u0662", "\u0664", "\u0665")),
    wrote(("\u0661", "\u0662", "\u0664", "\u0665"), either="\u0661|digit"),
)
add(
    "wide-digits",
    labelled(("\uff10", "\uff11", "\uff12", "\uff13")),
    (numbered(), wrote("\uff10\uff11\uff12\uff13"), "\uff10"),
)
