import gzip
import json

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from agnews_ray.data.arrow_file import arrow_layout, iter_arrow
from agnews_ray.data.files import detect_layout
from agnews_ray.data.layout import BATCH_ROWS
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import read

TABLE = pa.table({"id": [7, 8, 9], "text": ["a", "b", "c"], "label": [0, 1, 0]})


def save(path, form, table=TABLE):
    if form == "parquet":
        pq.write_table(table, path)
        return path
    opened = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with opened(str(path), table.schema) as writer:
        writer.write_table(table)
    return path


@pytest.mark.parametrize("form", ["parquet", "file", "stream"])
def test_both_arrow_formats_and_parquet_give_the_wanted_columns_in_batches(tmp_path, form):
    many = BATCH_ROWS + 1
    table = pa.table({"id": range(many), "text": ["a"] * many, "label": list(range(many))})
    path = save(tmp_path / "rows", form, table)
    layout = arrow_layout(path, "parquet" if form == "parquet" else "arrow", DataSpec(), None)
    assert layout.columns == ("id", "text", "label")
    batches = list(iter_arrow(path, layout))
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, 1]
    assert batches[0].schema.names == ["text", "label"]
    assert [label for batch in batches for label in batch["label"].to_pylist()] == list(range(many))


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ({"info": {"features": {"label": {"names": ["no", "yes"]}}}}, ("no", "yes")),
        ({"info": {"features": {"label": {"dtype": "int64"}}}}, None),
        ({"info": {"features": {"other": {"names": ["no", "yes"]}}}}, None),
        ({"info": {"features": {"label": {"names": []}}}}, None),
        ({"info": None}, None),
        (None, None),
    ],
    ids=str,
)
def test_class_names_are_those_that_datasets_keeps_beside_the_label(tmp_path, told, names):
    metadata = {"huggingface": json.dumps(told)} if told else None
    path = save(tmp_path / "rows.arrow", "stream", TABLE.replace_schema_metadata(metadata))
    assert arrow_layout(path, "arrow", DataSpec(), None).class_names == names


@pytest.mark.parametrize(
    ("name", "content", "found", "hint"),
    [
        ("a.parquet", gzip.compress(b"PAR1", mtime=0), "a compressed one", "unpack it"),
        ("a.parquet", b"text,label\na,0\n", "what looks like text, such as CSV", "rename it"),
    ],
)
def test_what_is_no_parquet_inside_is_told(tmp_path, name, content, found, hint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        arrow_layout(tmp_path / name, "parquet", DataSpec(), None)
    error = caught.value
    assert (error.where, error.found) == (str(tmp_path / name), found)
    assert hint in error.hint


def test_columns_are_judged_by_their_values_too(tmp_path):
    columns = {"text": ["a", "b"], "toxic": [0, 1], "obscene": [1, 0], "threat": [0, 0]}
    path = save(tmp_path / "rows.parquet", "parquet", pa.table(columns))
    with pytest.raises(DataError, match="found columns of 0 and 1: toxic, obscene, threat;"):
        arrow_layout(path, "parquet", DataSpec(), None)


def test_numbers_are_text_and_said(tmp_path):
    pq.write_table(pa.table({"text": [1, 2], "label": [0, 1]}), tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet") == [("1", "0"), ("2", "1")]
    notes = detect_layout(tmp_path / "x.parquet", DataSpec()).notes
    assert notes == ("numbers in 'text' read as text",)


@pytest.mark.parametrize("form", ["file", "stream"])
@pytest.mark.parametrize("offset", [-1, 1 << 30])
def test_offsets_that_point_outside_the_file_are_refused(tmp_path, form, offset):
    """Arrow itself does not look, and would read any part of memory, or crash."""
    texts = pa.array(["first", "second", "third"])
    path = save(tmp_path / "x.arrow", form, pa.table({"text": texts, "label": texts}))
    right = b"".join(n.to_bytes(4, "little") for n in (0, 5, 11, 16))
    wrong = b"".join(n.to_bytes(4, "little", signed=True) for n in (0, offset, 11, 16))
    assert right in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(right, wrong))
    with pytest.raises(DataError, match="an Arrow file"):
        detect_layout(path, DataSpec())


@pytest.mark.parametrize("form", ["parquet", "file", "stream"])
def test_texts_that_are_no_utf_8_are_refused(tmp_path, form):
    texts = pa.array([b"a", b"\xf2ow 0", b"c"]).view(pa.string())
    path = save(
        tmp_path / f"data.{'parquet' if form == 'parquet' else 'arrow'}",
        form,
        TABLE.set_column(1, "text", texts),
    )
    with pytest.raises(DataError, match="UTF8"):
        detect_layout(path, DataSpec())


@pytest.mark.parametrize("form", ["file", "stream"])
def test_names_of_columns_that_are_no_utf_8_are_refused(tmp_path, form):
    path = save(tmp_path / "data.arrow", form)
    path.write_bytes(path.read_bytes().replace(b"text", b"\xf4ext"))
    with pytest.raises(DataError, match="an Arrow file"):
        detect_layout(path, DataSpec())
