import numpy as np
import pytest

from agnews_ray.compare.label_issues import VariantPredictions, doubt_rows
from agnews_ray.record.outputs import TestRows

LABELS = np.array([0, 0, 0, 1, 1, 1])
ROWS = np.arange(10, 16)


def predictions(name, *lines):
    """One line a seed: probability of class 1 for each row."""
    p = np.array(lines)
    logits = np.log(np.stack([1 - p, p], axis=-1))
    return VariantPredictions(name=name, predicted=logits.argmax(axis=-1), logits=logits)


@pytest.fixture
def found():
    variants = [
        # Row 10 is wrong and sure everywhere; row 13 wrong everywhere, once not sure.
        predictions("a", [0.99, 0.1, 0.2, 0.05, 0.9, 0.8], [0.98, 0.1, 0.2, 0.45, 0.9, 0.8]),
        predictions("b", [0.99, 0.1, 0.2, 0.05, 0.9, 0.1]),
    ]
    test_rows = TestRows(
        texts=["A", "B", "C", "D", "E", "c!"],
        twin_in_test=[None, None, 15, None, None, 12],
        twin_in_train=[None, 3, None, None, None, None],
        is_exact_in_test=[False] * 6,
        is_exact_in_train=[False, True, False, False, False, False],
    )
    return doubt_rows(variants, ROWS, LABELS, ("no", "yes"), test_rows)


def test_rows_that_all_get_wrong_with_confidence_are_listed(found):
    (row,) = found.hard
    assert (row.row, row.text, row.label, row.preferred) == (10, "A", "no", "yes")
    assert row.num_votes == 3
    assert row.probability == pytest.approx((0.99 + 0.98 + 0.99) / 3)


def test_of_twins_inside_test_the_first_stays(found):
    listed = [(one.row, one.twin_split, one.twin_row, one.is_exact) for one in found.duplicates]
    assert listed == [(11, "train", 3, True), (15, "test", 12, False)]


def test_scores_are_given_with_and_without_doubtful_rows(found):
    assert [subset.num_rows for subset in found.subsets] == [6, 5, 4, 3]
    assert found.subsets[0].accuracy == pytest.approx((4 / 6, 3 / 6))
    assert found.subsets[1].accuracy == pytest.approx((4 / 5, 3 / 5))
    assert found.subsets[3].accuracy == pytest.approx((2 / 3, 2 / 3))


def test_rows_that_tell_models_apart_are_listed(found):
    (row,) = found.disagreements
    assert (row.row, row.right, row.wrong, row.predicted) == (15, "a", "b", "no")


def test_without_kept_rows_the_texts_are_missing_and_nothing_else():
    variants = [predictions("a", [0.99, 0.1, 0.2, 0.9, 0.9, 0.8])]
    found = doubt_rows(variants, ROWS, LABELS, ("no", "yes"), None)
    assert found.num_duplicates is None
    assert [(row.row, row.text) for row in found.hard] == [(10, None)]
    assert len(found.subsets) == 2


def test_the_surest_of_those_that_tell_models_apart_come_first():
    variants = [
        predictions("a", [0.1, 0.1, 0.1, 0.9, 0.9, 0.9]),
        predictions("b", [0.6, 0.9, 0.1, 0.2, 0.9, 0.9]),
    ]
    texts = list("ABCDEF")
    nothing = [None] * 6
    test_rows = TestRows(
        texts=texts,
        twin_in_test=nothing,
        twin_in_train=nothing,
        is_exact_in_test=[False] * 6,
        is_exact_in_train=[False] * 6,
    )
    found = doubt_rows(variants, ROWS, LABELS, ("no", "yes"), test_rows).disagreements
    assert [(row.text, row.row, row.label, row.predicted) for row in found] == [
        ("B", 11, "no", "yes"),
        ("D", 13, "yes", "no"),
        ("A", 10, "no", "yes"),
    ]
    assert [row.probability for row in found] == pytest.approx([0.9, 0.8, 0.6])
