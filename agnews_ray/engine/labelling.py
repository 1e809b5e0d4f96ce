"""Facts about a teacher's logits for the rows of its students, and the refusal of an unfit teacher.

The columns of the logits are the study's classes, in their order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, softmax

from agnews_ray.compare.calibration import calibrate
from agnews_ray.data.batches import NO_LABEL
from agnews_ray.errors import ModelError

SIGNIFICANCE = 0.00135
"""The level of each one-sided test: 3 standard deviations of a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFacts:
    """How well a teacher's logits fit the labels of the rows that have one."""

    accuracy: float | None
    """The accuracy on the labelled rows, a fraction in [0, 1]; None without any."""
    calibration_error: float | None
    """The expected calibration error on the labelled rows, as ``compare.calibration`` defines it;
    None without any."""
    mean_confidence: float
    """The mean of the highest probability over all rows, in [0, 1]."""


def describe_labels(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> LabelFacts:
    """Compare a teacher's logits with the labels.

    Args:
        logits: shape (N, C): the logits.
        labels: shape (N,): the class ids; ``NO_LABEL`` for rows without label.

    Returns:
        The facts.
    """
    exact = logits.astype(np.float64)
    confidence = float(softmax(exact, axis=1).max(axis=1).mean())
    is_labelled = labels != NO_LABEL
    known, truth = exact[is_labelled], labels[is_labelled]
    if not truth.size:
        return LabelFacts(accuracy=None, calibration_error=None, mean_confidence=confidence)
    return LabelFacts(
        accuracy=float((known.argmax(axis=1) == truth).mean()),
        calibration_error=calibrate(known[None], truth).expected_calibration_error,
        mean_confidence=confidence,
    )


def check_teacher(teacher: str, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
    """Refuse a teacher whose logits are not numbers, or have little to do with the labels.

    Args:
        teacher: the teacher's name, for the message.
        logits: shape (N, C): its logits.
        labels: shape (N,): the class ids; ``NO_LABEL`` for rows without label.

    Raises:
        ModelError: a logit is not finite, or the accuracy on the labelled rows is near chance.
    """
    num_bad = int((~np.isfinite(logits).all(axis=1)).sum())
    if num_bad:
        found = f"NaN or infinity for {num_bad:,} of {len(logits):,} rows"
        hint = "use precision fp32, or name another teacher"
        raise ModelError(f"teacher {teacher}", "logits that are numbers", found, hint)
    truth = labels[labels != NO_LABEL]
    if not truth.size:
        return
    num_right = int((logits.argmax(axis=1) == labels).sum())
    chance = float(np.bincount(truth).max() / truth.size)
    if is_near_chance(num_right, truth.size, chance):
        raise ModelError(
            f"teacher {teacher}",
            f"an accuracy clearly above {chance:.1%}, the share of the most frequent label",
            f"{num_right / truth.size:.1%} ({num_right:,} of {truth.size:,} labelled train rows)",
            "check that its class names mean what they mean here, or name another teacher",
        )


def is_near_chance(num_right: int, num_rows: int, chance: float) -> bool:
    """Whether an accuracy is not clearly above chance, and clearly below a good teacher's.

    A good teacher's is at least the middle between chance and no error. With few rows an accuracy
    may be both, chance or good: then no teacher is near chance. Both tests are exact binomial ones.

    Args:
        num_right: the number of rows that are predicted right.
        num_rows: the number of rows, above 0.
        chance: the accuracy of a constant prediction: the share of the most frequent label.

    Returns:
        Whether it is; False if all labels are the same, as nothing can be told then.
    """
    if chance == 1.0:
        return False
    is_above_chance = bdtrc(num_right - 1, num_rows, chance) <= SIGNIFICANCE
    may_be_good = bdtr(num_right, num_rows, (1.0 + chance) / 2) > SIGNIFICANCE
    return not is_above_chance and not may_be_good
