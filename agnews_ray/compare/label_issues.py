"""Doubts about the test set: rows that all get wrong, duplicates, and scores without them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from agnews_ray.compare.findings import (
    Disagreement,
    DoubtfulRows,
    DuplicateRow,
    HardRow,
    Subset,
)
from agnews_ray.record.outputs import TestRows
from agnews_ray.spec.metrics import accuracy, confusion_matrix, macro_f1

MAX_LISTED = 200
"""The largest number of rows of a kind that are listed; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPredictions:
    """One variant's predictions."""

    name: str
    predicted: NDArray[np.int64]
    """Shape (K, N): the predicted class ids, one line per seed."""
    logits: NDArray[np.float64]
    """Shape (K, N, C): the logits."""


def doubt_rows(
    variants: Sequence[VariantPredictions],
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    test_rows: TestRows | None,
) -> DoubtfulRows:
    """Find the rows whose label, or place in the test set, is doubtful.

    Args:
        variants: all variants of a study.
        rows: shape (N,): the row numbers in the source.
        labels: shape (N,): the class ids.
        class_names: the class names, in label order.
        test_rows: texts and duplicates in the same order, if they are kept.

    Returns:
        The rows, and every variant's scores with and without them.
    """
    texts = test_rows.texts if test_rows else None
    is_hard = _hard_rows(variants, labels)
    hard = _describe_hard(variants, is_hard, rows, labels, class_names, texts)
    keep = {"all test rows": np.ones(labels.size, dtype=bool)}
    keep["without rows that every trial gets wrong with confidence"] = ~is_hard
    duplicates: list[DuplicateRow] = []
    if test_rows:
        in_train = np.array([twin is not None for twin in test_rows.twin_in_train])
        # The first of several equal test rows stays.
        again = [
            twin is not None and twin < row
            for twin, row in zip(test_rows.twin_in_test, rows, strict=True)
        ]
        keep["without duplicates"] = ~(in_train | np.array(again))
        keep["without either"] = keep["without duplicates"] & ~is_hard
        duplicates = list(_duplicates(test_rows, rows))
    disagreements = sorted(
        _disagreements(variants, rows, labels, class_names, texts),
        key=lambda found: -found.probability,
    )
    return DoubtfulRows(
        num_hard=len(hard),
        hard=tuple(hard[:MAX_LISTED]),
        num_duplicates=len({one.row for one in duplicates}) if test_rows else None,
        duplicates=tuple(duplicates[:MAX_LISTED]),
        subsets=tuple(
            _subset(name, variants, labels, kept) for name, kept in keep.items() if kept.any()
        ),
        num_disagreements=len(disagreements),
        disagreements=tuple(disagreements[:MAX_LISTED]),
    )


def _hard_rows(
    variants: Sequence[VariantPredictions], labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Find the rows that each trial gets wrong, as sure as it usually is of right predictions.

    Source: the per-class threshold of confident learning, Northcutt et al. 2021,
    arXiv:1911.00068, eq. 2: the mean probability of class j over the rows labelled j.
    """
    is_hard = np.ones(labels.size, dtype=bool)
    for variant in variants:
        for logits, predicted in zip(variant.logits, variant.predicted, strict=True):
            probabilities = softmax(logits, axis=-1)
            usual = np.array(
                [
                    probabilities[labels == j, j].mean() if (labels == j).any() else 1.0
                    for j in range(logits.shape[-1])
                ]
            )
            is_hard &= (predicted != labels) & (probabilities.max(axis=-1) >= usual[predicted])
    return is_hard


def _describe_hard(
    variants: Sequence[VariantPredictions],
    is_hard: NDArray[np.bool_],
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    texts: Sequence[str] | None,
) -> list[HardRow]:
    found = []
    for index in np.flatnonzero(is_hard).tolist():
        predicted = np.concatenate([variant.predicted[:, index] for variant in variants])
        logits = np.concatenate([variant.logits[:, index] for variant in variants])
        preferred, num_votes = Counter(predicted.tolist()).most_common(1)[0]
        found.append(
            HardRow(
                row=int(rows[index]),
                text=texts[index] if texts else None,
                label=class_names[labels[index]],
                preferred=class_names[preferred],
                num_votes=num_votes,
                probability=_mean_probability(logits, preferred),
            )
        )
    return sorted(found, key=lambda row: -row.probability)


def _duplicates(test_rows: TestRows, rows: NDArray[np.int64]) -> Iterator[DuplicateRow]:
    for index, row in enumerate(rows.tolist()):
        text = test_rows.texts[index]
        in_train, in_test = test_rows.twin_in_train[index], test_rows.twin_in_test[index]
        if in_train is not None:
            exact = test_rows.is_exact_in_train[index]
            yield DuplicateRow(
                row=row, text=text, twin_split="train", twin_row=in_train, is_exact=exact
            )
        if in_test is not None and in_test < row:
            exact = test_rows.is_exact_in_test[index]
            yield DuplicateRow(
                row=row, text=text, twin_split="test", twin_row=in_test, is_exact=exact
            )


def _disagreements(
    variants: Sequence[VariantPredictions],
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    texts: Sequence[str] | None,
) -> Iterator[Disagreement]:
    """Find rows that all seeds of the baseline get right, all of a variant wrong, or reverse."""
    baseline, *others = variants
    for other in others:
        for right, wrong in ((baseline, other), (other, baseline)):
            is_right = (right.predicted == labels).all(axis=0)
            is_wrong = (wrong.predicted != labels).all(axis=0)
            for index in np.flatnonzero(is_right & is_wrong).tolist():
                guess = Counter(wrong.predicted[:, index].tolist()).most_common(1)[0][0]
                yield Disagreement(
                    row=int(rows[index]),
                    text=texts[index] if texts else None,
                    label=class_names[labels[index]],
                    right=right.name,
                    wrong=wrong.name,
                    predicted=class_names[guess],
                    probability=_mean_probability(wrong.logits[:, index], guess),
                )


def _subset(
    name: str,
    variants: Sequence[VariantPredictions],
    labels: NDArray[np.int64],
    keep: NDArray[np.bool_],
) -> Subset:
    scores = []
    for variant in variants:
        confusions = [
            confusion_matrix(labels[keep], predicted[keep], variant.logits.shape[-1])
            for predicted in variant.predicted
        ]
        pairs = [(accuracy(confusion), macro_f1(confusion)) for confusion in confusions]
        scores.append(np.mean(pairs, axis=0))
    return Subset(
        name=name,
        num_rows=int(keep.sum()),
        accuracy=tuple(float(score[0]) for score in scores),
        macro_f1=tuple(float(score[1]) for score in scores),
    )


def _mean_probability(logits: NDArray[np.float64], class_id: int) -> float:
    return float(softmax(logits, axis=-1)[:, class_id].mean())
