from dataclasses import replace
from pathlib import Path

import pytest

from agnews_ray.data.columns import plain
from agnews_ray.data.layout import FileLayout, choose_roles
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

FILE = Path("test.csv")
TRAIN = FileLayout(
    kind="csv",
    columns=("Title", "Body", "Topic", "label"),
    has_header=True,
    text_columns=("Title", "Body"),
    label_column="Topic",
)


def choose(names, like=TRAIN, **spec):
    return choose_roles(FILE, tuple(names.split()), [], DataSpec(**spec), like)


def test_a_column_is_read_once():
    layout = FileLayout(
        kind="csv", columns=("a", "b"), has_header=True, text_columns=("b", "a"), label_column="b"
    )
    assert layout.wanted == ("b", "a")


@pytest.mark.parametrize("names", ["Title Body Topic label", "label TOPIC body_ title"])
def test_columns_are_those_of_the_train_file_in_any_order_and_case(names):
    found = choose(names)
    assert [plain(name) for name in (*found.text, found.label)] == ["title", "body", "topic"]
    assert {*found.text, found.label} < set(names.split())
    assert found.notes == ()


@pytest.mark.parametrize(
    ("names", "like", "text", "label"),
    [
        ("title text label", TRAIN, ("title", "text"), "label"),
        ("title body topic label", None, ("title", "body"), "label"),
        (
            "title body topic label",
            replace(TRAIN, has_header=False),
            ("title", "body"),
            "label",
        ),
    ],
    ids=["other columns", "the train file itself", "a train file without header"],
)
def test_other_columns_are_chosen_by_name(names, like, text, label):
    found = choose(names, like)
    assert (found.text, found.label) == (text, label)


def test_rows_without_labels_are_no_test_split():
    with pytest.raises(DataError) as caught:
        choose("body title")
    error = caught.value
    assert (error.where, error.found) == ("test.csv", "columns body, title")
    assert error.wanted == "a column 'Topic', as in the train file"
    assert "pass the train file alone with --dataset" in error.hint
