"""Whether a training diverged: its loss or its logits are not numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agnews_ray.record.outputs import NO_CLASS


def predicted_classes(logits: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find each row's most likely class.

    Args:
        logits: shape (N, C).

    Returns:
        Shape (N,): the class ids; ``NO_CLASS`` if a logit is not a number. (NumPy takes the first
        of several NaNs as the largest, so such a model would seem to predict class 0.)
    """
    is_number = np.isfinite(logits).all(axis=1)
    return np.where(is_number, logits.argmax(axis=1), NO_CLASS).astype(np.int64)


def divergence(loss: NDArray[np.float64], predicted: Sequence[NDArray[np.int64]]) -> str | None:
    """Say how a training diverged.

    A loss that is a number again later is no divergence: loss scaling in FP16 skips such steps.
    Only the last loss and the model's logits count.

    Args:
        loss: shape (steps,), the loss of each step.
        predicted: the result of ``predicted_classes`` for each scored split.

    Returns:
        A reason such as "loss is not a number from step 120 of 500 on"; None without divergence.
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
