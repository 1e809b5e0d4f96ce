"""Folders with two files, or two folders, that could both be meant."""

import json
from functools import partial
from pathlib import Path

import pandas as pd

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    VALIDATION,
    Corpus,
    Works,
    csv_files,
    files,
    frame,
    news,
    records,
    write,
)
from tests.data.folders_layouts import (
    README,
    STALE,
    UUID,
    hub_clone,
    hub_parquet,
    saved_to_disk,
    spark,
    three,
)

CORPUS = Corpus()


two = partial(CORPUS.add, "ambiguous files")


def stale(name: str, form: str = "csv", also: tuple[str, ...] = (), **options: object) -> object:
    """train.csv and test.csv, and beside them other rows of the same split."""

    def build(at: Path) -> None:
        csv_files(at)
        files(at, form, STALE, STALE, (name, name), **{"index": False, **options})
        for more in also:
            files(at, form, STALE, STALE, (more, more), **{"index": False, **options})

    return build


def generations(at):
    """A hub clone pulled again, after the data set was cut into more shards."""
    csv_files(at, STALE, TEST, names=("data/train-00000-of-00001.csv", "data/test.csv"))
    for i in range(2):
        name = f"data/train-0000{i}-of-00002.csv"
        csv_files(at, TRAIN[i::2], TEST, names=(name, "data/test.csv"))


BOTH = r"train\.csv.*{0}|{0}.*train\.csv"


LINES = {"orient": "records", "lines": True, "index": None}
two("stale-parquet", stale("train.parquet", "parquet"), BOTH.format(r"train\.parquet"))
two("stale-jsonl", stale("train.jsonl", "json", **LINES), BOTH.format(r"train\.jsonl"))
two("stale-tsv", stale("train.tsv", sep="\t"), BOTH.format(r"train\.tsv"))
two("stale-gz", stale("train.csv.gz"), BOTH.format(r"train\.csv\.gz"))
two(
    "stale-zip",
    stale("train.zip", compression={"method": "zip", "archive_name": "train.csv"}),
    BOTH.format(r"train\.zip"),
)
two(
    "stale-test-parquet",
    stale("test.parquet", "parquet"),
    r"test\.parquet.*test\.csv|test\.csv.*test\.parquet",
)
two(
    "whole-beside-shards",
    stale("train-00000-of-00002.csv", also=("train-00001-of-00002.csv",)),
    BOTH.format(r"train-0"),
)
two("whole-beside-folder", stale("train/data.csv"), BOTH.format(r"train/?"))
two(
    "root-beside-data",
    stale("data/train.csv"),
    r"data/train\.csv|data.*train\.csv|train\.csv.*data",
)
two("upper-and-lower-case", stale("Train.csv"), r"Train\.csv")
two(
    "two-validations",
    lambda at: [three(at, "dev"), three(at, "valid")],
    r"dev\.csv.*valid\.csv|valid\.csv.*dev\.csv",
)
two("two-generations-of-shards", generations, "of-00001.*of-00002|of-00002.*of-00001|shards")
two(
    "two-prefixes",
    lambda at: [
        csv_files(at, names=(f"{name}_train.csv", f"{name}_test.csv")) for name in ("ag", "bbc")
    ],
    "ag_train.*bbc_train|bbc_train.*ag_train",
)
two(
    "prefixed-beside-plain",
    stale("ag_news_train.csv"),
    (Works(train=TRAIN, test=TEST, assumes="ag_news_train"), "ag_news_train"),
)
two(
    "small-beside-full",
    stale("train_small.csv"),
    (Works(train=TRAIN, test=TEST, assumes="train_small"), "train_small"),
)
two(
    "second-download",
    stale("train (1).csv"),
    (Works(train=TRAIN, test=TEST, assumes=r"train \(1\)"), r"train \(1\)"),
)
two(
    "clean-and-raw",
    lambda at: [csv_files(at / name, names=("train.csv", "test.csv")) for name in ("raw", "clean")],
    "raw.*clean|clean.*raw",
)
two(
    "saved-to-disk-beside-csv",
    lambda at: [saved_to_disk(at), csv_files(at, STALE, STALE)],
    r"train\.csv|dataset_dict|save_to_disk",
)
two(
    "test-with-labels",
    stale("test_with_labels.csv"),
    (Works(train=TRAIN, test=TEST, assumes="test_with"), "test_with_labels"),
)
two(
    "same-rows-twice",
    lambda at: [csv_files(at), files(at, "parquet")],
    (Works(train=TRAIN, test=TEST, assumes="train"), r"train\.parquet"),
)
two(
    "stated-files",
    stale("train.parquet", "parquet"),
    NEWS,
    source="train.csv",
    test_source="./test.csv",
)
two(
    "two-spark-jobs",
    lambda at: [
        spark(at, "parquet"),
        files(
            at,
            "parquet",
            STALE,
            TEST,
            (f"train/part-00000-{UUID[::-1]}.parquet", "test/part-00000-b.parquet"),
        ),
    ],
    "part-00000",
)


def card_with_missing(at, missing):
    """A hub clone, of which a file that its card names was not fetched."""
    paths = ["data/train-00000-of-00002.parquet", missing]
    listed = "".join(f"    - {path}\n" for path in paths)
    files_of = f"\n  - split: train\n    path:\n{listed}  - split: test\n    path: data/test-*\n"
    write(
        at / "README.md",
        README.format(f"configs:\n- config_name: default\n  data_files:{files_of}"),
    )
    hub_parquet(at / paths[0], TRAIN[::2])
    hub_parquet(at / "data/test-00000-of-00001.parquet", TEST)


def clone_with_missing(at):
    hub_clone(at)
    (at / "data/train-00001-of-00002.parquet").unlink()


MERGED = Works(train=(*news(20), *news(20, start=40)), test=TEST, assumes="2 .*files|data_b|b.csv")
two(
    "split-folder-with-old-folder",
    lambda at: [
        csv_files(at, names=("train/data.csv", "test/data.csv")),
        csv_files(at, STALE, STALE, names=("train/old/data.csv",) * 2),
    ],
    r"old",
)
two(
    "split-folder-with-two",
    lambda at: [
        csv_files(at, news(20), TEST, names=("train/data_a.csv", "test/data.csv")),
        csv_files(at, news(20, start=40), (), names=("train/data_b.csv",) * 2),
        files(
            at,
            "csv",
            news(20, start=40),
            news(20, start=40),
            ("train/data_b.csv",) * 2,
            index=False,
        ),
    ],
    (MERGED, "data_a.*data_b"),
)
two(
    "card-names-a-missing-file",
    lambda at: card_with_missing(at, "data/extra.parquet"),
    "extra.parquet",
)
two("card-and-missing-shard", clone_with_missing, "of-00002|00001|shards")
two(
    "json-beside-validation-cut",
    lambda at: [
        write(at / "train.json", json.dumps(records(news(60)))),
        write(at / "validation.json", json.dumps(records(VALIDATION))),
    ],
    Works(train=news(60), validation=VALIDATION, test_fraction=0.25),
    test_fraction=0.25,
)
two(
    "json-and-test-stated",
    lambda at: [
        write(at / f"{n}.json", json.dumps(records(r)))
        for n, r in (("train", TRAIN), ("validation", VALIDATION), ("judge", TEST))
    ],
    Works(train=TRAIN, validation=VALIDATION, test=TEST),
    test_source="./judge.json",
)
two(
    "split-column-without-test",
    lambda at: pd.concat(
        [frame(TRAIN).assign(split="train"), frame(VALIDATION).assign(split="dev")]
    ).to_csv(at / "data.csv", index=False),
    (
        Works(train=TRAIN, validation=VALIDATION, test_fraction=0.2),
        Works(train=TRAIN, test=VALIDATION, assumes="dev"),
        "split|dev",
    ),
)
two(
    "split-column-beside-test-file",
    lambda at: [
        csv_files(
            at,
            pd.concat([frame(TRAIN).assign(split="train"), frame(VALIDATION).assign(split="dev")]),
            TEST,
        )
    ],
    (
        Works(train=TRAIN, validation=VALIDATION, test=TEST),
        Works(train=(*TRAIN, *VALIDATION), test=TEST),
        "split|dev",
    ),
)
two(
    "both-in-the-name",
    lambda at: [csv_files(at), (at / "train.csv").rename(at / "train_val.csv")],
    (Works(train=TRAIN, test=TEST, assumes="train_val"), "train"),
)


def beside_raw(at, *names):
    """The usual files, and others of these names, one folder down."""
    csv_files(at)
    for name in names:
        csv_files(at, STALE, STALE, names=(f"raw/{name}",) * 2)


# A folder's own files go before those of a folder in it: a backup must not stop a study.
two("raw-folder-beside", lambda at: beside_raw(at, "train.csv", "test.csv"))
two("raw-train-beside", lambda at: beside_raw(at, "train.csv"))
two(
    "test-one-folder-down",
    lambda at: csv_files(at, names=("train.csv", "csv/test.csv")),
    (NEWS, Works(train=TRAIN, test_fraction=0.2, assumes="csv"), "csv/test|folder csv"),
)
