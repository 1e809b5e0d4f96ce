"""Which files are which split; folders as people have them are in the corpus."""

import json

import pytest

from agnews_ray.data.folders import find_splits, split_of
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import fails_to_scan, save_to_disk, three_classes


@pytest.fixture
def folder(tmp_path):
    """Return a function that makes a folder of empty files."""

    def make(names):
        made = tmp_path / "d"
        made.mkdir()
        for name in names.split():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).touch()
        return made

    return make


def names_of(group, folder):
    return " ".join(path.relative_to(folder).as_posix() for path in group.files) if group else ""


def refusal(folder, **spec):
    with pytest.raises(DataError) as caught:
        find_splits(folder, DataSpec(**spec))
    return caught.value


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


@pytest.mark.parametrize(
    ("names", "train", "test", "validation"),
    [
        ("train.csv test.csv dev.csv notes.txt", "train.csv", "test.csv", "dev.csv"),
        ("rows.csv", "rows.csv", "", ""),
        ("news/train.csv news/test.csv", "news/train.csv", "news/test.csv", ""),
        ("train/b.csv train/a.csv test/c.csv", "train/a.csv train/b.csv", "test/c.csv", ""),
        ("train.parquet/part-0.parquet", "train.parquet/part-0.parquet", "", ""),
        (
            "data/train-00000-of-00002.csv data/train-00001-of-00002.csv data/valid.csv",
            "data/train-00000-of-00002.csv data/train-00001-of-00002.csv",
            "",
            "data/valid.csv",
        ),
        ("train.csv .git/test.csv runs/test.csv _old/test.csv venv/train.csv", "train.csv", "", ""),
    ],
)
def test_splits_are_told_by_names_of_files_and_folders(folder, names, train, test, validation):
    made = folder(names)
    found = find_splits(made, DataSpec())
    assert [names_of(group, made) for group in (found.train, found.test, found.validation)] == [
        train,
        test,
        validation,
    ]


@pytest.mark.parametrize(
    ("names", "wanted", "found", "hint"),
    [
        ("train.csv train.jsonl", "one train split", "d/train.csv and d/train.jsonl", "--test-d"),
        (
            "train.csv test_a.csv test_b.csv",
            "one test split",
            "d/test_a.csv and d/test",
            "--test-d",
        ),
        ("train.csv dev.csv valid.csv", "one validation split", "d/dev.csv and d/valid", "none"),
        ("one/train.csv two/train.csv", "one dataset", "folders one and two", "d/one"),
        (
            "train.csv a/test.csv",
            "a test split beside the train file",
            "a/test.csv",
            "d/a/test.csv",
        ),
        ("train/a.csv train/x/b.csv", "the files of one split", "a.csv and x/b.csv", "keep one"),
        ("train/_delta_log/0.json", "a folder of data files", "a Delta table", "Parquet"),
        ("", "train.parquet, train.jsonl or train.csv", "nothing", "add the train file"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused(folder, names, wanted, found, hint):
    error = refusal(folder(names))
    assert error.wanted == wanted
    assert error.found.startswith(found)
    assert hint in error.hint


def test_a_setting_decides_between_two(folder):
    made = folder("one/train.csv two/train.csv two/dev.csv two/valid.csv")
    found = find_splits(made, DataSpec(config="two", validation_source="none"))
    assert (names_of(found.train, made), found.validation) == ("two/train.csv", None)
    assert found.notes == ("one/ not read",)


def test_a_validation_file_that_is_stated_as_test_is_not_both(folder):
    made = folder("train.csv dev.csv valid.csv")
    found = find_splits(made, DataSpec(test_source=str(made / "dev.csv")))
    assert names_of(found.validation, made) == "valid.csv"


def test_a_test_file_in_a_folder_beside_the_train_file_is_left_where_a_share_is_cut(folder):
    found = find_splits(folder("train.csv more/test.csv"), DataSpec(test_fraction=0.5))
    assert (found.test, found.notes) == (None, ("more/ not read",))


def test_test_files_of_two_formats_are_twins_of_which_the_train_files_format_is_read(folder):
    made = folder("train.jsonl test.csv test.jsonl")
    found = find_splits(made, DataSpec())
    assert names_of(found.test, made) == "test.jsonl"
    assert [names_of(twin, made) for twin in found.test_twins] == ["test.csv"]


def test_files_without_numbers_that_are_taken_together_are_said(folder):
    found = find_splits(folder("train/b.csv train/a.csv test/c.csv"), DataSpec())
    assert found.notes == ("2 files as one split of train/",)


@pytest.mark.parametrize("split", ["train", "everything"])
def test_a_saved_dataset_is_read_as_it_says(folder, split):
    made = folder("")
    save_to_disk(made / split, "data-00000-of-00001.arrow")
    (made / "dataset_dict.json").write_text(json.dumps({"splits": [split]}))
    found = find_splits(made, DataSpec())
    assert names_of(found.train, made) == f"{split}/data-00000-of-00001.arrow"
    (made / "train.csv").touch()
    error = refusal(made)
    assert (error.wanted, error.found) == ("one dataset", "one of save_to_disk and train.csv")


def test_the_default_configuration_of_a_card_is_said(folder):
    made = folder("a.csv b.csv")
    (made / "README.md").write_text(
        "---\nconfigs:\n- {config_name: a, data_files: {train: a.csv}}\n"
        "- {config_name: b, default: true, data_files: {train: b.csv}}\n---\n"
    )
    found = find_splits(made, DataSpec())
    assert (names_of(found.train, made), found.notes) == (
        "b.csv",
        ("configuration 'b', the default",),
    )
    found = find_splits(made, DataSpec(config="a"))
    assert (names_of(found.train, made), found.notes) == ("a.csv", ())


def test_a_missing_split_says_what_is_there(tmp_path):
    (three_classes(tmp_path / "d") / "train.csv").unlink()
    said = "want train.parquet, train.jsonl or train.csv, found test.csv"
    assert said in fails_to_scan(tmp_path / "d")


def test_a_test_file_beside_a_folder_is_refused_not_ignored(tmp_path):
    folder = three_classes(tmp_path / "d")
    said = fails_to_scan(folder, test_source=str(folder / "test.csv"))
    assert "drop --test-dataset" in said
