import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agnews_ray.data.files import detect_layout, iter_batches
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

BLOCK_BYTES = 4 << 20
"""Far more than is read at a time."""


def read(path, **spec):
    layout = detect_layout(path, DataSpec(**spec))
    rows = [row for batch in iter_batches(path, layout) for row in batch.to_pylist()]
    return [(row["text"], row["label"]) for row in rows]


def fails(path, **spec):
    with pytest.raises(DataError) as caught:
        read(path, **spec)
    return str(caught.value)


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


def test_columns_are_found_whatever_their_case(tmp_path):
    path = tmp_path / "kaggle.csv"
    path.write_text("Class Index,Title,Description\n1,T,D\n")
    assert read(path) == [("T D", "1")]


def test_named_columns_are_joined_by_a_space(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b,c\nx,y,n\n")
    assert read(path, text_columns=("b", "a"), label_column="c") == [("y x", "n")]


def test_integers_beside_nulls_stay_integers(tmp_path):
    table = pa.table({"text": ["a"], "label": [3.0]})
    pq.write_table(table, tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet") == [("a", "3")]


def test_rows_of_a_large_csv_stay_in_order(tmp_path):
    path = tmp_path / "large.csv"
    count = BLOCK_BYTES // 20  # several blocks
    path.write_text("".join(f"{i % 2},{i} {'x' * 30}\n" for i in range(count)))
    assert [int(text.split()[0]) for text, _ in read(path)] == list(range(count))


def test_a_missing_column_names_the_nearest(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("text,label\na,0\n")
    assert "did you mean 'text'?" in fails(path, text_columns=("txet",))
    assert "found columns text, label" in fails(path, label_column="zzz")


def test_a_file_without_known_columns_says_what_it_has(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("foo,bar\na,0\n")
    assert "found columns foo, bar; name it with --label-column" in fails(path)


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet"])
def test_empty_and_missing_files_are_refused(tmp_path, name):
    assert "no such file" in fails(tmp_path / name)
    (tmp_path / name).touch()
    assert "an empty file" in fails(tmp_path / name)


def test_an_unknown_ending_is_refused(tmp_path):
    (tmp_path / "x.xls").write_text("a")
    assert "found .xls" in fails(tmp_path / "x.xls")


@pytest.mark.parametrize(
    ("name", "line"), [("x.csv", b"0,caf\x81\n"), ("x.jsonl", b'{"text":"\x81"}\n')]
)
def test_an_undecodable_byte_is_placed(tmp_path, name, line):
    good = b"0,abc\n" if name == "x.csv" else b'{"text":"abc","label":0}\n'
    (tmp_path / name).write_bytes(good * 10 + line)
    offset = len(good) * 10 + line.index(b"\x81")
    assert f"an undecodable byte at offset {offset}" in fails(tmp_path / name)


def test_a_row_with_too_many_fields_is_placed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("label,text\n0,a\n0,b,c\n")
    assert "want 2 fields in each row, found 3 in row 3 (a header counted)" in fails(path)


def test_a_broken_json_line_is_placed(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"text":"a","label":0}\n{"text":\n')
    assert "found line 2" in fails(path)


def test_a_damaged_parquet_is_explained(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 nonsense")
    assert "want a Parquet file" in fails(path)


def test_numbers_are_text_and_said(tmp_path):
    pq.write_table(pa.table({"text": [1, 2], "label": [0, 1]}), tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet") == [("1", "0"), ("2", "1")]
    notes = detect_layout(tmp_path / "x.parquet", DataSpec()).notes
    assert notes == ("numbers in 'text' read as text",)


def test_fields_we_do_not_read_may_come_late(tmp_path):
    path = tmp_path / "x.jsonl"
    line = json.dumps({"text": "a" * 1000, "label": 0}) + "\n"
    path.write_text(line * (BLOCK_BYTES // 900) + '{"text":"b","label":1,"late":true}\n')
    assert read(path)[-1] == ("b", "1")
