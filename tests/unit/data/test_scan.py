import pickle

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from agnews_ray.data.scan import scan_dataset
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec


def write(folder, split, rows):
    folder.mkdir(exist_ok=True)
    lines = "".join(f'{label},"{text}"\n' for text, label in rows)
    (folder / f"{split}.csv").write_text("label,text\n" + lines)


def scan(folder, **spec):
    beside = folder if folder.is_dir() else folder.parent
    return scan_dataset(DataSpec(source=str(folder), **spec), beside / "cache")


def fails(folder, **spec):
    with pytest.raises(DataError) as caught:
        scan(folder, **spec)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "d", "train", [("a", 0), ("b", 1), (" ", 2)] * 10)
    write(tmp_path / "d", "test", [("c", 2), ("d", 0)])
    return tmp_path / "d"


def test_facts_of_a_dataset(folder):
    record = scan(folder).record
    assert (record.kind, record.label_kind, record.class_names) == (
        "csv",
        "integers from 0",
        ("0", "1", "2"),
    )
    assert record.train.class_counts == (10, 10, 10)
    assert (record.train.num_empty, record.test.num_rows) == (10, 2)


def test_published_files_are_one_based_and_named_by_classes_txt(news_folder):
    (news_folder / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")
    record = scan(news_folder).record
    assert record.label_kind == "integers from 1"
    assert record.class_names == ("World", "Sports", "Business", "Sci/Tech")


def test_names_are_labels_too(folder):
    write(folder, "train", [("a", "spam"), ("b", "ham")])
    write(folder, "test", [("c", "ham")])
    scanned = scan(folder)
    assert scanned.record.class_names == ("ham", "spam")
    (table,) = scanned.train.iter_selected(0)
    assert table["label"].to_pylist() == [1, 0]


def test_the_fingerprint_is_of_the_content_not_of_the_format(folder):
    before = scan(folder).record
    for split in ("train", "test"):
        rows = pyarrow.csv.read_csv(folder / f"{split}.csv")
        pq.write_table(rows, folder / f"{split}.parquet", row_group_size=7)
        (folder / f"{split}.csv").unlink()
    assert scan(folder).record.fingerprint == before.fingerprint


@pytest.mark.parametrize(
    "changed", [[("ab", 0), ("", 1)], [("a", 1), ("b", 0)], [("b", 0), ("a", 1)]]
)
def test_the_fingerprint_sees_every_change(folder, changed):
    write(folder, "train", [("a", 0), ("b", 1)])
    write(folder, "test", [("c", 0)])
    before = scan(folder).record.fingerprint
    write(folder, "train", changed)
    assert scan(folder).record.fingerprint != before


def test_limits_and_validation_are_stratified_and_share_no_row(folder):
    scanned = scan(folder, limit_train=15, validation_fraction=0.2, limit_test=1)
    train, validation = set(scanned.train.rows.tolist()), set(scanned.validation.rows.tolist())
    assert (len(train), len(validation), scanned.test.num_rows) == (12, 3, 1)
    assert not train & validation
    assert sorted(row % 3 for row in validation) == [0, 1, 2]
    again = scan(folder, limit_train=15, validation_fraction=0.2)
    assert (again.validation.rows == scanned.validation.rows).all()
    other = scan(folder, limit_train=15, validation_fraction=0.2, split_seed=1)
    assert (other.train.rows != scanned.train.rows).any()


def test_selected_rows_are_read_with_their_numbers(folder):
    scanned = scan(folder, limit_train=15)
    (table,) = scanned.train.iter_selected(0)
    assert table["row"].to_pylist() == scanned.train.rows.tolist()
    assert table["label"].to_pylist() == [row % 3 for row in scanned.train.rows]


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl.bz2", "json", "arrow", "zip"])
def test_a_worker_reads_the_same_rows_from_what_travels(tmp_path, ending):
    table = pd.DataFrame(
        {"topic": ["a", "b"] * 30, "headline": [f"Größe {i}; x" for i in range(60)]}
    )
    path = tmp_path / f"train.{ending}"
    if "csv" in ending or ending == "zip":
        table.to_csv(path, sep=";", index=False, encoding="cp1252")
    elif ending == "arrow":
        feather.write_feather(table, path)
    else:
        table.to_json(path, orient="records", lines="l" in ending)
    scanned = scan(path, label_column="topic")
    for split in (scanned.train, scanned.test):
        again = pickle.loads(pickle.dumps(split))
        rows = pa.concat_tables(again.iter_selected(0)).to_pylist()
        assert [row["row"] for row in rows] == split.rows.tolist()
        assert all(row["text"] == f"Größe {row['row']}; x" for row in rows)
        assert all(row["label"] == row["row"] % 2 for row in rows)


def test_shards_are_one_split(folder):
    (folder / "train.csv").rename(folder / "train-00000-of-00002.csv")
    (folder / "train-00001-of-00002.csv").write_text("label,text\n1,x\n2,y\n")
    scanned = scan(folder)
    assert scanned.record.train.num_rows == 32
    (table,) = scanned.train.iter_selected(1)
    assert table["row"].to_pylist() == [30, 31]


def test_a_label_that_is_no_number_is_placed(folder):
    write(folder, "train", [("a", 0), ("b", 1), ("c", "1x")])
    text = fails(folder)
    assert "train.csv, row 3: want a number from 0 to 1 without gaps, found '1x'" in text


def test_a_label_outside_the_set_is_placed(folder):
    write(folder, "train", [("a", 0), ("b", 1), ("c", 9)])
    assert "row 3: want a number from 0 to 1 without gaps, found '9'" in fails(folder)
    assert "row 3: want a number from 0 to 2 without gaps" in fails(
        folder, class_names=tuple("abc")
    )


def test_a_test_label_that_train_never_saw_is_placed(folder):
    write(folder, "test", [("a", 0), ("b", 3)])
    assert "test.csv, row 2: want a number from 0 to 2" in fails(folder)


def test_a_misspelt_name_finds_the_nearest(folder):
    write(folder, "train", [("a", "spam"), ("b", "ham")])
    write(folder, "test", [("c", "spma")])
    assert "did you mean 'spam'?" in fails(folder)


def test_a_missing_label_is_placed(folder):
    (folder / "train.csv").unlink()
    (folder / "train.jsonl").write_text('{"text":"a","label":0}\n{"text":"b","label":null}\n')
    assert "train.jsonl, row 2: want a label, found none" in fails(folder)


def test_an_empty_label_is_missing_not_a_class(folder):
    write(folder, "train", [("a", "spam"), ("b", "ham"), ("c", "")])
    assert "train.csv, row 3: want a label, found none" in fails(folder)


def test_a_test_file_beside_a_folder_is_refused_not_ignored(folder):
    assert "drop --test-dataset" in fails(folder, test_source=str(folder / "test.csv"))


def test_a_text_column_is_not_taken_for_labels(folder):
    write(folder, "train", [(f"text {i}", f"title {i}") for i in range(1100)])
    assert "want a column of labels" in fails(folder)


def test_one_class_is_not_enough(folder):
    write(folder, "train", [("a", 0)])
    assert "at least two classes" in fails(folder)


def test_a_missing_split_says_what_is_there(folder):
    (folder / "train.csv").unlink()
    assert "want train.parquet, train.jsonl or train.csv, found test.csv" in fails(folder)


def test_a_lone_file_is_cut_so_that_every_class_stays_in_train(folder):
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


@pytest.mark.parametrize("source", ["./nowhere", "/no/such/folder", "nowhere.csv"])
def test_a_path_to_nothing_is_not_asked_of_the_hub(tmp_path, source):
    with pytest.raises(DataError, match="no such file or folder"):
        scan_dataset(DataSpec(source=source), tmp_path)


@pytest.mark.realdata
def test_real_rows_are_the_same_in_both_published_forms(real_data, tmp_path):
    (tmp_path / "a").mkdir()
    for split in ("train", "test"):
        (tmp_path / "a" / f"{split}.csv").symlink_to(real_data / "test.csv")
    from_csv = scan(tmp_path / "a").record
    assert from_csv.test.class_counts == (1900, 1900, 1900, 1900)
    assert (
        from_csv.test.fingerprint
        == scan_dataset(DataSpec(source=str(real_data)), tmp_path).record.test.fingerprint
    )


def test_a_train_sample_has_a_row_of_each_class_or_is_refused(tmp_path):
    rows = [(f"text {i}", f"c{i % 30:02}" if i < 90 else "c00") for i in range(600)]
    write(tmp_path / "d", "train", rows)
    write(tmp_path / "d", "test", rows[:60])
    message = fails(tmp_path / "d", limit_train=20)
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
