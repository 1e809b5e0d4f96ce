"""Folders that differ in how labels are written."""

import json
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
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
    files,
    frame,
    news,
    numbered,
    relabelled,
    write,
)

CORPUS = Corpus()


def add(name: str, build: Callable[[Path], object], outcome: object = NEWS, **spec: object) -> None:
    CORPUS.add("labels", name, build, outcome, **spec)  # type: ignore[arg-type]


def labelled(
    values: Iterable[object], form: str = "csv", **options: object
) -> Callable[[Path], object]:
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
) -> Callable[[Path], object]:
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


def columns(**more: Callable[[Row, int], object]) -> Callable[[Path], object]:
    """Text and made columns instead of ``label``."""

    def table(rows: tuple[Row, ...]) -> pd.DataFrame:
        made = {name: [make(row, i) for i, row in enumerate(rows)] for name, make in more.items()}
        return pd.DataFrame({"text": [text for text, _ in rows], **made})

    return lambda at: csv_files(at, table(TRAIN), table(TEST))


def classes_txt(content: str | bytes, base: int = 1) -> Callable[[Path], object]:
    def build(at: Path) -> None:
        csv_files(at, coded(TRAIN, base), coded(TEST, base))
        write(at / "classes.txt", content)

    return build


def both(train: object, test: object) -> Callable[[Path], object]:
    return lambda at: csv_files(at, train, test)


def arrow(kind: pa.DataType, values: Callable[[Row], object]) -> Callable[[Path], object]:
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
add("plus-signs", labelled(("-1", "+1")), wrote(("-1", "+1"), either=r"\+1"))
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
    (numbered(), "'\u0660'|\u0660"),
)
add(
    "arabic-digits-names",
    labelled(("\u0661", "\u0662", "\u0664", "\u0665")),
    wrote(("\u0661", "\u0662", "\u0664", "\u0665"), either="\u0661|digit"),
)
add("wide-digits", labelled(("\uff10", "\uff11", "\uff12", "\uff13")), (numbered(), "\uff10|0"))
add("two-minuses", stained("--5", names=(0, 1, 2, 3)), "row 7.*--5|--5.*row 7")
add("superscript", stained("²", names=(0, 1, 2, 3)), "row 7.*²|²")
add("superscripts-only", labelled(("¹", "²")), wrote(("¹", "²"), either="²|¹"))
add("half", stained("½", names=(0, 1, 2, 3)), "½")
add(
    "roman-numerals",
    labelled(("\u2160", "\u2161")),
    wrote(("\u2160", "\u2161"), either="\u2160|row"),
)
add("case-only", stained("sports"), "sports.*Sports|Sports.*sports")
add("case-only-between-splits", stained("sports", split="test"), "row 7.*sports|Sports")
add(
    "spaces-around",
    stained(" World  "),
    Works(train=(*TRAIN[:6], (TRAIN[6][0], "World"), *TRAIN[7:]), test=TEST),
)
add(
    "space-that-does-not-break",
    stained("World\u00a0"),
    (Works(train=(*TRAIN[:6], (TRAIN[6][0], "World"), *TRAIN[7:]), test=TEST), "World"),
)
add("nan", stained("nan"), "row 7.*nan|nan.*row 7|nan")
add("nan-capital", stained("NaN", split="test"), "nan")
add("nan-in-json", stained("NaN", "json"), "nan")
add("nan-beside-numbers", stained("nan", names=(0, 1, 2, 3)), "nan")
add("null-word", stained("NULL"), "NULL")
add("mysql-null", stained("\\N"), r"\\N")
add("not-available", stained("#N/A"), "N/A")
add("stance-none", labelled(("AGAINST", "FAVOR", "NONE")), wrote(("AGAINST", "FAVOR", "NONE")))
add("missing-csv", stained(None), "row 7")
add("missing-json", stained(None, "json"), "row 7")
add(
    "missing-parquet",
    lambda at: files(
        at,
        "parquet",
        frame(TRAIN).assign(label=[None if i == 6 else y for i, (_, y) in enumerate(TRAIN)]),
    ),
    "row 7",
)
add(
    "missing-makes-floats",
    lambda at: csv_files(
        at, coded(TRAIN).assign(label=lambda t: t["label"].where(t.index != 6)), coded(TEST)
    ),
    "row 7",
)
add(
    "missing-key-json",
    lambda at: [
        files(at, "json", orient="records", lines=True, names=("train.jsonl", "test.jsonl")),
        write(
            at / "train.jsonl",
            "".join(
                json.dumps({"text": t, **({"label": y} if i != 6 else {})}) + "\n"
                for i, (t, y) in enumerate(TRAIN)
            ),
        ),
    ],
    "row 7",
)
add("all-missing", lambda at: csv_files(at, frame(TRAIN).assign(label=None)), "label")
add(
    "one-hot",
    columns(**{name: lambda row, i, name=name: int(row[1] == name) for name in AG}),
    "one-hot|one hot|column.*each class|several.*column",
)
add(
    "one-hot-prefixed",
    columns(**{f"label_{name}": lambda row, i, name=name: int(row[1] == name) for name in AG}),
    "one-hot|one hot|column.*each class|several.*column",
)
add(
    "toxic-comments",
    columns(
        toxic=lambda r, i: i % 2, obscene=lambda r, i: i % 3 % 2, threat=lambda r, i: i % 5 % 2
    ),
    "one-hot|several|multi|column.*each",
)
CONTINUOUS = "continuous|decimal|regression|fraction|real number|whole number"
SEVERAL = "several labels|more than one label|multi"
add(
    "several-in-a-cell-comma",
    columns(label=lambda r, i: r[1] if i % 3 else f"{r[1]},{AG[i % 4 - 1]}"),
    SEVERAL,
)
add(
    "several-in-a-cell-pipe",
    columns(label=lambda r, i: r[1] if i % 3 else f"{r[1]}|{AG[i % 4 - 1]}"),
    SEVERAL,
)
add(
    "several-in-a-cell-semicolon",
    columns(label=lambda r, i: r[1] if i % 3 else f"{r[1]}; {AG[i % 4 - 1]}"),
    SEVERAL,
)
add(
    "several-in-a-cell-numbers",
    columns(label=lambda r, i: str(code(r)) if i % 3 else f"{code(r)},{(code(r) + 1) % 4}"),
    SEVERAL,
)
add(
    "several-as-python-list",
    columns(label=lambda r, i: str([r[1]] if i % 3 else [r[1], AG[i % 4 - 1]])),
    SEVERAL,
)
add(
    "several-in-json-list",
    lambda at: lists(at, lambda i, y: [y] if i % 3 else [y, AG[i % 4 - 1]]),
    SEVERAL + "|list",
)
add("one-in-json-list", lambda at: lists(at, lambda i, y: [y]), (NEWS, "list"))
add(
    "vectors-in-json",
    lambda at: lists(at, lambda i, y: [int(y == name) for name in AG]),
    "list|one-hot|several",
)
add(
    "comma-in-a-name",
    labelled(("Arts, Crafts", "Home, Garden", "News")),
    wrote(("Arts, Crafts", "Home, Garden", "News")),
)
add("semicolon-in-a-name", labelled(("A; B", "C; D")), wrote(("A; B", "C; D")))
add(
    "continuous",
    columns(label=lambda r, i: round(code(r) + i / 97, 3)),
    CONTINUOUS,
)
add(
    "continuous-few",
    columns(label=lambda r, i: (0.17, 0.33, 0.5, 1.0)[code(r)]),
    wrote(("0.17", "0.33", "0.5", "1.0"), either=CONTINUOUS),
)
add(
    "continuous-parquet",
    lambda at: files(
        at,
        "parquet",
        coded(TRAIN).assign(label=[i / 7 for i in range(40)]),
        coded(TEST).assign(label=[i / 7 for i in range(12)]),
    ),
    CONTINUOUS,
)
add(
    "continuous-json",
    lambda at: files(
        at,
        "json",
        frame(TRAIN).assign(label=[i / 7 for i in range(40)]),
        frame(TEST).assign(label=[i / 7 for i in range(12)]),
        ("train.jsonl", "test.jsonl"),
        orient="records",
        lines=True,
    ),
    CONTINUOUS,
)
add(
    "duplicates-in-classes-txt",
    classes_txt("Business\nSports\nSports\nWorld\n"),
    "classes.txt.*Sports|Sports.*classes.txt",
)
add(
    "too-few-in-classes-txt",
    classes_txt("Business\nSci/Tech\nSports\n"),
    "classes.txt|class|1 to 3",
)
add("too-many-in-classes-txt", classes_txt("\n".join((*AG, "Weather"))), "Weather")
add(
    "numbers-in-classes-txt",
    classes_txt("1 Business\n2 Sci/Tech\n3 Sports\n4 World\n"),
    wrote([f"{i} {name}" for i, name in enumerate(AG, 1)], either="classes.txt"),
)
add("windows-lines-in-classes-txt", classes_txt("\r\n".join(AG) + "\r\n\r\n"))
add("utf16-classes-txt", classes_txt("\n".join(AG).encode("utf-16")), (NEWS, "classes.txt"))
add(
    "windows-1252-classes-txt",
    lambda at: [
        labelled((0, 1, 2, 3))(at),
        write(at / "classes.txt", "\n".join(COMPOSED), "cp1252"),
    ],
    wrote(COMPOSED, COMPOSED, either="classes.txt"),
)
add("empty-classes-txt", classes_txt(""), (numbered(1), "classes.txt"))
add(
    "classes-txt-of-names",
    lambda at: [csv_files(at), write(at / "classes.txt", "World\nSports\nBusiness\nSci/Tech\n")],
    Works(train=TRAIN, test=TEST, classes=("World", "Sports", "Business", "Sci/Tech")),
)
add("one-class", labelled(("only",)), "two classes")
add(
    "one-row-of-a-class",
    stained("Weather"),
    Works(train=(*TRAIN[:6], (TRAIN[6][0], "Weather"), *TRAIN[7:]), test=TEST),
)
add("test-label-unknown", stained("Weather", split="test"), "test.csv, row 7.*Weather")
add(
    "test-lacks-a-class",
    both(TRAIN, tuple(r for r in TEST if r[1] != "World")),
    Works(train=TRAIN, test=tuple(r for r in TEST if r[1] != "World")),
)
add("test-labels-hidden", both(coded(TRAIN), coded(TEST).assign(label=-1)), "-1")
add("test-labels-empty", both(TRAIN, frame(TEST).assign(label="")), "test.csv.*label")
add("stray-text-in-numbers", stained("unlabeled", names=(0, 1, 2, 3)), "row 7.*unlabeled|unlabeled")
add("stray-text-in-years", stained("unknown", names=(2019, 2020, 2021, 2022)), "unknown")
add(
    "long-names",
    labelled(("Business " * 40, "Sports " * 40)),
    wrote((("Business " * 40).strip(), ("Sports " * 40).strip()), either="label"),
)
add("emoji", labelled(("😀", "😡")), wrote(("😀", "😡")))
add(
    "three-thousand-classes",
    lambda at: csv_files(
        at, [(t, f"class {i % 3000}") for i, (t, _) in enumerate(news(6000))], TEST
    ),
    "label",
)
add(
    "three-thousand-numbers",
    lambda at: csv_files(at, frame(news(3000)).assign(label=range(3000)), coded(TEST)),
    "label|index",
)
add(
    "half-stars",
    columns(label=lambda r, i: (0.5, 1.0, 1.5, 2.0)[code(r)]),
    wrote(("0.5", "1.0", "1.5", "2.0"), either=CONTINUOUS),
)
add("times-as-labels", columns(label=lambda r, i: f"2024-01-{i + 1:02d}"), "label|class")
add(
    "set-fit",
    lambda at: [
        coded(r)
        .assign(label_text=[y for _, y in r])
        .to_json(at / f"{n}.jsonl", orient="records", lines=True)
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    (numbered(), "label_text"),
)
add(
    "fixed-size-binary-parquet",
    arrow(pa.binary(4), lambda row: row[1][:4].encode()),
    wrote([n[:4] for n in AG], either="binary|label"),
)


def lists(at: Path, make: Callable[[int, str], object]) -> None:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        text = "".join(
            json.dumps({"text": t, "label": make(i, y)}) + "\n" for i, (t, y) in enumerate(rows)
        )
        write(at / f"{name}.jsonl", text)
