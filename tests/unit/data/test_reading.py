import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from agnews_ray.data import arrow_file
from agnews_ray.data.labels import LabelMap, Sighting
from agnews_ray.data.layout import BATCH_ROWS
from agnews_ray.data.reading import MAX_CLASSES, read_split
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import fails_to_scan, three_classes, write


@pytest.fixture
def folder(tmp_path):
    return three_classes(tmp_path / "d")


@pytest.fixture
def parquet(tmp_path):
    """Return a function that writes texts and labels as a Parquet file and reads it as a split."""

    def read(texts, labels):
        path = tmp_path / "train.parquet"
        pq.write_table(pa.table({"text": texts, "label": labels}), path)
        return read_split((path,), DataSpec(), None)

    return read


def test_one_pass_finds_labels_empty_texts_and_the_rows_of_each_file(folder):
    write(folder, "more", [("x", 2), ("\t", 4)])
    files = (folder / "train.csv", folder / "more.csv")
    found = read_split(files, DataSpec(), None)
    assert (found.files, found.file_num_rows) == (files, [30, 2])
    assert found.sightings == {
        "0": Sighting(files[0], 1, 10),
        "1": Sighting(files[0], 2, 10),
        "2": Sighting(files[0], 3, 11),
        "4": Sighting(files[1], 2, 1),
    }
    assert found.is_empty.nonzero()[0].tolist() == [*range(2, 30, 3), 31]
    labels = LabelMap(kind="names", raw=("4", "2", "1", "0"), names=("4", "2", "1", "0"))
    assert found.class_ids(labels).tolist() == [3, 2, 1] * 10 + [1, 0]


def test_a_later_file_is_read_as_the_first(folder):
    (folder / "more.csv").write_text("Text,comment,LABEL\nx,y,0\n")
    found = read_split((folder / "train.csv", folder / "more.csv"), DataSpec(), None)
    assert [layout.text_columns for layout in found.layouts] == [("text",), ("Text",)]
    assert found.notes() == ()


def test_what_was_assumed_of_several_files_is_said_once(folder):
    for name in ("one", "two"):
        (folder / f"{name}.csv").write_text("text;topic\na;0\nb;1\n")
    found = read_split((folder / "one.csv", folder / "two.csv"), DataSpec(), None)
    assert found.notes() == ("delimiter ';'", "label from 'topic'")


def test_the_digest_is_of_texts_and_their_borders_wherever_a_batch_ends(
    parquet, tmp_path, monkeypatch
):
    texts, labels = [f"text {i}" for i in range(10)], ["a", "b"] * 5
    whole = parquet(texts, labels).text_digest
    monkeypatch.setattr(arrow_file, "BATCH_ROWS", 3)
    assert parquet(texts, labels).text_digest == whole
    path = tmp_path / "train.arrow"  # read in slices of one batch
    feather.write_feather(pa.table({"text": texts, "label": labels}), path)
    assert read_split((path,), DataSpec(), None).text_digest == whole
    one, other = parquet(["ab", "c"], ["x", "y"]), parquet(["a", "bc"], ["x", "y"])
    assert one.text_digest != other.text_digest


def test_a_row_without_label_is_placed_after_the_first_batch_too(parquet):
    labels = ["a", "b"] * (BATCH_ROWS // 2) + ["a", None, "c"]
    with pytest.raises(DataError, match=rf"row {BATCH_ROWS + 2}: want a label, found none; fill"):
        parquet(["x"] * len(labels), labels)
    labels[-2] = "a"
    assert parquet(["x"] * len(labels), labels).sightings["c"].row == BATCH_ROWS + 3


def test_a_file_without_rows_is_refused(parquet):
    with pytest.raises(DataError, match=r"want at least one row, found none"):
        parquet(pa.array([], pa.string()), pa.array([], pa.string()))


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        ([f"title {i}" for i in range(MAX_CLASSES + 1)], "name it with --label-column"),
        ([f"{i}.5" for i in range(MAX_CLASSES + 1)], "these are measurements"),
    ],
    ids=["names", "measurements"],
)
def test_more_labels_than_there_may_be_classes_are_refused(parquet, labels, hint):
    assert len(parquet(labels[1:], labels[1:]).sightings) == MAX_CLASSES
    with pytest.raises(DataError) as caught:
        parquet(labels, labels)
    error = caught.value
    assert error.found == f"over 1000 different values, such as {labels[-1]!r}"
    assert hint in error.hint


def test_a_missing_label_is_placed(folder):
    (folder / "train.csv").unlink()
    (folder / "train.jsonl").write_text('{"text":"a","label":0}\n{"text":"b","label":null}\n')
    assert "train.jsonl, row 2: want a label, found none" in fails_to_scan(folder)


def test_an_empty_label_is_missing_not_a_class(folder):
    write(folder, "train", [("a", "spam"), ("b", "ham"), ("c", "")])
    assert "train.csv, row 3: want a label, found none" in fails_to_scan(folder)


def test_a_text_column_is_not_taken_for_labels(folder):
    write(folder, "train", [(f"text {i}", f"title {i}") for i in range(1100)])
    assert "want a column of labels" in fails_to_scan(folder)
