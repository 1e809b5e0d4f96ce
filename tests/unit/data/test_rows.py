import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from agnews_ray.data.files import detect_layout
from agnews_ray.data.layout import BATCH_ROWS
from agnews_ray.data.rows import SplitRows
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import scan, three_classes


@pytest.fixture
def folder(tmp_path):
    return three_classes(tmp_path / "d")


def test_rows_are_counted_over_batches_and_files(tmp_path):
    sizes, paths = (BATCH_ROWS + 3, 2, 4), [tmp_path / f"{i}.parquet" for i in range(3)]
    start = 0
    for size, path in zip(sizes, paths, strict=True):
        numbers = range(start, start + size)
        table = {"text": [f"row {i}" for i in numbers], "label": ["ba"[i % 2] for i in numbers]}
        pq.write_table(pa.table(table), path)
        start += size
    wanted = [0, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 2, BATCH_ROWS + 5, BATCH_ROWS + 8]
    split = SplitRows(
        files=tuple(paths),
        layouts=tuple(detect_layout(path, DataSpec()) for path in paths),
        file_num_rows=sizes,
        rows=np.array(wanted),
        raw_labels=("a", "b"),
    )
    found = [list(split.iter_selected(index)) for index in range(3)]
    assert [len(tables) for tables in found] == [2, 0, 1]
    rows = pa.concat_tables(table for tables in found for table in tables).to_pylist()
    assert rows == [{"text": f"row {i}", "label": (i + 1) % 2, "row": i} for i in wanted]
    assert split.num_rows == 6


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
