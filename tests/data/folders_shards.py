"""Folders whose splits are cut into several files."""

from functools import partial
from pathlib import Path

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    csv_files,
    files,
    frame,
)
from tests.data.folders_layouts import hub_parquet

CORPUS = Corpus()
add = partial(CORPUS.add, "layouts")


def shards(*names: str, test: str = "test.csv", header: bool = True, **options: object) -> object:
    def build(at: Path) -> None:
        for i, name in enumerate(names):
            half = frame(TRAIN[i :: len(names)])
            first = {"header": header or i == 0, **options}
            files(at, "csv", half, TEST, (name, test), index=False, **first)
        files(at, "csv", TEST, TEST, (test, test), index=False, **options)

    return build


add("shards-underscore", shards("train_1.csv", "train_2.csv"), (NEWS, "train_1"))
add("shards-part", shards("train-part1.csv", "train-part2.csv"), (NEWS, "train-part"))
add("shards-ten-and-two", shards(*(f"train-{i}.csv" for i in range(12))))
add(
    "shards-header-once",
    shards("train-0.csv", "train-1.csv", header=False),
    (NEWS, "train-1|header"),
)
add("shards-columns-turned", lambda at: turned_shards(at))
add("shard-missing", lambda at: hub_part(at), "00001|of-00002|shard")
add("shard-missing-middle", lambda at: hub_part(at, 3), "00001|of-00003|shard")


def hub_part(at: Path, of: int = 2) -> None:
    for part in {0, of - 1} - {1}:
        hub_parquet(at / f"data/train-{part:05d}-of-{of:05d}.parquet", TRAIN[part::of])
    hub_parquet(at / "data/test-00000-of-00001.parquet", TEST)


def turned_shards(at: Path) -> None:
    csv_files(at, TRAIN[:20], TEST, names=("train-0.csv", "test.csv"))
    csv_files(at, frame(TRAIN[20:])[["label", "text"]], TEST, names=("train-1.csv", "test.csv"))
