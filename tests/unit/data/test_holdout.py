from pathlib import Path

import numpy as np
import pytest

from agnews_ray.data.files import detect_layout
from agnews_ray.data.holdout import cut_test, rows_by_column
from agnews_ray.data.splits import cut_off, select_train_and_validation
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import scan, write

FILES = [Path("train.csv")]
LABELS = np.repeat([0, 1, 2], [50, 30, 20]).astype(np.int16)


@pytest.fixture
def by_column(tmp_path):
    """Return a function that writes rows with this column and asks for the splits it names."""

    def ask(words, column="split", num_files=1, **spec):
        path = tmp_path / "all.csv"
        lines = [f"text {i},{'ab'[i % 2]},{word}\n" for i, word in enumerate(words.split())]
        path.write_text(f"text,label,{column}\n{''.join(lines)}")
        layout = detect_layout(path, DataSpec())
        return rows_by_column([path] * num_files, layout, DataSpec(**spec))

    return ask


def test_a_cut_is_stratified_shares_no_row_and_is_said():
    kept, drawn, note = cut_test(FILES, LABELS, DataSpec(test_fraction=0.1, split_seed=7))
    assert np.bincount(LABELS[drawn]).tolist() == [5, 3, 2]
    assert sorted([*kept, *drawn]) == list(range(100))
    assert note == "test split: 0.1 of train.csv, stratified, seed 7"
    _, same, _ = cut_test(FILES, LABELS, DataSpec(test_fraction=0.1, split_seed=7))
    _, other, _ = cut_test(FILES, LABELS, DataSpec(test_fraction=0.1, split_seed=8))
    assert same.tolist() == drawn.tolist() != other.tolist()


def test_a_fifth_is_cut_unless_a_share_is_stated():
    _, drawn, note = cut_test([Path("a.csv"), Path("b.csv")], LABELS, DataSpec())
    assert (drawn.size, note) == (20, "test split: 0.2 of 2 train files, stratified, seed 42")


def test_the_rows_of_a_seed_stay_the_same_and_are_not_those_of_a_validation_split():
    _, drawn, _ = cut_test(FILES, LABELS, DataSpec())
    assert drawn.tolist() == cut_off(LABELS, 20, np.random.default_rng([42, 1])).tolist()
    _, validation = select_train_and_validation(LABELS, None, 0.2, 42)
    assert drawn.tolist() != validation.tolist()


def test_a_file_too_small_for_a_test_row_is_refused():
    with pytest.raises(DataError) as caught:
        cut_test(FILES, np.array([0, 1], dtype=np.int16), DataSpec())
    error = caught.value
    assert (error.where, error.wanted, error.found) == (
        "train.csv",
        "at least one test row",
        "none",
    )
    assert "--test-fraction" in error.hint


def test_a_column_may_name_the_splits(by_column):
    column, rows = by_column("train Test dev train testing train")
    assert column == "split"
    assert {name: of_split.tolist() for name, of_split in rows.items()} == {
        "train": [0, 3, 5],
        "test": [1, 4],
        "validation": [2],
    }
    assert by_column("train test", "Data Split")[0] == "Data Split"


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ("train test train", {"test_fraction": 0.5}),
        ("train test train", {"num_files": 2}),
        ("train test train", {"column": "remark"}),
        ("train train train", {}),
        ("web print web", {}),
    ],
)
def test_other_columns_name_no_splits(by_column, words, more):
    assert by_column(words, **more) is None


@pytest.mark.parametrize(
    ("words", "wanted", "found"),
    [
        ("train dev train", "a test split", "column 'split' says dev, train"),
        (
            "train test maybe train",
            "train, validation or test in column 'split'",
            "'maybe' in row 3",
        ),
    ],
)
def test_a_column_that_leaves_rows_or_the_test_split_out_is_refused(
    by_column, words, wanted, found
):
    with pytest.raises(DataError) as caught:
        by_column(words)
    error = caught.value
    assert (error.wanted, error.found) == (wanted, found)
    assert error.where.endswith("all.csv")
    assert "--test-fraction" in error.hint


def test_a_lone_file_is_cut_so_that_every_class_stays_in_train(tmp_path):
    folder = tmp_path / "d"
    write(folder, "train", [("a", 0), ("b", 1)] * 10 + [("c", 2)])
    scanned = scan(folder / "train.csv", test_fraction=0.5)
    train, test = set(scanned.train.rows.tolist()), set(scanned.test.rows.tolist())
    assert (len(train), len(test)) == (11, 10)
    assert not train & test
    assert scanned.record.train.class_counts == (5, 5, 1)
    assert scanned.record.assumptions == ("test split: 0.5 of train.csv, stratified, seed 42",)
    assert (scan(folder / "train.csv", test_fraction=0.5).test.rows == scanned.test.rows).all()
    by_default = scan(folder / "train.csv").record
    assert by_default.test.num_rows == 4
    assert by_default.fingerprint != scanned.record.fingerprint
