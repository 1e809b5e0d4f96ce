"""Whether a training came to anything: a loss or logits that are not numbers are named as such."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agnews_ray.record.outputs import NO_CLASS


def predicted_classes(logits: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find each row's most likely class.

    Args:
        logits: shape (N, C).

    Returns:
        Shape (N,), class ids; ``NO_CLASS`` where a logit is not a number. (The largest of NaNs is
        the first to numpy, which would make class 0 of a model that says nothing.)
    """
    is_number = np.isfinite(logits).all(axis=1)
    return np.where(is_number, logits.argmax(axis=1), NO_CLASS).astype(np.int64)


def divergence(loss: NDArray[np.float64], predicted: Sequence[NDArray[np.int64]]) -> str | None:
    """Say in what a training diverged.

    A loss that was not a number and is one again is none: loss scaling in FP16 leaves out such
    steps. What counts is how training ended, and what the model says of rows.

    Args:
        loss: shape (steps,), of each step.
        predicted: of each split that was scored, from ``predicted_classes``.

    Returns:
        A reason such as "loss is not a number from step 120 of 500 on", or None.
    """
    reasons = []
    is_number = np.isfinite(loss)
    if not is_number[-1]:
        first = int(np.flatnonzero(is_number)[-1]) + 2 if is_number.any() else 1
        reasons.append(f"loss is not a number from step {first:,} of {loss.size:,} on")
    num_rows = sum(classes.size for classes in predicted)
    num_without = sum(int((classes == NO_CLASS).sum()) for classes in predicted)
    if num_without:
        reasons.append(f"logits of {num_without:,} of {num_rows:,} rows are not numbers")
    return ", ".join(reasons) or None
