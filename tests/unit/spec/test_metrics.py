import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from agnews_ray.spec import metrics


@pytest.fixture(params=range(5))
def rows(request):
    rng = np.random.default_rng(request.param)
    labels = rng.integers(0, 4, 300)
    predicted = np.where(rng.random(300) < 0.6, labels, rng.integers(0, 3, 300))
    return labels, predicted  # class 3 is sometimes never predicted


def test_confusion_equals_sklearns(rows):
    ours = metrics.confusion_matrix(*rows, 4)
    assert (ours == confusion_matrix(*rows, labels=range(4))).all()


def test_a_class_that_no_row_has_has_its_line_too():
    confusion = metrics.confusion_matrix(np.array([0, 1]), np.array([1, 1]), 3)
    assert confusion.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_scores_equal_sklearns(rows):
    confusion = metrics.confusion_matrix(*rows, 4)
    assert metrics.accuracy(confusion) == pytest.approx(accuracy_score(*rows))
    assert metrics.macro_f1(confusion) == pytest.approx(f1_score(*rows, average="macro"))
    per_class = metrics.per_class_scores(confusion)
    theirs = precision_recall_fscore_support(*rows, labels=range(4), zero_division=0)
    for name, expected in zip(("precision", "recall", "f1"), theirs, strict=False):
        assert per_class[name] == pytest.approx(expected)


def test_a_class_never_seen_nor_predicted_adds_nothing():
    assert metrics.macro_f1(np.array([[3, 0, 0], [0, 3, 0], [0, 0, 0]])) == pytest.approx(2 / 3)


@pytest.mark.parametrize("labels", [[], [0, 4], [0, -1], [[0]]])
def test_rows_that_cannot_be_counted_are_refused(labels):
    with pytest.raises(ValueError, match="want"):
        metrics.confusion_matrix(labels, labels, 4)
