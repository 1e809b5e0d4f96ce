"""Folders that differ in which splits they have."""

from functools import partial
from pathlib import Path

import pandas as pd

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    VALIDATION,
    Build,
    Corpus,
    Works,
    coded,
    csv_files,
    files,
    frame,
    news,
    write,
)

CORPUS = Corpus()
split = partial(CORPUS.add, "splits")
ALL = news(60)
CUT = Works(train=ALL, test_fraction=0.25)
KEPT = Works(train=TRAIN, test=TEST, validation=VALIDATION)


def only(name: str, rows: object = ALL, **options: object) -> Build:
    return lambda at: csv_files(at, rows, rows, names=(name, name), **options)


def three(at: Path, name: str = "validation.csv") -> None:
    csv_files(at)
    only(name, VALIDATION)(at)


def emptied(name: str, content: str | bytes = "") -> Build:
    return lambda at: [csv_files(at), write(at / name, content)]


def kaggle(at: Path) -> None:
    """A competition: the test file has no labels."""
    csv_files(at, frame(TRAIN).assign(id=range(40)), frame(TEST)[["text"]].assign(id=range(12)))
    pd.DataFrame({"id": range(12), "label": "World"}).to_csv(
        at / "sample_submission.csv", index=False
    )


CUT_UNASKED = Works(train=ALL, test_fraction=0.2, assumes="test")
split("lone-train", only("train.csv"), (CUT_UNASKED, "test-fraction"))
split("lone-train-cut", only("train.csv"), CUT, test_fraction=0.25)
split("lone-file-cut", only("train.csv"), CUT, source="train.csv", test_fraction=0.25)
split(
    "lone-parquet-cut",
    lambda at: files(at, "parquet", ALL, ALL, ("train.parquet",) * 2),
    CUT,
    test_fraction=0.25,
)
split("other-name", only("news.csv"), (CUT_UNASKED, "test-fraction"))
split("other-name-cut", only("news.csv"), CUT, test_fraction=0.25)
split("other-name-file-cut", only("bbc-text.csv"), CUT, source="bbc-text.csv", test_fraction=0.25)
split(
    "data-csv-beside-readme-cut",
    lambda at: [only("data.csv")(at), write(at / "README.md", "# News\n")],
    CUT,
    test_fraction=0.25,
)
split(
    "two-other-names-cut",
    lambda at: [only("a.csv")(at), only("b.csv")(at)],
    r"a\.csv.*b\.csv",
    test_fraction=0.25,
)
split(
    "cut-beside-a-test-file",
    csv_files,
    (NEWS, "test-fraction|test.csv"),
    test_fraction=0.25,
)
split("cut-of-two-rows", only("train.csv", ALL[:2]), "test|class|row", test_fraction=0.5)
split("cut-without-a-row", only("train.csv"), "test|row", test_fraction=0.001)
split(
    "cut-leaves-a-class-out",
    only("train.csv", (*ALL, ("A lone text", "Weather"))),
    (Works(train=(*ALL, ("A lone text", "Weather")), test_fraction=0.25), "Weather"),
    test_fraction=0.25,
)
split(
    "train-and-validation",
    lambda at: [only("train.csv", TRAIN)(at), only("validation.csv", TEST)(at)],
    (
        Works(train=TRAIN, test=TEST, assumes="validation"),
        Works(train=TRAIN, validation=TEST, test_fraction=0.2, assumes="test"),
        "test",
    ),
)
split(
    "train-and-validation-cut",
    lambda at: [only("train.csv")(at), only("validation.csv", VALIDATION)(at)],
    Works(train=ALL, validation=VALIDATION, test_fraction=0.25),
    test_fraction=0.25,
)
split("validation-file", three, KEPT)
split(
    "validation-stated",
    lambda at: three(at, "held_out.csv"),
    KEPT,
    validation_source="./held_out.csv",
)
split("validation-ignored", three, NEWS, validation_source="none")
split("validation-stated-missing", csv_files, "held_out", validation_source="./held_out.csv")
split("validation-and-fraction", three, (KEPT, "validation"), validation_fraction=0.25)
split(
    "validation-in-parquet",
    lambda at: [
        csv_files(at),
        files(at, "parquet", VALIDATION, VALIDATION, ("validation.parquet",) * 2),
    ],
    KEPT,
)
split(
    "validation-label-unknown",
    lambda at: [csv_files(at), only("dev.csv", (*VALIDATION, ("Rain", "Weather")))(at)],
    "dev.csv, row 9.*Weather",
)
split(
    "validation-without-labels",
    lambda at: [csv_files(at), only("dev.csv", frame(VALIDATION)[["text"]])(at)],
    "dev.csv.*(without labels|column .label)",
)
split(
    "validation-empty",
    lambda at: [csv_files(at), write(at / "dev.csv", "text,label\n")],
    "dev.csv.*row",
)
split("kaggle", kaggle, "test.csv.*label|label.*test.csv")
split(
    "kaggle-cut", kaggle, (Works(train=TRAIN, test_fraction=0.25), "test.csv"), test_fraction=0.25
)
split(
    "kaggle-answers-apart",
    lambda at: [kaggle(at), frame(TEST)[["label"]].to_csv(at / "test_labels.csv", index=False)],
    "test.csv|test_labels",
)
split("only-test", only("test.csv"), "train")
split(
    "only-test-and-validation",
    lambda at: [only("test.csv", TEST)(at), only("dev.csv", VALIDATION)(at)],
    "train",
)
split("train-empty", emptied("train.csv"), "train.csv.*(empty|row)")
split("test-empty", emptied("test.csv"), "test.csv.*(empty|row)")
split("train-header-only", emptied("train.csv", "text,label\n"), "train.csv.*row")
split("test-header-only", emptied("test.csv", "text,label\n"), "test.csv.*row")
split("train-blank-only", emptied("train.csv", "\n \n\n"), "train.csv.*(empty|row|column)")
split(
    "parquet-without-rows",
    lambda at: files(at, "parquet", frame(TRAIN)[:0], TEST),
    "train.parquet.*row",
)
split("unlabelled-beside", lambda at: [csv_files(at), write(at / "unlabeled.csv", "text\nRain\n")])
split(
    "test-names-differ",
    lambda at: csv_files(at, coded(TRAIN), frame(TEST)),
    "test.csv, row 1.*Business",
)
split("more-test-than-train", lambda at: csv_files(at, TEST, TRAIN), Works(train=TEST, test=TRAIN))
