import inspect
import pickle

import pytest

from agnews_ray import errors

CLASSES = [
    one
    for _, one in inspect.getmembers(errors, inspect.isclass)
    if issubclass(one, errors.AgnewsError)
]


@pytest.mark.parametrize("one", CLASSES)
def test_every_error_survives_the_way_from_a_worker(one):
    error = one("job", ["a: b", "c: d"]) if one is errors.SpecError else one("a", "b", "c", "d")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (one, str(error))


def test_an_error_says_where_what_and_what_to_do():
    error = errors.DataError("x.csv, row 3", "a number", "'abc'", "correct it")
    assert str(error) == "x.csv, row 3: want a number, found 'abc'; correct it"


def test_no_message_is_longer_than_a_few_lines_of_a_terminal():
    columns = ", ".join(f"column {i}" for i in range(1000))
    text = str(errors.DataError("/a" * 500 + "/x.csv, row 3", "a\nb " * 90, columns, "do this"))
    assert len(f"error: {text}") <= 400
    assert "x.csv, row 3: want a b" in text
    assert text.endswith("…; do this")
    assert "\n" not in text
    assert all(len(line) <= 400 for line in str(errors.SpecError("job", ["a" * 999])).split("\n"))


def test_the_drawn_tree_names_every_error():
    assert all(one.__name__ in errors.__doc__ for one in CLASSES)
