"""Score predictions with ``evaluate`` and metric classes of this package.

``evaluate.load("accuracy")`` would download and run code; these subclasses compute the same.
"""

import tempfile
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray

from agnews_ray.record.schema import ClassScores, Scores
from agnews_ray.spec import metrics


class _ConfusionMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate is untyped
    """A metric of integer predictions and references, computed from their confusion matrix."""

    def __init__(self, num_classes: int, cache_dir: str) -> None:
        super().__init__(keep_in_memory=True, cache_dir=cache_dir)
        self._num_classes = num_classes

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=type(self).__doc__ or "",
            citation="",
            inputs_description="predictions and references: class ids",
            features=datasets.Features(
                {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
            ),
        )

    def _confusion(self, predictions: Any, references: Any) -> NDArray[np.int64]:
        return metrics.confusion_matrix(references, predictions, self._num_classes)


class Accuracy(_ConfusionMetric):
    """The share of right predictions."""

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        return {"accuracy": metrics.accuracy(self._confusion(predictions, references))}


class MacroF1(_ConfusionMetric):
    """The mean of the classes' F1 scores."""

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        return {"macro_f1": metrics.macro_f1(self._confusion(predictions, references))}


def score(
    labels: NDArray[np.int64], predictions: NDArray[np.int64], class_names: tuple[str, ...]
) -> Scores:
    """Score one split.

    Args:
        labels: shape (N,): the class ids, in [0, C).
        predictions: shape (N,): the predicted class ids, in [0, C), or below 0 for none.
        class_names: C names.

    Returns:
        Fractions in [0, 1], equal to scikit-learn's; no scores if a row has no predicted class.

    Raises:
        ValueError: there is no row, or an id is out of range.
    """
    if (predictions < 0).any():
        return Scores.none_of(int(labels.size))
    confusion = metrics.confusion_matrix(labels, predictions, len(class_names))
    per_class = metrics.per_class_scores(confusion)
    with tempfile.TemporaryDirectory() as folder:  # evaluate always makes a cache folder
        both = evaluate.combine(
            [Accuracy(len(class_names), folder), MacroF1(len(class_names), folder)]
        ).compute(predictions=predictions, references=labels)
    return Scores(
        accuracy=both["accuracy"],
        macro_f1=both["macro_f1"],
        num_examples=int(labels.size),
        per_class=tuple(
            ClassScores(
                name=name,
                precision=per_class["precision"][i],
                recall=per_class["recall"][i],
                f1=per_class["f1"][i],
                num_examples=int(confusion[i].sum()),
            )
            for i, name in enumerate(class_names)
        ),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
    )
