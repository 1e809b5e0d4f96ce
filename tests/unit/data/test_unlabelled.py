import dataclasses
import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agnews_ray.data.batches import FIRST_TRANSFER_ROW, NO_LABEL
from agnews_ray.data.sample import sample_evenly
from agnews_ray.data.scan import scan_dataset
from agnews_ray.data.unlabelled import scan_texts
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.distillation import TransferSpec
from tests.fakes.datasets import write

TEXTS = ["Oil rises, a little", "Cup final", "New chip"]


@pytest.fixture
def labelled(tmp_path):
    """The labelled rows, whose test split has the text "Cup final!"."""
    write(tmp_path / "data", "train", [("one", 0), ("two", 1)] * 5)
    write(tmp_path / "data", "test", [("Cup final!", 0), ("...", 1)])
    spec = DataSpec(source=str(tmp_path / "data"))
    return spec, tmp_path, scan_dataset(spec, tmp_path / "cache")


def scanned(labelled, source, **transfer):
    spec, folder, rows = labelled
    return scan_texts(TransferSpec(source=str(source), **transfer), spec, folder / "cache", rows)


def texts_of(found):
    return found.rows.table()["text"].to_pylist()


def refused(labelled, source, **transfer):
    with pytest.raises(DataError) as caught:
        scanned(labelled, source, **transfer)
    return str(caught.value)


def test_texts_have_numbers_of_their_own_and_no_label(labelled, tmp_path):
    (tmp_path / "more.txt").write_text("\n".join(["", *TEXTS, "  "]))
    found = scanned(labelled, tmp_path / "more.txt")
    table = found.rows.table()
    assert table["text"].to_pylist() == TEXTS
    assert table["row"].to_pylist() == [FIRST_TRANSFER_ROW + i for i in range(3)]
    assert table["label"].to_pylist() == [NO_LABEL] * 3
    assert (found.record.num_rows, found.record.num_read) == (3, 5)
    assert sample_evenly(found.rows, 3)["text"].to_pylist() == TEXTS


@pytest.mark.parametrize("ending", ["csv", "jsonl.gz", "parquet", "labelled.csv", "one.csv"])
def test_every_format_gives_the_same_texts_with_or_without_labels(labelled, tmp_path, ending):
    path = tmp_path / f"more.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table({"id": [1, 2, 3], "text": TEXTS}), path)
    elif ending == "jsonl.gz":
        path.write_bytes(
            gzip.compress("".join(json.dumps({"text": t}) + "\n" for t in TEXTS).encode())
        )
    elif ending == "one.csv":
        path.write_text("sentence\n" + "".join(f'"{text}"\n' for text in TEXTS))
    else:
        first = "label" if ending == "labelled.csv" else "id"
        path.write_text(f"{first},text\n" + "".join(f'x,"{text}"\n' for text in TEXTS))
    found = scanned(labelled, path)
    assert texts_of(found) == TEXTS
    (tmp_path / "same.txt").write_text("\n".join(TEXTS))
    assert found.record.fingerprint == scanned(labelled, tmp_path / "same.txt").record.fingerprint


def test_stated_columns_come_before_those_of_the_data(labelled, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("title,text\nA,b\nC,d\n")
    assert texts_of(scanned(labelled, path)) == ["b", "d"]
    assert texts_of(scanned(labelled, path, text_columns=("title", "text"))) == ["A b", "C d"]


def test_columns_of_a_file_without_header_are_those_of_such_data_or_stated(tmp_path, news_folder):
    spec = DataSpec(source=str(news_folder))
    rows = scan_dataset(spec, tmp_path / "cache")
    path = tmp_path / "more.csv"
    path.write_text('"1","Oil","rises"\n"2","Cup","final"\n')
    found = scan_texts(TransferSpec(source=str(path)), spec, tmp_path / "cache", rows)
    assert texts_of(found) == ["Oil rises", "Cup final"]
    stated = TransferSpec(source=str(path), text_columns=("3",))
    assert texts_of(scan_texts(stated, spec, tmp_path / "cache", rows)) == ["rises", "final"]


def test_the_train_split_of_a_folder_is_used_and_all_its_files(labelled, tmp_path):
    folder = tmp_path / "more" / "train"
    folder.mkdir(parents=True)
    for number, text in enumerate(TEXTS):
        pq.write_table(pa.table({"text": [text]}), folder / f"part-{number}.parquet")
    (tmp_path / "more" / "validation.csv").write_text("label,text\n0,never\n")
    assert texts_of(scanned(labelled, tmp_path / "more")) == TEXTS


def test_the_dataset_itself_gives_the_texts_that_are_not_used_otherwise(tmp_path):
    (tmp_path / "all.csv").write_text("label,text\n" + "0,a\n1,b\n" * 20)
    spec = DataSpec(source=str(tmp_path / "all.csv"), limit_train=10, validation_fraction=0.2)
    rows = scan_dataset(spec, tmp_path / "cache")
    labelled = (spec, tmp_path, rows)
    rest = set(scanned(labelled, spec.source).rows.rows.tolist())
    train, *others = (set(one.rows.tolist()) for one in (rows.train, rows.validation, rows.test))
    assert rest == set(range(40)).difference(train, *others)
    with_train = scanned(labelled, spec.source, only=True)
    assert set(with_train.rows.rows.tolist()) == rest | train
    assert set(with_train.rows.table()["label"].to_pylist()) == {NO_LABEL}


def test_a_file_of_the_dataset_is_known_by_whatever_path(tmp_path, monkeypatch):
    rows = [(f"text {i}", i % 2) for i in range(40)]
    write(tmp_path, "all", rows)
    monkeypatch.chdir(tmp_path)
    file = next(tmp_path.glob("all.*"))
    spec = DataSpec(source=file.name, test_fraction=0.25, limit_train=10)
    data = scan_dataset(spec, tmp_path / "cache")
    for source in (file.name, str(file), f"./{file.name}"):
        found = scan_texts(TransferSpec(source=source), spec, tmp_path / "cache", data)
        assert (found.record.num_rows, found.record.num_in_test) == (20, 0)


def test_a_test_file_gives_no_texts(labelled, tmp_path):
    test_file = next((tmp_path / "data").glob("test.*"))
    assert "found none; use another source" in refused(labelled, test_file)


def test_a_dataset_whose_rows_are_all_labelled_rows_has_no_other_texts(labelled):
    assert "found none; use another source" in refused(labelled, labelled[0].source)


def test_only_the_train_rows_of_a_column_of_splits_are_used(labelled, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("text,split\na,train\nb,test\nc,train\n")
    assert texts_of(scanned(labelled, path)) == ["a", "c"]


def test_a_smaller_sample_is_part_of_a_larger_one(labelled, tmp_path):
    path = tmp_path / "more.txt"
    path.write_text("\n".join(f"text {i}\n" for i in range(50)))
    some, more = (texts_of(scanned(labelled, path, limit=limit)) for limit in (10, 20))
    assert (len(some), len(more)) == (10, 20)
    assert set(some) < set(more)
    assert texts_of(scanned(labelled, path, limit=50)) == [f"text {i}" for i in range(50)]
    spec, *others = labelled
    other_seed = (spec.model_copy(update={"split_seed": 7}), *others)
    assert texts_of(scanned(other_seed, path, limit=10)) != some


def test_the_fingerprint_sees_texts_and_their_borders(labelled, tmp_path):
    path, seen = tmp_path / "more.txt", set()
    for content in ("ab\nc", "a\nbc", "c\nab", "ab\nc\nd"):
        path.write_text(content)
        seen.add(scanned(labelled, path).record.fingerprint)
    assert len(seen) == 4


def test_texts_of_used_test_rows_are_counted(labelled, tmp_path):
    path = tmp_path / "more.txt"
    path.write_text("cup FINAL\nCup final!\n!!!\nanother\n")
    assert scanned(labelled, path).record.num_in_test == 2
    spec, folder, rows = labelled
    unused = dataclasses.replace(rows, test=dataclasses.replace(rows.test, rows=np.array([1])))
    assert scanned((spec, folder, unused), path).record.num_in_test == 0


def test_what_cannot_be_read_is_refused_without_naming_a_flag(labelled, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("a,b\n1,2\n")
    assert "more.csv: want a text column" in refused(labelled, path)
    assert "transfer.text_columns" in refused(labelled, path)
    assert "a column 'body'" in refused(labelled, path, text_columns=("body",))
    path.write_text("id,text\n1,\n2, \n")
    assert "found empty texts only" in refused(labelled, path)
    assert "no such file" in refused(labelled, tmp_path / "none.csv")
    for line in (refused(labelled, path), refused(labelled, tmp_path / "none.csv")):
        assert "--" not in line
