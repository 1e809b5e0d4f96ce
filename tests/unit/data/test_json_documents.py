"""The forms in which one JSON value holds rows; whole folders of them are in the corpus."""

from pathlib import Path

import pytest

from agnews_ray.data.json_documents import is_document, is_table, rows_of
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
