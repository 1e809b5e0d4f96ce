"""Folders that differ in how files lie and are called."""

from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.feather

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    VALIDATION,
    Corpus,
    Works,
    coded,
    csv_files,
    files,
    frame,
    news,
    titled,
    write,
)

CORPUS = Corpus()


add = partial(CORPUS.add, "layouts")


WITH_VALIDATION = Works(train=TRAIN, test=TEST, validation=VALIDATION)


STALE = news(20, start=300)


UUID = "c000-6f1b2a9e-5d0c-4b5f-9a52-0f3c1d2e4a77-c000"


def hub_rows(rows: object) -> object:
    """A ``datasets`` table whose labels are ClassLabels, as hub data sets have."""
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(AG))}
    )
    table = coded(rows)
    return datasets.Dataset.from_dict(table.to_dict("list"), features=features)


def hub_parquet(path: Path, rows: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hub_rows(rows).to_parquet(str(path))


README = """---
license: mit
{}task_categories:
- text-classification
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': Business
          '1': Sci/Tech
          '2': Sports
          '3': World
  splits:
  - name: train
    num_examples: 40
  - name: test
    num_examples: 12
---
# Dataset Card
"""


CONFIG = """configs:
- config_name: {}
  data_files:
  - split: train
    path: {}/train-*
  - split: test
    path: {}/test-*
"""


def hub_clone(at: Path) -> None:
    write(at / "README.md", README.format(CONFIG.format("default", "data", "data")))
    write(at / ".gitattributes", "*.parquet filter=lfs diff=lfs merge=lfs -text\n")
    write(at / ".git/config", "[core]\n")
    hub_parquet(at / "data/train-00000-of-00002.parquet", TRAIN[:25])
    hub_parquet(at / "data/train-00001-of-00002.parquet", TRAIN[25:])
    hub_parquet(at / "data/test-00000-of-00001.parquet", TEST)


def hub_plain(at: Path, folder: str = "data") -> None:
    """Parquet without the features' names: these stand in the README alone."""
    write(at / "README.md", README.format(CONFIG.format("default", folder, folder)))
    names = (f"{folder}/train-00000-of-00001.parquet", f"{folder}/test-00000-of-00001.parquet")
    files(at, "parquet", coded(TRAIN), coded(TEST), names)


def hub_custom_names(at: Path) -> None:
    config = CONFIG.replace("/train-*", "/learn.csv").replace("/test-*", "/judge.csv")
    write(at / "README.md", README.format(config.format("default", "v2", "v2")))
    csv_files(at, coded(TRAIN), coded(TEST), names=("v2/learn.csv", "v2/judge.csv"))


def hub_two_configs(at: Path, marked: bool = False) -> None:
    first, second = CONFIG.format("full", "full", "full"), CONFIG.format("small", "small", "small")
    if marked:
        first = first.replace("full\n  data_files", "full\n  default: true\n  data_files")
    write(at / "README.md", README.format(first + second.removeprefix("configs:\n")))
    for folder, rows in (("full", TRAIN), ("small", TRAIN[:20])):
        hub_parquet(at / folder / "train-00000-of-00001.parquet", rows)
        hub_parquet(at / folder / "test-00000-of-00001.parquet", TEST)


def converted(at: Path) -> None:
    hub_parquet(at / "default/train/0000.parquet", TRAIN)
    hub_parquet(at / "default/test/0000.parquet", TEST)


def snapshot(at: Path) -> None:
    """The hub cache's ``snapshots``: links to blobs without an ending."""
    for name, rows in (("train", TRAIN), ("test", TEST)):
        blob = at.parent / "blobs" / f"{at.name}-{name}"
        hub_parquet(blob, rows)
        (at / "data").mkdir(exist_ok=True)
        (at / f"data/{name}-00000-of-00001.parquet").symlink_to(blob)


def saved_to_disk(at: Path, validation: bool = False, **options: object) -> None:
    import datasets

    parts = {"train": hub_rows(TRAIN), "test": hub_rows(TEST)}
    if validation:
        parts["validation"] = hub_rows(VALIDATION)
    datasets.DatasetDict(parts).save_to_disk(str(at), **options)


def unsupervised(at: Path) -> None:
    hub_parquet(at / "data/train-00000-of-00001.parquet", TRAIN)
    hub_parquet(at / "data/test-00000-of-00001.parquet", TEST)
    table = coded(STALE).assign(label=-1)
    files(at, "parquet", table, table, ("data/unsupervised-00000-of-00001.parquet",) * 2)


def spark(at: Path, form: str, inside: str = "{split}", ending: str = "") -> None:
    ending = ending or f".{form}"
    for split, rows in (("train", TRAIN), ("test", TEST)):
        folder = inside.format(split=split)
        for part in range(2):
            half = rows[part::2]
            name = f"{folder}/part-{part:05d}-{UUID}{ending}"
            options = {"orient": "records", "lines": True} if form == "json" else {"index": False}
            files(at, form, half, half, (name, name), **options)
            write(at / folder / f".part-{part:05d}-{UUID}{ending}.crc", b"crc\0")
        write(at / folder / "_SUCCESS", "")
        write(at / folder / "._SUCCESS.crc", b"crc\0")


def text_per_file(at: Path, ending: str = ".txt", unsupervised: bool = False) -> None:
    """IMDB and 20 Newsgroups: a folder for each class, a file for each text."""
    for split, rows in (("train", TRAIN), ("test", TEST)):
        for i, (text, label) in enumerate(rows):
            write(at / split / label.replace("/", "-") / f"{i}{ending}", text)


def three(at: Path, name: str, form: str = "csv", **options: object) -> None:
    csv_files(at, names=(f"train.{form}", f"test.{form}"), **options)
    csv_files(at, VALIDATION, VALIDATION, names=(f"{name}.{form}",) * 2, **options)


def beside(name: str, content: str | bytes = "x", also: str = "") -> object:
    def build(at: Path) -> None:
        csv_files(at)
        write(at / name, content)
        if also:
            write(at / also, content)

    return build


def named(train: str, test: str, **options: object) -> object:
    return lambda at: csv_files(at, names=(train, test), **options)


add("plain", csv_files)
add("published", lambda at: published(at))
add("hub-clone", hub_clone)
add("hub-clone-names-in-readme", hub_plain)
add("hub-clone-own-file-names", hub_custom_names)
add("hub-clone-two-configs", hub_two_configs, "full.*small|small.*full")
add("hub-clone-default-config", lambda at: hub_two_configs(at, True))
add("hub-clone-csv-in-root", beside("README.md", README.format("")))
add("hub-clone-csv-in-data", named("data/train.csv", "data/test.csv"))
add("hub-converted-parquet", converted)
add("hub-cache-snapshot", snapshot)
add("hub-clone-unsupervised", unsupervised)
add("languages", lambda at: languages(at), "en.*de|de.*en")
add("saved-to-disk", saved_to_disk)
add("saved-to-disk-shards", lambda at: saved_to_disk(at, num_shards={"train": 3, "test": 1}))
add("saved-to-disk-validation", lambda at: saved_to_disk(at, True), WITH_VALIDATION)
add(
    "saved-to-disk-one-split",
    lambda at: hub_rows(TRAIN).save_to_disk(str(at)),
    Works(train=TRAIN, test_fraction=0.25),
    test_fraction=0.25,
)
add("train-and-test-folders", named("train/data.csv", "test/data.csv"))
add("spark-parquet", lambda at: spark(at, "parquet", ending=".snappy.parquet"))
add("spark-parquet-dot", lambda at: spark(at, "parquet", "{split}.parquet", ".snappy.parquet"))
add("spark-csv", lambda at: spark(at, "csv", "{split}.csv"))
add("spark-json", lambda at: spark(at, "json", "{split}.json"))
add("spark-json-folder", lambda at: spark(at, "json"))
add("prefixed", named("ag_news_train.csv", "ag_news_test.csv"))
add("prefixed-dash", named("news-train.tsv", "news-test.tsv", sep="\t"))
add("prefixed-dot", named("r8.train.tsv", "r8.test.tsv", sep="\t"))
add("suffixed", named("train_news.csv", "test_news.csv"))
add("upper-case", named("TRAIN.CSV", "TEST.CSV"))
add("title-case", named("Train.csv", "Test.csv"))
add("training-testing", named("training.csv", "testing.csv"))
add("dev", lambda at: three(at, "dev", "tsv", sep="\t"), WITH_VALIDATION)
add("valid", lambda at: three(at, "valid"), WITH_VALIDATION)
add("val", lambda at: three(at, "val"), WITH_VALIDATION)
add("eval", lambda at: three(at, "eval"), WITH_VALIDATION)
add("validation", lambda at: three(at, "validation"), WITH_VALIDATION)
add("prefixed-val", lambda at: three(at, "news_val"), WITH_VALIDATION)
add(
    "train-and-dev-only",
    named("train.csv", "dev.csv"),
    (
        Works(train=TRAIN, test=TEST, assumes="dev"),
        Works(train=TRAIN, validation=TEST, test_fraction=0.2, assumes="test"),
        "test",
    ),
)
add("one-folder-deeper", named("ag_news_csv/train.csv", "ag_news_csv/test.csv"), (NEWS, "ag_news"))
add("kinds-mixed", lambda at: mixed_kinds(at))
add("spaces-and-accents", lambda at: csv_files(at / "mes données [v1]"), source="mes données [v1]")
add("one-file", named("train.csv", "test.csv"), source="train.csv", test_source="./test.csv")
add(
    "feather",
    lambda at: [
        pyarrow.feather.write_feather(frame(rows), at / f"{name}.feather")
        for name, rows in (("train", TRAIN), ("test", TEST))
    ],
    (NEWS, "feather|parquet"),
)
add("arrow-stream-file", lambda at: arrow_files(at), (NEWS, "arrow|parquet"))
add(
    "text-per-file",
    text_per_file,
    (Works(train=TRAIN, test=TEST), "a file for each|one file|\\.txt|folder"),
)
add("text-per-file-no-ending", lambda at: text_per_file(at, ""), "file for each")
add("split-column", lambda at: split_column(at), (NEWS, "split|test"))


def published(at: Path) -> None:
    """AG News as its authors give it: no header, class from 1, title, description."""
    for name, rows in (("train", TRAIN), ("test", TEST)):
        table = titled(rows)
        table["label"] = [AG.index(label) + 1 for label in table["label"]]
        table.to_csv(at / f"{name}.csv", index=False, header=False, quoting=1)
    write(at / "classes.txt", "\n".join(AG) + "\n")
    write(at / "readme.txt", "AG's News Topic Classification Dataset\n")


def languages(at: Path) -> None:
    for language in ("en", "de"):
        csv_files(at / language, names=("train.csv", "test.csv"))


def mixed_kinds(at: Path) -> None:
    csv_files(at, names=("gone.csv", "test.csv"))
    (at / "gone.csv").unlink()
    frame(TRAIN).to_json(at / "train.jsonl", orient="records", lines=True)


def arrow_files(at: Path) -> None:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        table = pyarrow.Table.from_pandas(frame(rows))
        with pyarrow.ipc.new_file(at / f"{name}.arrow", table.schema) as out:
            out.write_table(table)


def split_column(at: Path) -> None:
    both = pd.concat([frame(TRAIN).assign(split="train"), frame(TEST).assign(split="test")])
    both.to_csv(at / "data.csv", index=False)
