"""Accuracy, macro-F1 and per-class scores from a confusion matrix: pure functions."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confusion_matrix(
    labels: ArrayLike, predictions: ArrayLike, num_classes: int
) -> NDArray[np.int64]:
    """Count how often each class was predicted as each class.

    Args:
        labels: shape (N,): the class ids, in [0, num_classes).
        predictions: shape (N,): the predicted class ids, in [0, num_classes).
        num_classes: C.

    Returns:
        Shape (C, C): ``[i, j]`` is the number of rows of class i predicted as class j.

    Raises:
        ValueError: the shapes differ, there is no row, or an id is out of range.
    """
    true, predicted = np.asarray(labels), np.asarray(predictions)
    if true.shape != predicted.shape or true.ndim != 1 or true.size == 0:
        raise ValueError(f"want two equal shapes (N,), got {true.shape} and {predicted.shape}")
    both = np.concatenate([true, predicted])
    if both.min() < 0 or both.max() >= num_classes:
        raise ValueError(f"want ids in [0, {num_classes}), got {both.min()} to {both.max()}")
    flat = true.astype(np.int64) * num_classes + predicted.astype(np.int64)
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def accuracy(confusion: NDArray[np.int64]) -> float:
    """Compute the share of rows on the diagonal.

    Args:
        confusion: shape (C, C): ``[i, j]`` is the number of rows of class i predicted as class j.

    Returns:
        A fraction in [0, 1].

    Raises:
        ValueError: the matrix is not square or has no row.
    """
    _check(confusion)
    return float(np.trace(confusion) / confusion.sum())


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Average the F1 scores of all classes, with equal weights.

    Args:
        confusion: shape (C, C): ``[i, j]`` is the number of rows of class i predicted as class j.

    Returns:
        A fraction in [0, 1]; a class that has no rows and is never predicted adds 0.

    Raises:
        ValueError: the matrix is not square or has no row.

    Source: Opitz and Burst 2019, arXiv:1911.03347 ("averaged F1"); equals scikit-learn's
    ``f1_score(average="macro")`` over all C labels.
    """
    return float(per_class_scores(confusion)["f1"].mean())


def per_class_scores(confusion: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Compute precision, recall and F1 of each class.

    Args:
        confusion: shape (C, C): ``[i, j]`` is the number of rows of class i predicted as class j.

    Returns:
        ``precision``, ``recall`` and ``f1``, each of shape (C,), fractions in [0, 1]; if a
        denominator is 0, the score is 0.

    Raises:
        ValueError: the matrix is not square or has no row.
    """
    _check(confusion)
    return scores_from_counts(np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1))


def scores_from_counts(
    hits: NDArray[Any], predicted: NDArray[Any], actual: NDArray[Any]
) -> dict[str, NDArray[np.float64]]:
    """Compute precision, recall and F1 from the counts of each class.

    Args:
        hits: shape (..., C): the rows of a class that are predicted right.
        predicted: the same shape: the rows predicted as the class.
        actual: the same shape: the rows of the class.

    Returns:
        ``precision``, ``recall`` and ``f1``, each of that shape, fractions in [0, 1]; if a
        denominator is 0, the score is 0.
    """
    return {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, actual),
        "f1": _ratio(2 * hits, predicted + actual),
    }


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    ratio = np.zeros(np.broadcast_shapes(above.shape, below.shape))
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


def _check(confusion: NDArray[np.int64]) -> None:
    square = confusion.ndim == 2 and confusion.shape[0] == confusion.shape[1]
    if not square or not confusion.any():
        raise ValueError(f"want a non-empty square matrix, got shape {confusion.shape}")
