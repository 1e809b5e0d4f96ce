"""Whether each class has rows in each split: an error for train, a note for the others."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

NUM_NAMED = 3
MAX_NAME = 30


def refuse_low_limit(spec: DataSpec, train_labels: NDArray[np.int16]) -> None:
    """Refuse a train sample that cannot have a row of each class.

    Args:
        spec: the data settings, which have the limit.
        train_labels: shape (N,), class ids of the whole train split.

    Raises:
        DataError: the limit is below the number of classes.
    """
    num_classes = np.unique(train_labels).size
    if spec.limit_train is not None and spec.limit_train < num_classes:
        wanted = f"a train row of each of its {num_classes:,} classes"
        hint = f"use --limit-train {num_classes} or more, or leave it out"
        raise DataError(spec.source, wanted, f"limit_train {spec.limit_train}", hint)


def describe_missing(
    splits: Mapping[str, NDArray[np.int16]], class_names: Sequence[str]
) -> tuple[str, ...]:
    """Describe which splits have no row of a class.

    Args:
        splits: class ids of the rows used, by name of the split.
        class_names: in label order.

    Returns:
        A sentence for each split that lacks classes; a split without rows is ignored.
    """
    sentences = []
    for split, labels in splits.items():
        counts = np.bincount(labels, minlength=len(class_names))
        missing = [name for name, count in zip(class_names, counts, strict=True) if not count]
        if missing and labels.size:
            shown = ", ".join(name[:MAX_NAME] for name in missing[:NUM_NAMED])
            such_as = f", such as {shown}" if len(missing) > NUM_NAMED else f": {shown}"
            sentences.append(
                f"the {split} rows used ({labels.size:,}) have none of {len(missing):,} of "
                f"{len(class_names):,} classes{such_as}"
            )
    return tuple(sentences)
