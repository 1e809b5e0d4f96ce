"""The forms in which JSON holds rows; whole folders of them are in the corpus."""

import json
from pathlib import Path

import pytest

from agnews_ray.data.json_documents import is_document, is_table, rows_of
from agnews_ray.data.json_rows import find_form, iter_rows, split_names, split_rows
from agnews_ray.errors import DataError

ROWS = [{"text": "a", "label": 0}, {"text": "b", "label": 1}]
FORMS = {
    "array": ROWS,
    "columns": {"text": ["a", "b"], "label": [0, 1]},
    "columns by row name": {"text": {"x": "a", "y": "b"}, "label": {"y": 1, "x": 0}},
    "columns of names unlike": {"what": ["a", "b"], "kind": [0, 1]},
    "rows by name": {"x": ROWS[0], "y": ROWS[1]},
    "split frame": {"columns": ["text", "label"], "index": [0, 1], "data": [["a", 0], ["b", 1]]},
    "an object around rows": {"data": ROWS, "version": "1"},
    "an object around columns": {"data": {"text": ["a", "b"], "label": [0, 1]}},
}
NAMES = {"columns of names unlike": {"what": "text", "kind": "label"}}
NO_DOCUMENTS = [
    {"text": "a", "label": 0},
    {"text": ["a"], "label": 0},
    {},
    [],
    "text",
    {"columns": "text"},
    {"data": []},
    {"tags": ["x", "y"]},
]


@pytest.fixture
def file(tmp_path):
    def write(text, name="rows.json", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return write


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_found_in_every_form(form):
    found = rows_of(Path("rows.json"), FORMS[form])
    names = NAMES.get(form, {})
    assert [{names.get(key, key): value for key, value in row.items()} for row in found] == ROWS


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"array"}))
def test_an_object_of_that_form_is_a_document(form):
    assert is_document(FORMS[form])
    assert is_table(FORMS[form]) is (len(FORMS[form]) > 1)


@pytest.mark.parametrize("value", NO_DOCUMENTS, ids=str)
def test_a_row_is_none(value):
    assert not is_document(value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"text": ["a", "b"], "label": [0]}, "others in 'label'"),
        ({"text": {"x": "a"}, "label": {"y": 0}}, "others in 'label'"),
        ({"what": {"x": "a"}, "kind": {"y": 0}}, "other row names in one"),
        ({"one": ROWS, "two": ROWS}, "something else"),
        ({"what": ["a", "b"], "kind": [0]}, "something else"),
        (["a", "b"], "something else"),
        ("text", "something else"),
    ],
    ids=str,
)
def test_what_holds_no_rows_is_refused(value, found):
    with pytest.raises(DataError) as caught:
        rows_of(Path("rows.json"), value)
    assert (caught.value.where, caught.value.found) == ("rows.json", found)
    assert "one object a line" in caught.value.hint


LINE = json.dumps(ROWS[0])
TEXTS = {
    "lines": (f"{LINE}\n{LINE}\n", "lines"),
    "one line": (LINE, "lines"),
    "blank lines first": (f"\n  \n{LINE}\n\n{LINE}\n", "lines"),
    "byte order mark": (f"\ufeff{LINE}\n{LINE}\n", "lines"),
    "array": (json.dumps(ROWS), "values"),
    "array over lines": (json.dumps(ROWS, indent=2), "values"),
    "objects over lines": ("\n".join(json.dumps(row, indent=2) for row in ROWS), "values"),
    "columns": (json.dumps(FORMS["columns"]), "document"),
    "columns over lines": (json.dumps(FORMS["columns"], indent=2), "document"),
    "broken line": ('{"text": "a"\n{"text": "b"}\n', "lines"),
}


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
    text = json.dumps(FORMS["columns"])
    assert find_form(file(text, "rows.jsonl"), "utf-8") == "lines"
    assert find_form(file(text, "rows.ndjson"), "utf-8") == "lines"


def test_what_looks_like_csv_is_told(file):
    with pytest.raises(DataError, match=r"found what looks like CSV, 'text,label'; rename it to"):
        find_form(file("\ntext,label\na,0\n"), "utf-8")


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
