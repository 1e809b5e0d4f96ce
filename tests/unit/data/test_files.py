import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agnews_ray.data.files import detect_layout, iter_batches
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import fails_to_read, read

BLOCK_BYTES = 4 << 20
"""Far more than is read at a time."""


def test_csv_as_ag_news_is_published(news_folder):
    rows = read(news_folder / "test.csv")
    assert rows[0] == ("Oil up Prices rose, again", "3")
    assert rows[1] == ('Vote held Result "close", say officials', "1")
    assert rows[3] == ("Chip shown It is\nfast", "4")


def test_every_format_gives_the_same_rows(tmp_path):
    texts, labels = ["a b", "#39; &lt;b&gt; \\", "ü"], [0, 1, 0]
    table = pa.table({"text": texts, "label": pa.array(labels, pa.int8())})
    pq.write_table(table, tmp_path / "x.parquet")
    lines = [json.dumps({"text": t, "label": n}) for t, n in zip(texts, labels, strict=True)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    (tmp_path / "x.csv").write_text(
        "label,text\n" + "".join(f"{n},{t}\n" for t, n in zip(texts, labels, strict=True))
    )
    expected = [(t, str(n)) for t, n in zip(texts, labels, strict=True)]
    for ending in ("parquet", "jsonl", "csv"):
        assert read(tmp_path / f"x.{ending}") == expected


def test_named_columns_are_joined_by_a_space(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b,c\nx,y,n\n")
    assert read(path, text_columns=("b", "a"), label_column="c") == [("y x", "n")]


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet"])
def test_empty_and_missing_files_are_refused(tmp_path, name):
    assert "no such file" in fails_to_read(tmp_path / name)
    (tmp_path / name).touch()
    assert "an empty file" in fails_to_read(tmp_path / name)


def test_an_unknown_ending_is_refused(tmp_path):
    (tmp_path / "x.xls").write_text("a")
    assert "found .xls" in fails_to_read(tmp_path / "x.xls")


def test_a_damaged_parquet_is_explained(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 nonsense")
    assert "want a Parquet file" in fails_to_read(path)


def test_fields_we_do_not_read_may_come_late(tmp_path):
    path = tmp_path / "x.jsonl"
    line = json.dumps({"text": "a" * 1000, "label": 0}) + "\n"
    path.write_text(line * (BLOCK_BYTES // 900) + '{"text":"b","label":1,"late":true}\n')
    assert read(path)[-1] == ("b", "1")


def test_a_file_whose_bytes_change_their_encoding_is_refused_where_they_do(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "a,x\nb,y\n" * 10)
    layout = detect_layout(path, DataSpec())
    path.write_bytes(path.read_bytes() + b"\xa9,x\n")  # as of a damaged compressed file
    with pytest.raises(DataError, match="want text in utf-8 to its end, found other bytes"):
        list(iter_batches(path, layout))
