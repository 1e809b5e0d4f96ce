"""A CSV file's header, columns and rows; its dialect and encoding are told by other modules."""

import pytest

from agnews_ray.data import csv_file
from agnews_ray.data.csv_file import csv_layout, iter_csv
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import fails_to_read, read


@pytest.fixture
def file(tmp_path):
    def write(content, name="rows.csv"):
        path = tmp_path / name
        path.write_text(content)
        return path

    return write


@pytest.mark.parametrize(
    ("content", "spec", "columns", "rows"),
    [
        ("text,label\na,0\nb,1\n", {}, "text label", [("a", "0"), ("b", "1")]),
        (
            '"the  text",label\na,0\n',
            {"text_columns": ("the text",)},
            "the text,label",
            [("a", "0")],
        ),
        ("0,good one\n1,bad one\n", {}, "column_1 column_2", [("good one", "0"), ("bad one", "1")]),
        ("[b] good,0\n[c] bad,1\n", {}, "column_1 column_2", [("[b] good", "0"), ("[c] bad", "1")]),
        ("0,1\na b,x\nc d,y\ne f,x\ng h,y\n", {}, "column_1 column_2", [("a b", "x")]),
        ("what,kind\na,0\n", {"label_column": "kind", "text_columns": ("what",)}, "what kind", []),
        ("text,label\n0,a\n", {"has_header": False, "label_column": "1"}, "column_1 column_2", []),
    ],
)
def test_a_first_row_is_a_header_or_data(file, content, spec, columns, rows):
    path = file(content)
    layout = csv_layout(path, DataSpec(**spec), None)
    assert layout.columns == tuple(columns.split("," if "," in columns else " "))
    assert layout.has_header is (layout.columns[0] != "column_1")
    assert read(path, **spec)[: len(rows)] == rows


def test_the_header_that_pandas_writes_for_no_names_is_left_out_and_said(file):
    path = file("0,1\n" + "".join(f"a text,{'xy'[i % 2]}\n" for i in range(4)))
    layout = csv_layout(path, DataSpec(), None)
    assert (layout.has_header, layout.num_header_rows) == (False, 1)
    assert layout.notes[0] == "first row 0,1 left out"
    assert len(read(path)) == 4


def test_a_test_file_is_read_as_the_train_file(file):
    train = file("".join(f"{'xy'[i % 2]},some text {i}\n" for i in range(8)))
    like = csv_layout(train, DataSpec(), None)
    assert (like.has_header, like.text_columns, like.label_column) == (
        False,
        ("column_2",),
        "column_1",
    )
    test = file("x,one more\nz,another one\n", "test.csv")  # alone, x would be a name
    layout = csv_layout(test, DataSpec(), like)
    assert (layout.has_header, layout.text_columns, layout.label_column) == (
        False,
        ("column_2",),
        "column_1",
    )
    named = file("label,text\nx,one more\n", "named.csv")
    assert csv_layout(named, DataSpec(), like).has_header


@pytest.mark.parametrize(
    ("content", "wanted", "found"),
    [
        ("\x00" * 20, "text", "zero bytes"),
        ('{"text": "a", "label": 0}\n', "rows of a CSV file", "what looks like JSON"),
        ("\n\n", "rows of a CSV file", "none"),
        ("a title\nanother\n", "a text and a label column", "one column, 'a title'"),
    ],
)
def test_what_is_no_table_is_refused(file, content, wanted, found):
    path = file(content)
    with pytest.raises(DataError) as caught:
        csv_layout(path, DataSpec(), None)
    error = caught.value
    assert (error.where, error.wanted, error.found) == (str(path), wanted, found)
    assert error.hint


@pytest.mark.parametrize(
    ("content", "spec", "wanted", "found"),
    [
        ("text,label\na,0\ntext,label\nb,1\n", {}, "one header row", "it again in row 3"),
        (
            'text,label\na,0\n"b" c,1\n',
            {"quote": '"'},
            "quoted fields that end at the closing quote",
            "row 3: ',' expected after '\"'",
        ),
        ("a b,0\nc d,1\ne f\n", {"label_column": "2"}, "2 fields in each row", "1 in row 3"),
    ],
)
def test_a_row_that_does_not_fit_is_placed(file, content, spec, wanted, found):
    path = file(content)
    layout = csv_layout(path, DataSpec(**spec), None)
    with pytest.raises(DataError) as caught:
        list(iter_csv(path, layout))
    error = caught.value
    assert (error.where, error.wanted, error.found) == (str(path), wanted, found)


def test_a_row_beyond_the_sample_that_does_not_fit_is_refused_not_guessed(file, monkeypatch):
    monkeypatch.setattr(csv_file, "SAMPLE_CHARS", 40)
    assert "found 3 in row 22" in fails_to_read(file("text,label\n" + "a,0\n" * 20 + "'b, c',1\n"))


def test_rows_of_a_large_csv_stay_in_order(file, monkeypatch):
    monkeypatch.setattr(csv_file, "BATCH_ROWS", 100)
    monkeypatch.setattr(csv_file, "SAMPLE_CHARS", 1000)
    path = file("".join(f"{i % 2},{i} {'x' * 30}\n" for i in range(305)))
    assert [int(text.split()[0]) for text, _ in read(path)] == list(range(305))


def test_a_row_with_too_many_fields_is_placed(file):
    path = file("label,text\n0,a\n0,b,c\n")
    assert "want 2 fields in each row, found 3 in row 3 (a header counted)" in fails_to_read(path)
