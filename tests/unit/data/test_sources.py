"""Files that flags name beside a source, and paths to nothing."""

import pytest

from agnews_ray.data.sources import resolve_source
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec


@pytest.fixture
def rows(tmp_path):
    """A train file alone, and a folder with train, validation and test."""
    (tmp_path / "folder").mkdir()
    for path in ("alone.csv", "folder/train.csv", "folder/validation.csv", "folder/test.csv"):
        (tmp_path / path).write_text("text,label\na,0\nb,1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "changes", "wanted", "found", "hint"),
    [
        (
            "folder",
            {"test_source": "alone.csv"},
            "one test split",
            "folder/test.csv as well as --test-dataset",
            "drop --test-dataset",
        ),
        (
            "alone.csv",
            {"test_source": "no.csv"},
            "a data file",
            "no such file or folder",
            "--test-d",
        ),
        (
            "alone.csv",
            {"validation_source": "no"},
            "a data file",
            "no such file or",
            "--validation",
        ),
        ("folder", {"test_fraction": 0.5}, "one test split", "test.csv too", "--test-fraction"),
        (
            "folder",
            {"validation_fraction": 0.5},
            "one validation split",
            "validation.csv",
            "--validation none",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_together_is_refused(rows, source, changes, wanted, found, hint):
    named = {key: str(rows / value) for key, value in changes.items() if key.endswith("source")}
    spec = DataSpec(source=str(rows / source), **{**changes, **named})
    with pytest.raises(DataError) as caught:
        resolve_source(spec, rows)
    error = caught.value
    missing = [path for path in named.values() if "no" in path.rpartition("/")[2]]
    assert error.where == (missing or [spec.source])[0]
    assert error.wanted == wanted
    assert error.found.startswith(found)
    assert hint in error.hint


def test_a_stated_file_takes_its_place(rows):
    alone = str(rows / "alone.csv")
    found = resolve_source(DataSpec(source=alone, test_source=str(rows / "folder/test.csv")), rows)
    assert found.test == (rows / "folder" / "test.csv",)
    found = resolve_source(DataSpec(source=str(rows / "folder"), validation_source="none"), rows)
    assert found.validation == ()


@pytest.mark.parametrize("source", ["./nowhere", "/no/such/folder", "nowhere.csv"])
def test_a_path_to_nothing_is_not_asked_of_the_hub(tmp_path, source):
    with pytest.raises(DataError, match="no such file or folder"):
        resolve_source(DataSpec(source=source), tmp_path)


def test_class_names_in_a_damaged_file_are_refused(rows, tmp_path):
    (rows / "folder/classes.txt").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="want class names, one a line, found File is not a zip"):
        resolve_source(DataSpec(source=str(rows / "folder")), tmp_path / "cache")
