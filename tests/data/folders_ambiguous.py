"""Folders with two files, or two folders, that could both be meant."""

from functools import partial
from pathlib import Path

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Works,
    csv_files,
    files,
)
from tests.data.folders_layouts import STALE, UUID, saved_to_disk, spark, three

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
two(
    "two-generations-of-shards",
    stale(
        "x/train-00000-of-00001.csv",
        also=("x/train-00000-of-00002.csv", "x/train-00001-of-00002.csv"),
    ),
    BOTH.format("x") + "|of-0000[12]",
)
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
