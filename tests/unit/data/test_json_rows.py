"""The forms in which files of JSON hold rows; whole folders of them are in the corpus."""

import json

import pytest

from agnews_ray.data import json_rows
from agnews_ray.data.json_rows import find_form, iter_rows, split_names, split_rows
from agnews_ray.errors import DataError
from tests.fakes.datasets import fails_to_read

ROWS = [{"text": "a", "label": 0}, {"text": "b", "label": 1}]
COLUMNS = {"text": ["a", "b"], "label": [0, 1]}
LINE = json.dumps(ROWS[0])
TEXTS = {
    "lines": (f"{LINE}\n{LINE}\n", "lines"),
    "one line": (LINE, "lines"),
    "blank lines first": (f"\n  \n{LINE}\n\n{LINE}\n", "lines"),
    "byte order mark": (f"\ufeff{LINE}\n{LINE}\n", "lines"),
    "array": (json.dumps(ROWS), "values"),
    "array over lines": (json.dumps(ROWS, indent=2), "values"),
    "objects over lines": ("\n".join(json.dumps(row, indent=2) for row in ROWS), "values"),
    "columns": (json.dumps(COLUMNS), "document"),
    "columns over lines": (json.dumps(COLUMNS, indent=2), "document"),
    "broken line": ('{"text": "a"\n{"text": "b"}\n', "lines"),
}


@pytest.fixture
def file(tmp_path):
    def write(text, name="rows.json", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return write


@pytest.mark.parametrize("name", TEXTS)
def test_the_form_of_a_file_is_told_by_its_beginning(file, name):
    text, form = TEXTS[name]
    assert find_form(file(text), "utf-8") == form


@pytest.mark.parametrize(
    "name", sorted(set(TEXTS) - {"broken line", "one line", "blank lines first"})
)
def test_and_its_rows_are_read_by_that_form(file, name):
    text, form = TEXTS[name]
    found = list(iter_rows(file(text), "utf-8", form))
    assert found == ([ROWS[0]] * 2 if form == "lines" else ROWS)


def test_columns_a_line_are_a_line_where_the_ending_says_so(file):
    text = json.dumps(COLUMNS)
    assert find_form(file(text, "rows.jsonl"), "utf-8") == "lines"
    assert find_form(file(text, "rows.ndjson"), "utf-8") == "lines"


def test_what_looks_like_csv_is_told(file):
    with pytest.raises(DataError, match=r"found what looks like CSV, 'text,label'; rename it to"):
        find_form(file("\ntext,label\na,0\n"), "utf-8")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_values_may_lie_on_the_border_of_two_reads(file, monkeypatch, size):
    monkeypatch.setattr(json_rows, "CHUNK_CHARS", size)
    for text in (json.dumps(ROWS, indent=2), "\n".join(json.dumps(r, indent=2) for r in ROWS)):
        assert list(iter_rows(file(text), "utf-8", "values")) == ROWS


@pytest.mark.parametrize(
    ("text", "form", "line"),
    [
        ('{"text":"a"}\n\n{"text":\n', "lines", 3),
        ('{"text":"a"}\n["text", "b"]\n', "lines", 2),
        ('[\n{"text":"a"},\n{"text": oops}\n]\n', "values", 3),
        ('[\n{"text":"a"},\n"b"\n]\n', "values", 3),
        ('\n\n[\n{"text":"a"},\n{"text": oops}\n]\n', "values", 5),
        ('[{"text":"a"},\n{"text":"b"}\n', "values", 3),  # not closed
        ('{"text":\n["a",]}', "document", 2),
    ],
)
@pytest.mark.parametrize("size", [5, 1000])
def test_a_row_that_is_broken_or_no_object_is_placed(file, monkeypatch, text, form, line, size):
    monkeypatch.setattr(json_rows, "CHUNK_CHARS", size)
    path = file(text)
    with pytest.raises(DataError) as caught:
        list(iter_rows(path, "utf-8", form))
    error = caught.value
    assert (error.where, error.wanted) == (str(path), "one JSON object a line")
    assert (error.found, error.hint) == (f"line {line}", "fix that line")


def test_splits_in_one_document_are_named_and_read_in_its_encoding(file):
    rows = [{"text": "é", "label": 0}, {"text": "b", "label": 1}]
    content = {"train": rows, "test": rows[:1], "version": "1"}
    path = file(json.dumps(content, ensure_ascii=False), encoding="latin-1")
    assert split_names(path, "latin-1") == ["train", "test"]
    assert split_rows(path, "latin-1", "train") == rows
    assert split_names(file(json.dumps({"other": rows})), "utf-8") == []
    assert split_names(file(json.dumps(rows)), "utf-8") == []


def test_a_broken_document_is_placed(file):
    path = file('{"train": [\n{"text": }]}')
    with pytest.raises(DataError) as caught:
        split_names(path, "utf-8")
    assert (caught.value.where, caught.value.found) == (str(path), "line 2")


def test_a_broken_json_line_is_placed(file):
    path = file('{"text":"a","label":0}\n{"text":\n', "x.jsonl")
    assert "found line 2" in fails_to_read(path)


@pytest.mark.parametrize(
    "value", ["9" * 5000, "[" * 20_000 + "]" * 20_000], ids=["digits", "lists"]
)
@pytest.mark.parametrize("form", ["lines", "values", "document"])
def test_what_python_cannot_hold_is_placed(file, form, value):
    path = file(f'{{"text": "a", "label": {value}}}')
    with pytest.raises(DataError, match="line 1"):
        list(iter_rows(path, "utf-8", form))
