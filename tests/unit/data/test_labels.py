from pathlib import Path

import pytest

from agnews_ray.data.labels import (
    LabelMap,
    Sighting,
    decide_labels,
    refuse_unknown,
    refuse_unlikely,
    reordered,
)
from agnews_ray.errors import DataError
from tests.fakes.datasets import fails_to_scan, scan, three_classes, write

FILE = Path("train.csv")


def sightings(*words, count=10, **counts):
    """Return each label's first row, counted from 1, and how often it occurs."""
    return {word: Sighting(FILE, row, counts.get(word, count)) for row, word in enumerate(words, 1)}


@pytest.fixture
def folder(tmp_path):
    return three_classes(tmp_path / "d")


@pytest.mark.parametrize(
    ("words", "names", "base", "kind", "raw"),
    [
        ("1 0 2", None, None, "integers from 0", "0 1 2"),
        ("2 1", None, None, "integers from 1", "1 2"),
        ("b a", None, None, "names", "a b"),
        ("b a", "b a", None, "names", "b a"),  # the order that was given
        ("1 0", "no yes", None, "integers from 0", "0 1"),
        ("2 1", "no yes", 1, "integers from 1", "1 2"),
        ("01 02 10", None, None, "names", "01 02 10"),
        ("1 2", "2 1", None, "names", "2 1"),  # numbers that are the names
        ("-1 1", None, None, "names", "-1 1"),
        ("2020 2024 2022", None, None, "names", "2020 2022 2024"),
        ("1 5 3", None, None, "names", "1 3 5"),
    ],
)
def test_how_labels_are_written_is_told_by_all_of_them(words, names, base, kind, raw):
    stated = tuple(names.split()) if names else None
    found = decide_labels(sightings(*words.split()), stated, base)
    assert (found.kind, found.raw) == (kind, tuple(raw.split()))
    assert found.names == (stated or found.raw)
    assert [found.class_id(word) for word in found.raw] == list(range(len(found.raw)))


def test_numbers_with_gaps_are_names_and_said_to_be():
    assert decide_labels(sightings("-1", "1"), None, None).notes == (
        "labels -1 to 1 are names in numeric order",
    )
    assert decide_labels(sightings("0", "1"), None, None).notes == ()


@pytest.mark.parametrize(
    ("others", "count", "is_class"),
    [(10, 1, False), (10, 2, True), (1000, 6, False), (1000, 7, True)],  # 6.69 is a hundredth
)
def test_a_label_beyond_a_gap_is_a_mistake_if_it_is_alone_or_very_rare(others, count, is_class):
    seen = sightings("0", "1", "7", count=others, **{"7": count})
    if is_class:
        assert decide_labels(seen, None, None).raw == ("0", "1", "7")
        return
    with pytest.raises(DataError, match=r"row 3: want a number from 0 to 1 without gaps"):
        decide_labels(seen, None, None)


@pytest.mark.parametrize(
    ("words", "names", "base", "where", "wanted", "found"),
    [
        ("a", None, None, "train.csv", "at least two classes", "only 'a'"),
        ("0 1", "a b c", None, "train.csv", "train rows of class '2'", "none"),
        ("a b c", "a b", None, "train.csv, row 3", "one of the labels a, b", "'c'"),
        ("a b 3", None, None, "train.csv, row 3", "a class name", "'3'"),
        ("2 3", None, 0, "train.csv, row 1", "integer labels from 0", "'2'"),
    ],
)
def test_labels_that_are_no_set_of_classes_are_refused(words, names, base, where, wanted, found):
    with pytest.raises(DataError) as caught:
        decide_labels(sightings(*words.split()), tuple(names.split()) if names else None, base)
    error = caught.value
    assert (error.where, error.wanted, error.found) == (where, wanted, found)


def test_test_rows_whose_labels_are_kept_secret_are_told():
    labels = decide_labels(sightings("0", "1"), None, None)
    with pytest.raises(DataError, match=r"want labels to score by, found -1 in every row"):
        refuse_unknown(sightings("-1"), labels)
    with pytest.raises(DataError, match=r"row 2: want a number from 0 to 1"):
        refuse_unknown(sightings("0", "-1"), labels)


@pytest.mark.parametrize(
    ("num_labels", "count", "is_refused"),
    [(12, 1, False), (13, 1, True), (13, 2, True), (13, 3, False)],
)
def test_a_column_that_seldom_repeats_a_value_is_not_one_of_labels(num_labels, count, is_refused):
    seen = sightings(*(f"title {i}" for i in range(num_labels)), count=count)
    if not is_refused:
        assert refuse_unlikely(seen) is None
        return
    with pytest.raises(DataError) as caught:
        refuse_unlikely(seen)
    assert caught.value.found == f"{num_labels} different values in {num_labels * count} rows"
    assert "--label-column" in caught.value.hint


def test_a_file_with_class_names_in_another_order_is_read_in_that_of_the_train_split():
    labels = LabelMap(kind="integers from 0", raw=("0", "1", "2"), names=("a", "b", "c"))
    own = reordered(labels, Path("test.parquet"), ("c", "a", "b"))
    assert own.raw == ("1", "2", "0")
    assert own.class_id("0") == 2
    with pytest.raises(DataError) as caught:
        reordered(labels, Path("test.parquet"), ("a", "b", "d"))
    error = caught.value
    assert (error.where, error.found) == ("test.parquet", "other ones: c, d")


def test_names_are_labels_too(folder):
    write(folder, "train", [("a", "spam"), ("b", "ham")])
    write(folder, "test", [("c", "ham")])
    scanned = scan(folder)
    assert scanned.record.class_names == ("ham", "spam")
    (table,) = scanned.train.iter_selected(0)
    assert table["label"].to_pylist() == [1, 0]


def test_a_label_that_is_no_number_is_placed(folder):
    write(folder, "train", [("a", 0), ("b", 1), ("c", "1x")])
    text = fails_to_scan(folder)
    assert "train.csv, row 3: want a number from 0 to 1 without gaps, found '1x'" in text


def test_a_label_outside_the_set_is_placed(folder):
    write(folder, "train", [("a", 0), ("b", 1), ("c", 9)])
    assert "row 3: want a number from 0 to 1 without gaps, found '9'" in fails_to_scan(folder)
    assert "row 3: want a number from 0 to 2 without gaps" in fails_to_scan(
        folder, class_names=tuple("abc")
    )


def test_a_test_label_that_train_never_saw_is_placed(folder):
    write(folder, "test", [("a", 0), ("b", 3)])
    assert "test.csv, row 2: want a number from 0 to 2" in fails_to_scan(folder)


def test_a_misspelt_name_finds_the_nearest(folder):
    write(folder, "train", [("a", "spam"), ("b", "ham")])
    write(folder, "test", [("c", "spma")])
    assert "did you mean 'spam'?" in fails_to_scan(folder)


def test_one_class_is_not_enough(folder):
    write(folder, "train", [("a", 0)])
    assert "at least two classes" in fails_to_scan(folder)
