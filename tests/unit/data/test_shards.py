from pathlib import Path

import pytest

from agnews_ray.data.shards import (
    Group,
    data_files,
    group_files,
    is_unnumbered,
    need_all_shards,
    refuse_two_jobs,
    say_all,
    stem_and_ending,
)
from agnews_ray.errors import DataError


def paths(names):
    return [Path("d") / name for name in names.split()]


def refusal(check, *given):
    with pytest.raises(DataError) as caught:
        check(*given)
    error = caught.value
    assert error.where == "d"
    return error.wanted, error.found


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


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ("train-0.csv train-1.csv train-2.csv", [3]),
        ("train_001.csv train_002.csv", [2]),
        ("train_01.csv train_02.csv", [1, 1]),  # folds or versions
        ("train-0.csv train-2.csv", [1, 1]),  # one between them is missing
        ("train-0.csv train-1.json", [1, 1]),
        ("train-0.csv train-1.csv.gz", [1, 1]),
        ("train_v1.csv train_v2.csv", [1, 1]),
        ("train.csv train-0.csv", [1, 1]),
    ],
)
def test_only_numbers_that_count_from_the_first_make_shards(names, groups):
    assert [len(group.files) for group in group_files(paths(names))] == groups


def test_shards_of_two_exports_are_refused():
    paths = [Path("d/train-00000-of-00002.csv"), Path("d/train-00001-of-00003.csv")]
    with pytest.raises(DataError) as caught:
        need_all_shards(paths)
    assert caught.value.where == "d"
    assert caught.value.found == "train-00000-of-00002.csv and train-00001-of-00003.csv"


def test_a_missing_shard_is_counted():
    names = paths("train-00000-of-00003.csv train-00002-of-00003.csv")
    said = ("3 shards", "2 of them beside train-00000-of-00003.csv")
    assert refusal(need_all_shards, names) == said
    assert refusal(group_files, names) == said


def test_two_jobs_in_one_folder_are_refused_but_not_the_files_of_one():
    one = paths("part-00000-a.csv part-00001-a.csv part-00001-a.csv.crc")
    assert refuse_two_jobs(Path("d"), one) is None
    wanted, found = refusal(refuse_two_jobs, Path("d"), paths("part-00000-a.csv part-00000-b.csv"))
    assert (wanted, found) == ("one part-00000", "part-00000-a.csv and part-00000-b.csv")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("a.csv b.csv", True),
        ("part-0.csv part-1.csv", False),
        ("x_001.csv x_002.csv", False),
        ("x-0-of-2.csv x-1-of-2.csv", False),
        ("x-001.csv rest.csv", True),
        ("a.csv", False),
    ],
)
def test_files_whose_names_do_not_say_that_they_are_parts_are_told(names, expected):
    assert is_unnumbered(Group(tuple(paths(names)))) is expected


def test_files_taken_as_one_split_are_said():
    files = tuple(paths("a.csv b.csv"))
    assert say_all(Group(files)) == "2 files as one split, a.csv first"
    assert say_all(Group(files, is_folder=True)) == "2 files as one split of d/"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Train.CSV.GZ", ("Train", ".csv.gz")),
        ("train.v2.jsonl", ("train.v2", ".jsonl")),
        ("train", ("train", "")),
    ],
)
def test_an_ending_has_that_of_the_compression(name, expected):
    assert stem_and_ending(Path(name)) == expected
