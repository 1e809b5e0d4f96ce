import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agnews_ray.data.labels import decide_labels
from agnews_ray.data.parts import Part
from agnews_ray.data.reading import read_split
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import fails_to_scan, scan, three_classes, write


@pytest.fixture
def folder(tmp_path):
    return three_classes(tmp_path / "d")


@pytest.fixture
def train(folder):
    """Return the train file as a part, and its labels."""
    found = read_split((folder / "train.csv",), DataSpec(), None)
    labels = decide_labels(found.sightings, None, None)
    return Part.whole(found, labels), labels


def test_some_rows_of_a_file_are_counted_alone(train):
    part, labels = train
    record = part.some(part.rows[[0, 2, 3, 5]]).record(2, labels)
    assert (record.files, record.num_rows, record.num_selected) == (("train.csv",), 4, 2)
    assert (record.class_counts, record.num_empty) == ((2, 0, 2), 2)


def test_the_fingerprint_is_that_of_the_rows_of_the_split(train):
    part, labels = train
    prints = [
        part.some(part.rows[rows]).record(1, labels).fingerprint
        for rows in (slice(0, 3), slice(3, 6), slice(0, None))
    ]
    assert len(set(prints)) == 3
    assert prints[2] == part.record(5, labels).fingerprint


def test_rows_are_chosen_among_those_of_the_split(train):
    part, _ = train
    chosen = part.some(part.rows[10:20]).selected(part.rows[[0, 9]])
    assert chosen.rows.tolist() == [10, 19]
    assert (chosen.file_num_rows, chosen.raw_labels) == ((30,), ("0", "1", "2"))


def test_a_column_that_names_splits_needs_train_rows_of_each_class(tmp_path):
    rows = "text,label,split\na,x,train\nb,y,train\nc,z,test\nd,z,dev\n"
    (tmp_path / "all.csv").write_text(rows)
    said = fails_to_scan(tmp_path / "all.csv")
    assert "all.csv: want train rows of class 'z', found none; correct the column" in said
    (tmp_path / "all.csv").write_text(rows.replace("b,y", "b,z").replace("c,z", "c,x"))
    scanned = scan(tmp_path / "all.csv")
    assert [split.rows.tolist() for split in (scanned.train, scanned.validation, scanned.test)] == [
        [0, 1],
        [3],
        [2],
    ]
    assert "splits from column 'split'" in scanned.record.assumptions


def as_jsonl(path, rows):
    path.write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in rows))


def test_test_files_of_two_formats_with_the_same_rows_are_one_split(folder):
    as_jsonl(folder / "test.jsonl", [("c", 2), ("d", 0)])  # no row of class 1
    assert scan(folder).record.test.files == ("test.csv",)


def test_test_files_of_two_formats_may_write_labels_in_two_ways(folder):
    write(folder, "test", [("c", 2), ("d", 0), ("e", 1)])
    as_jsonl(folder / "test.jsonl", [("c", "z"), ("d", "x"), ("e", "y")])
    record = scan(folder).record
    assert (record.test.files, record.test.class_counts) == (("test.csv",), (1, 1, 1))


@pytest.mark.parametrize(
    ("text", "label", "found"),
    [("x", 2, "other rows"), ("e", 0, "other labels"), ("e", 1, "other labels")],
)
def test_test_files_of_two_formats_with_other_rows_are_refused(folder, text, label, found):
    write(folder, "test", [("c", 2), ("d", 0), ("e", 2)])
    as_jsonl(folder / "test.jsonl", [("c", 2), ("d", 0), (text, label)])
    said = fails_to_scan(folder)
    assert f"d: want one test split, found {found} in test.jsonl than in test.csv; name" in said
    assert "--test-dataset FILE" in said


def save(path, texts, labels, names):
    """Write a Parquet file as ``datasets`` does, with class names."""
    feature = {"names": names, "_type": "ClassLabel"}
    told = json.dumps({"info": {"features": {"label": feature}}})
    table = pa.table({"text": texts, "label": pa.array(labels, pa.int64())})
    pq.write_table(table.replace_schema_metadata({"huggingface": told}), path)


def test_class_names_of_another_order_are_read_as_those_of_the_train_file(tmp_path):
    save(tmp_path / "train.parquet", ["a", "b", "c"], [0, 1, 2], ["x", "y", "z"])
    save(tmp_path / "test.parquet", ["d", "e", "f"], [0, 1, 2], ["z", "x", "y"])
    scanned = scan(tmp_path)
    (table,) = scanned.test.iter_selected(0)
    assert table["label"].to_pylist() == [2, 0, 1]
    save(tmp_path / "test.parquet", ["d", "e"], [0, 1], ["x", "w"])
    assert "want the train split's class names, found other ones: w, y, z" in fails_to_scan(
        tmp_path
    )


def test_a_test_file_can_be_named(folder):
    scanned = scan(folder / "train.csv", test_source=str(folder / "test.csv"))
    assert scanned.test.num_rows == 2


def test_a_validation_file_is_the_validation_split(folder):
    (folder / "dev.csv").write_text("label,text\n0,x\n1,y\n2,z\n")
    scanned = scan(folder)
    assert (scanned.record.num_train, scanned.record.num_validation) == (30, 0)
    assert scanned.record.validation.num_rows == scanned.validation.num_rows == 3
    without = scan(folder, validation_source="none").record
    assert without.validation is None
    assert without.fingerprint == scanned.record.fingerprint[:33]
