import numpy as np
import pytest

from agnews_ray.data.coverage import describe_missing, refuse_low_limit
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import fails_to_scan, scan, write


def ids(*labels):
    return np.array(labels, dtype=np.int16)


def test_a_limit_may_be_as_low_as_the_number_of_classes_that_occur():
    labels = ids(0, 2, 2, 5)
    refuse_low_limit(DataSpec(limit_train=None), labels)
    refuse_low_limit(DataSpec(limit_train=3), labels)
    with pytest.raises(DataError) as caught:
        refuse_low_limit(DataSpec(source="news", limit_train=2), labels)
    error = caught.value
    assert (error.where, error.found) == ("news", "limit_train 2")
    assert error.wanted == "a train row of each of its 3 classes"
    assert "--limit-train 3" in error.hint


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ids(0, 1, 2, 3, 4), ()),
        (ids(), ()),
        (ids(4, 4, 3), ("the test rows used (3) have none of 3 of 5 classes: a, b, c",)),
        (ids(4), ("the test rows used (1) have none of 4 of 5 classes, such as a, b, c",)),
    ],
)
def test_classes_without_rows_are_counted_and_three_are_named(rows, said):
    assert describe_missing({"test": rows}, list("abcde")) == said


def test_each_split_has_a_sentence_of_its_own_and_long_names_are_cut():
    splits = {"train": ids(0), "validation": ids(0, 1), "test": ids(1)}
    assert describe_missing(splits, ["x" * 31, "b"]) == (
        "the train rows used (1) have none of 1 of 2 classes: b",
        f"the test rows used (1) have none of 1 of 2 classes: {'x' * 30}",
    )


def test_a_train_sample_has_a_row_of_each_class_or_is_refused(tmp_path):
    rows = [(f"text {i}", f"c{i % 30:02}" if i < 90 else "c00") for i in range(600)]
    write(tmp_path / "d", "train", rows)
    write(tmp_path / "d", "test", rows[:60])
    message = fails_to_scan(tmp_path / "d", limit_train=20)
    assert "want a train row of each of its 30 classes, found limit_train 20" in message
    assert "--limit-train 30" in message
    scanned = scan(tmp_path / "d", limit_train=40, limit_test=20, validation_fraction=0.5)
    tables = [scanned.train.iter_selected(0), scanned.test.iter_selected(0)]
    train, test = ({c for t in tables for c in t["label"].to_pylist()} for tables in tables)
    assert len(train) == 30
    assert scanned.record.num_validation == 10
    (of_validation, of_test) = scanned.record.missing_classes
    assert of_validation.startswith("the validation rows used (10) have none of ")
    assert of_test.startswith(
        f"the test rows used (20) have none of {30 - len(test)} of 30 classes"
    )
