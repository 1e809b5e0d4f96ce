"""Folders as the hub, engines, browsers and sync tools leave them."""

import shutil
from functools import partial

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Works,
    coded,
    csv_files,
    csv_text,
    files,
    frame,
    news,
    numbered,
    write,
)
from tests.data.folders_layouts import README, hub_parquet, hub_rows
from tests.data.folders_published import ALL, CUT, PARTS

CORPUS = Corpus()
add = partial(CORPUS.add, "exports")


def hub_cache(at):
    """What load_dataset keeps in its own cache."""
    for name, rows in PARTS:
        hub_rows(rows).save_to_disk(str(at / "x" / name))
        arrow = next((at / "x" / name).glob("*.arrow"))
        arrow.rename(at / f"ag_news-{name}.arrow")
        (at / "x" / name / "dataset_info.json").replace(at / "dataset_info.json")
    shutil.rmtree(at / "x")


def partitioned(at, key):
    for name, rows in PARTS:
        for label in AG:
            some = frame([row for row in rows if row[1] == label])[["text"]]
            files(
                at,
                "parquet",
                some,
                some,
                (f"{name}/{key}={label.replace('/', '%2F')}/p.parquet",) * 2,
            )


def delta(at):
    """A Delta table that was overwritten: its old file is still there."""
    for name, rows in PARTS:
        files(
            at,
            "parquet",
            news(8, start=400),
            rows,
            (f"{name}/part-0-a.parquet", f"{name}/part-0-b.parquet"),
        )
        write(
            at / name / "_delta_log/00000000000000000001.json",
            '{"remove":{"path":"part-0-a.parquet"}}\n',
        )


def config(data_files):
    return README.format(f"configs:\n- config_name: default\n  data_files:{data_files}\n")


SPLIT = "  - split: {split}\n    path: {path}\n"


def two_languages(at, german=TRAIN):
    """A hub data set whose README names two configurations."""
    configs = "configs:\n"
    for name, rows in (("en", TRAIN), ("de", german)):
        configs += f"- config_name: {name}\n  data_files:\n"
        for split in ("train", "test"):
            configs += SPLIT.format(split=split, path=f"{name}/{split}.csv")
        csv_files(at / name, rows, TEST)
    write(at / "README.md", README.format(configs))


def listed_paths(at):
    """A hub data set whose README lists the files of a split."""
    paths = "\n  - split: train\n    path:\n    - a/one.csv\n    - a/two.csv\n"
    write(at / "README.md", config(paths + SPLIT.format(split="test", path="b/three.csv")))
    csv_files(at, TRAIN[:9], TRAIN[9:], names=("a/one.csv", "a/two.csv"))
    csv_files(at, TEST, TEST, names=("b/three.csv",) * 2)


add("hub-cache-arrow", hub_cache)
add(
    "hub-loading-script",
    lambda at: [
        write(at / "ag_news.py", "import datasets\n"),
        csv_files(at / "data", names=("train.csv", "test.csv")),
    ],
)
add(
    "hub-one-pattern", lambda at: [write(at / "README.md", config(' "*.csv"')), csv_files(at)], NEWS
)
add("hub-paths-in-a-list", listed_paths)
add(
    "hub-only-train",
    lambda at: [
        write(at / "README.md", config("\n  - split: train\n    path: data/train-*")),
        hub_parquet(at / "data/train-00000-of-00001.parquet", ALL),
    ],
    CUT,
    test_fraction=0.25,
)
add("hub-config-stated", lambda at: two_languages(at, TRAIN[:8]), NEWS, config="en")
add("hub-config-unknown", two_languages, "en.*de|de.*en", config="fr")
add(
    "hub-readme-broken",
    lambda at: [write(at / "README.md", "---\nconfigs: [\n---\n# News\n"), csv_files(at)],
    (NEWS, "README"),
)
add(
    "hub-split-names",
    lambda at: [
        write(
            at / "README.md",
            config(
                "\n  - split: training\n    path: a.csv\n  - split: evaluation\n    path: b.csv"
            ),
        ),
        csv_files(at, names=("a.csv", "b.csv")),
    ],
    (NEWS, Works(train=TRAIN, test=TEST, assumes="eval"), "training|evaluation|test"),
)
add("hive-by-label", lambda at: partitioned(at, "label"), (NEWS, "label"))
add(
    "hive-by-split",
    lambda at: files(at, "parquet", names=("split=train/0.parquet", "split=test/0.parquet")),
    (NEWS, "train"),
)
add(
    "duckdb-folder",
    lambda at: files(at, "parquet", names=("train/data_0.parquet", "test/data_0.parquet")),
)
add(
    "bigquery-export",
    lambda at: files(
        at,
        "json",
        names=("train000000000000.json", "test000000000000.json"),
        orient="records",
        lines=True,
    ),
    (NEWS, "train"),
)
add(
    "dask-parts",
    lambda at: csv_files(at, names=("train/0.part", "test/0.part")),
    (NEWS, "train|part"),
)
add("delta-table", delta, (NEWS, "delta|part-0"))
add(
    "partial-download",
    lambda at: [csv_files(at), (at / "train.csv").rename(at / "train.csv.part")],
    "train",
)
add(
    "partial-download-beside",
    lambda at: [csv_files(at), write(at / "train.csv.crdownload", "text,la")],
)
add(
    "dropbox-conflict",
    lambda at: [
        csv_files(at),
        write(at / "train (Ann's conflicted copy 2024-01-05).csv", csv_text(TRAIN[:9])),
    ],
    (Works(train=TRAIN, test=TEST, assumes="conflicted"), "conflicted"),
)
add(
    "tfrecord",
    lambda at: [write(at / f"{n}.tfrecord", b"\x0c\0\0\0") for n, _ in PARTS],
    "train|tfrecord",
)
add(
    "coded-json-lines",
    lambda at: files(
        at,
        "json",
        coded(TRAIN),
        coded(TEST),
        ("train.jsonl", "test.jsonl"),
        orient="records",
        lines=True,
    ),
    numbered(),
)
