"""Folders whose labels are damaged, several, continuous, or not those of classes.txt."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Works,
    coded,
    csv_files,
    files,
    frame,
    news,
    numbered,
    write,
)
from tests.data.folders_labels import (
    COMPOSED,
    arrow,
    both,
    classes_txt,
    code,
    columns,
    labelled,
    stained,
    wrote,
)

CORPUS = Corpus()
add = partial(CORPUS.add, "labels")
ONE_HOT = "one-hot|columns of 0 and 1|a column for each class|several labels"
CONTINUOUS = "continuous|decimal|regression|fraction|real number|whole number"
SEVERAL = "several labels|one label in a cell|more than one label"
add("two-minuses", stained("--5", names=(0, 1, 2, 3)), "row 7.*--5|--5.*row 7")
add("superscript", stained("²", names=(0, 1, 2, 3)), "row 7.*²|²")
add("superscripts-only", labelled(("¹", "²")), wrote(("¹", "²"), ("²", "¹"), either="²|¹"))
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
    ONE_HOT,
)
add(
    "one-hot-prefixed",
    columns(**{f"label_{name}": lambda row, i, name=name: int(row[1] == name) for name in AG}),
    ONE_HOT,
)
add(
    "toxic-comments",
    columns(
        toxic=lambda r, i: i % 2, obscene=lambda r, i: i % 3 % 2, threat=lambda r, i: i % 5 % 2
    ),
    ONE_HOT,
)
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
add("too-many-in-classes-txt", classes_txt("\n".join((*AG, "Weather"))), "Weather|class '5'")
add(
    "numbers-in-classes-txt",
    classes_txt("1 Business\n2 Sci/Tech\n3 Sports\n4 World\n"),
    (NEWS, wrote([f"{i} {name}" for i, name in enumerate(AG, 1)]), "classes.txt"),
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
