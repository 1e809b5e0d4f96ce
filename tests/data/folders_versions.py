"""Folders of versions, folds and years, whose files are numbered but are no shards."""

from functools import partial

from tests.data.corpus import (
    TEST,
    TRAIN,
    Corpus,
    csv_files,
    news,
)

CORPUS = Corpus()
two = partial(CORPUS.add, "ambiguous files")


def numbered_files(*names, test="test.csv"):
    """Files of other rows each, whose names differ in a number."""

    def build(at):
        for i, name in enumerate(names):
            csv_files(at, news(20, start=40 * i), TEST, names=(name, test))

    return build


def folds(at):
    """Five-fold cross-validation: every train file holds the test rows of the others."""
    for i in range(1, 4):
        test = TRAIN[i::3]
        train = tuple(row for row in TRAIN if row not in test)
        csv_files(at, train, test, names=(f"train_{i}.csv", f"test_{i}.csv"))


two("versions", numbered_files("train_v1.csv", "train_v2.csv"), "train_v1.*train_v2")
two("versions-dotted", numbered_files("train-1.0.csv", "train-1.1.csv"), r"train-1\.0.*train-1\.1")
two("years", numbered_files("train_2019.csv", "train_2020.csv"), "train_2019.*train_2020")
two(
    "whole-and-second",
    numbered_files("train.csv", "train2.csv"),
    r"train\.csv.*train2|train2.*train\.csv",
)
two("folds", folds, "train_1|test_1|fold")
two(
    "fold-folders",
    lambda at: [
        folds(at),
        [
            (at / f"{n}_{i}.csv").rename(
                (at / f"fold{i}").mkdir(exist_ok=True) or at / f"fold{i}" / f"{n}.csv"
            )
            for i in range(1, 4)
            for n in ("train", "test")
        ],
    ],
    "fold1.*fold2",
)
two("seeds", numbered_files("train_seed1.csv", "train_seed2.csv"), "train_seed1.*train_seed2")
two("languages-in-names", numbered_files("train.de.csv", "train.en.csv"), r"train\.de.*train\.en")
