"""What the names of files and folders say of splits and shards."""

import zipfile
from pathlib import Path

import pytest

from agnews_ray.data.compression import members
from agnews_ray.data.folders import split_of
from agnews_ray.data.shards import data_files, group_files, need_all_shards
from agnews_ray.errors import DataError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("TestSet.json", "test"),
        ("myTrainData.csv", "train"),
        ("news_test_v2.parquet", "test"),
        ("dev.tsv", "validation"),
        ("training", "train"),
        ("train_test.csv", None),
        ("news.csv", None),
        ("trainer.csv", None),
    ],
)
def test_a_name_says_one_split_or_none(name, split):
    assert split_of(name) == split


def test_shards_are_in_the_order_of_their_numbers(tmp_path):
    names = ["train-10.csv", "train-2.csv", "train-1.csv", "a.csv", "10.csv", "9.csv"]
    for name in names:
        (tmp_path / name).touch()
    for left_out in (".hidden.csv", "_log.csv", "~train.csv", "README.txt", "classes.txt"):
        (tmp_path / left_out).touch()
    found = [path.name for path in data_files(tmp_path)]
    assert found == ["a.csv", "train-1.csv", "train-2.csv", "train-10.csv", "9.csv", "10.csv"]


def test_shards_of_one_export_are_one_table():
    paths = [Path(f"d/train-0000{i}-of-00002.csv") for i in range(2)]
    (group,) = group_files(paths)
    assert group.files == tuple(paths)
    assert group.name == "d/train-00000-of-00002.csv and 1 more"


def test_shards_of_two_exports_are_refused():
    paths = [Path("d/train-00000-of-00002.csv"), Path("d/train-00001-of-00003.csv")]
    with pytest.raises(DataError) as caught:
        need_all_shards(paths)
    assert caught.value.where == "d"
    assert caught.value.found == "train-00000-of-00002.csv and train-00001-of-00003.csv"


def test_of_an_archive_only_its_own_files_count(tmp_path):
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("train.csv", "__MACOSX/train.csv", "sub/.hidden.csv", "sub/"):
            archive.writestr(name, "x")
    assert members(path) == ["train.csv"]
