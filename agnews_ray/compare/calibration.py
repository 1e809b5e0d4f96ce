"""Whether probabilities can be trusted: expected calibration error, Brier score, reliability."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from agnews_ray.compare.findings import Calibration, ReliabilityBin

NUM_BINS = 15


def calibrate(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> Calibration:
    """Compare a variant's probabilities with the labels.

    Args:
        logits: shape (K, N, C): the logits of K seeds.
        labels: shape (N,): the class ids.

    Returns:
        The means over the K seeds; the reliability bins have the predictions of all seeds.

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3 (equal-width bins of the top probability);
    Brier 1950, Monthly Weather Review 78(1), in its original form over all classes.
    """
    probabilities = softmax(logits, axis=-1)
    confidence = probabilities.max(axis=-1)
    right = probabilities.argmax(axis=-1) == labels
    truth = np.eye(logits.shape[-1])[labels]
    errors = [_expected_error(c, r) for c, r in zip(confidence, right, strict=True)]
    return Calibration(
        expected_calibration_error=float(np.mean(errors)),
        brier_score=float(((probabilities - truth) ** 2).sum(axis=-1).mean()),
        bins=reliability(confidence.ravel(), right.ravel()),
    )


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[ReliabilityBin, ...]:
    """Sort predictions into ``NUM_BINS`` bins of equal width.

    Args:
        confidence: shape (M,): the probability of the predicted class.
        right: shape (M,): whether the prediction is right.

    Returns:
        The bins with at least one prediction, lowest confidence first.
    """
    # The lower edge is open, as in Guo et al.; the largest probability is never exactly 0.
    index = np.clip(np.ceil(confidence * NUM_BINS).astype(int) - 1, 0, NUM_BINS - 1)
    return tuple(
        ReliabilityBin(
            confidence=float(confidence[inside].mean()),
            accuracy=float(right[inside].mean()),
            num_predictions=int(inside.sum()),
        )
        for inside in (index == number for number in range(NUM_BINS))
        if inside.any()
    )


def _expected_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    bins = reliability(confidence, right)
    gaps = [b.num_predictions * abs(b.accuracy - b.confidence) for b in bins]
    return float(sum(gaps) / confidence.size)
