"""What folders say of themselves; clones of published datasets are in the corpus."""

import json

import pytest

from agnews_ray.data.cards import card_splits, default_of_several, saved_files, saved_splits
from agnews_ray.errors import DataError
from tests.fakes.datasets import save_to_disk


@pytest.fixture
def clone(tmp_path):
    """Return a function that writes a card with this front matter, and empty files beside it."""

    def write(matter, *names):
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        (tmp_path / "README.md").write_text(f"---\n{matter}\n---\n# News\n")
        return tmp_path

    return write


def splits_of(folder, wanted=None):
    found, _ = card_splits(folder, wanted)
    return found and {
        split: [path.relative_to(folder).as_posix() for path in files]
        for split, files in found.items()
    }


def test_a_saved_dataset_names_its_files_in_order(tmp_path):
    save_to_disk(tmp_path / "d" / "train", "b.arrow", "a.arrow")
    save_to_disk(tmp_path / "d" / "test", "c.arrow")
    (tmp_path / "d" / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    train = (tmp_path / "d" / "train" / "b.arrow", tmp_path / "d" / "train" / "a.arrow")
    assert saved_splits(tmp_path / "d") == {
        "train": train,
        "test": (tmp_path / "d" / "test" / "c.arrow",),
    }
    assert saved_splits(tmp_path / "d" / "train") == {"train": train}
    assert saved_files(tmp_path / "d") is None
    assert saved_splits(tmp_path) is None


def test_a_saved_dataset_that_lacks_a_part_is_refused(tmp_path):
    save_to_disk(tmp_path / "train", "a.arrow")
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    with pytest.raises(DataError) as caught:
        saved_splits(tmp_path)
    error = caught.value
    assert (error.where, error.wanted, error.found) == (
        str(tmp_path),
        "a split 'test' as saved",
        "no state.json",
    )
    (tmp_path / "train" / "a.arrow").unlink()
    with pytest.raises(DataError, match=r"train: want a\.arrow as saved, found none; copy"):
        saved_splits(tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        "{train: [a/1.csv, a/2.csv], test: b.csv}",
        "[{split: train, path: 'a/*.csv'}, {split: test, path: b.csv}]",
    ],
)
def test_a_card_says_which_files_are_which_split(clone, files):
    folder = clone(f"configs: [{{data_files: {files}}}]", "a/2.csv", "a/1.csv", "b.csv", "c.csv")
    assert splits_of(folder) == {"train": ["a/1.csv", "a/2.csv"], "test": ["b.csv"]}


@pytest.mark.parametrize(
    "matter",
    [
        "license: mit",
        "configs: [{data_files: '*.csv'}]",  # the names say the splits
        "configs: [{data_files: {train: 'no/*.csv'}}]",
        "configs: [{data_files: {train: 'https://example.org/a.csv'}}]",
        "configs: [",
        "- a list",
    ],
)
def test_a_card_may_say_nothing_of_splits(clone, matter):
    assert card_splits(clone(matter, "a.csv"), None) == (None, None)


def test_a_folder_without_a_card_says_nothing(tmp_path):
    assert card_splits(tmp_path, None) == (None, None)
    (tmp_path / "README.md").write_text("configs: [{data_files: {train: a.csv}}]\n")
    assert card_splits(tmp_path, None) == (None, None)


TWO = "configs:\n- {config_name: a, data_files: {train: a.csv}}\n- {config_name: b, data_dir: in"


def test_of_several_configurations_one_is_chosen(clone):
    folder = clone(f"{TWO}, data_files: {{train: b.csv}}}}", "a.csv", "in/b.csv")
    assert splits_of(folder, "b") == {"train": ["in/b.csv"]}
    for wanted, asked in ((None, "one configuration"), ("c", "a configuration 'c'")):
        with pytest.raises(DataError) as caught:
            card_splits(folder, wanted)
        error = caught.value
        assert (error.where, error.wanted, error.found) == (str(folder), asked, "a, b")
        assert "--config a" in error.hint


def test_the_default_of_several_configurations_is_named(clone):
    folder = clone(f"{TWO}, default: true, data_files: {{train: b.csv}}}}", "in/b.csv")
    assert splits_of(folder) == {"train": ["in/b.csv"]}
    assert default_of_several(folder) == "b"
    assert default_of_several(clone("configs: [{config_name: a, default: true}]")) is None
    assert default_of_several(clone("configs: [{config_name: a}, {config_name: default}]")) == (
        "default"
    )


def test_a_file_that_only_the_card_has_is_refused(clone):
    with pytest.raises(DataError) as caught:
        splits_of(clone("configs: [{data_files: {train: a.csv, test: gone.csv}}]", "a.csv"))
    error = caught.value
    assert (error.wanted, error.found) == ("gone.csv, which the card names", "no such file")


def feature(names, config="a"):
    return (
        f"- {{config_name: {config}, features: [{{name: text, dtype: string}}, "
        f"{{name: label, dtype: {{class_label: {{names: {names}}}}}}}]}}\n"
    )


@pytest.mark.parametrize(
    ("infos", "wanted", "names"),
    [
        (feature("[World, Sports]"), None, ("World", "Sports")),
        (feature("{'10': k, '2': c, '0': a}"), None, ("a", "c", "k")),  # as numbers
        (feature("[1, 2]"), None, ("1", "2")),
        (feature("[w, x]") + feature("[y, z]", "b"), "b", ("y", "z")),
        (feature("[w, x]") + feature("[y, z]", "b"), None, None),
        (feature("[]"), None, None),
        (feature("{World: 0, Sports: 1}"), None, None),  # not numbers
    ],
)
def test_class_names_are_those_of_the_configuration_in_label_order(clone, infos, wanted, names):
    assert card_splits(clone(f"dataset_info:\n{infos}"), wanted) == (None, names)


@pytest.mark.parametrize(
    "matter",
    [
        {"configs": [{"config_name": "default", "data_dir": "../other"}]},
        {"configs": [{"config_name": "default", "data_files": "../other/*.csv"}]},
    ],
)
def test_a_card_cannot_name_files_outside(tmp_path, matter):
    (tmp_path / "README.md").write_text(f"---\n{json.dumps(matter)}\n---\n")
    with pytest.raises(DataError, match="files inside the folder"):
        card_splits(tmp_path, None)


def test_a_saved_dataset_cannot_name_files_outside(tmp_path):
    (tmp_path / "x.arrow").touch()
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "state.json").write_text('{"_data_files": [{"filename": "../x.arrow"}]}')
    with pytest.raises(DataError, match="files inside the folder"):
        saved_files(folder)
    (folder / "dataset_dict.json").write_text('{"splits": ["../"]}')
    with pytest.raises(DataError, match="files inside the folder"):
        saved_splits(folder)
