"""Columns told by their names; folders with other names are in the corpus."""

from pathlib import Path

import pytest

from agnews_ray.data.columns import Roles, choose_columns, names_both_roles, plain
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import fails_to_read, read

FILE = Path("rows.csv")
HOT = ["0", "1", "0", "1"]
TEXTS = ["one", "two", "three", "four"]


def choose(names, sample=(), **spec):
    return choose_columns(FILE, tuple(names.split()), sample, DataSpec(**spec))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Class Index", "classindex"),
        ("class_index", "classindex"),
        ("\ufeff#Text", "text"),
        ("Unnamed: 0", ""),
        ("Unnamed: 1_level_0", ""),
        ("unnamed", "unnamed"),
    ],
)
def test_a_columns_name_is_its_letters_and_digits(name, expected):
    assert plain(name) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["text", "label"], True),
        (["Class Index", "Title", "x"], True),
        (["text", "title"], False),
        (["label", "target"], False),
        (["0", "label"], False),
    ],
)
def test_a_header_names_a_text_and_a_label(cells, expected):
    assert names_both_roles(cells) is expected


@pytest.mark.parametrize(
    ("names", "text", "label", "notes"),
    [
        ("id text label", "text", "label", ()),
        ("title label", "title", "label", ()),
        ("label description title", "title description", "label", ()),
        ("summary reviewText overall", "summary reviewText", "overall", ("label from 'overall'",)),
        (
            "Class_Index Title Description",
            "Title Description",
            "Class_Index",
            ("label from 'Class_Index'",),
        ),
        ("comment text label", "text", "label", ("text from 'text', not 'comment'",)),
        ("body rating category", "body", "category", ("label from 'category', not 'rating'",)),
        ("text label category", "text", "label", ("label from 'label', not 'category'",)),
    ],
)
def test_columns_are_known_by_name_and_a_choice_is_said(names, text, label, notes):
    assert choose(names) == Roles(tuple(text.split()), label, notes)


@pytest.mark.parametrize(
    ("names", "spec", "wanted", "found", "hint"),
    [
        ("review comment label", {}, "one text column", "'review' and 'comment'", "review,comment"),
        (
            "text topic category",
            {},
            "one label column",
            "'category', 'topic', all of them likely",
            "--label-column category",
        ),
        ("text text label", {}, "columns of different names", "'text' twice", "rename one"),
        ("Text text_ label", {}, "columns of different names", "'text' twice", "rename one"),
        (
            "text label",
            {"text_columns": ("label",), "label_column": "label"},
            "text and label in two columns",
            "'label' as both",
            "name another",
        ),
        (
            "lable text",
            {},
            "a label column named label, class, category, target, intent, sentiment, topic, ...",
            "columns lable, text",
            "perhaps 'lable'",
        ),
        (
            "label foo",
            {},
            "a text column named text, sentence, content, review, title + description, ...",
            "columns label, foo",
            "name it with --text-column",
        ),
    ],
)
def test_a_choice_that_is_not_clear_is_refused(names, spec, wanted, found, hint):
    with pytest.raises(DataError) as caught:
        choose(names, **spec)
    error = caught.value
    assert (error.where, error.wanted, error.found) == ("rows.csv", wanted, found)
    assert hint in error.hint


def test_names_that_are_stated_need_not_be_told_apart():
    spec = {"text_columns": ("Text",), "label_column": "KIND"}
    assert choose("Text text_ kind", **spec) == Roles(("Text",), "kind")


@pytest.mark.parametrize(
    ("names", "num_hot", "found"),
    [
        ("text toxic obscene threat", 3, "columns of 0 and 1: toxic, obscene, threat"),
        ("text red green", 2, "columns of 0 and 1: red, green"),
    ],
)
def test_a_column_for_each_label_is_refused(names, num_hot, found):
    with pytest.raises(DataError) as caught:
        choose(names, [TEXTS, *[HOT] * num_hot])
    error = caught.value
    assert (error.wanted.startswith("one label column"), error.found) == (True, found)
    assert "make one column of class names" in error.hint


def test_one_label_beside_another_column_of_0_and_1_is_read():
    assert choose("text toxic edited", [TEXTS, HOT, HOT]).label == "toxic"


def test_a_column_of_few_values_is_named_in_the_hint():
    with pytest.raises(DataError, match=r"--label-column, perhaps 'flavour'"):
        choose("id text flavour", [TEXTS, TEXTS, ["a", "b", "a", "b"]])


def test_columns_are_found_whatever_their_case(tmp_path):
    path = tmp_path / "kaggle.csv"
    path.write_text("Class Index,Title,Description\n1,T,D\n")
    assert read(path) == [("T D", "1")]


def test_a_missing_column_names_the_nearest(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("text,label\na,0\n")
    assert "did you mean 'text'?" in fails_to_read(path, text_columns=("txet",))
    assert "found columns text, label" in fails_to_read(path, label_column="zzz")


def test_a_file_without_known_columns_says_what_it_has(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("foo,bar\na,0\n")
    assert "found columns foo, bar; name it with --label-column" in fails_to_read(path)
