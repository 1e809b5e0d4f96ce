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
class TeacherFacts:
    """How well a teacher's logits fit the labels of N rows, of which some have no label."""

    mean_confidence: float
    """The mean of the highest probability over all rows, in [0, 1]."""
    num_labelled: int
    """The number of rows with a label."""
    num_right: int
    """The number of labelled rows whose label is the most likely class."""
    largest_share: float | None
    """The share of the most frequent label among the labelled rows; None without any."""
    calibration_error: float | None
    """The expected calibration error on the labelled rows, as ``compare.calibration`` defines it;
    None without any."""

    @property
    def accuracy(self) -> float | None:
        """The accuracy on the labelled rows, a fraction in [0, 1]; None without any."""
        return self.num_right / self.num_labelled if self.num_labelled else None


def teacher_facts(
    teacher: str, logits: NDArray[np.float32], labels: NDArray[np.int64]
) -> TeacherFacts:
    """Compare a teacher's logits with the labels.

    Args:
        teacher: the teacher's name, for messages.
        logits: shape (N, C): the logits.
        labels: shape (N,): the class ids; ``NO_LABEL`` for rows without label.

    Returns:
        The facts.

    Raises:
        ModelError: a logit is not a finite number.
    """
    num_bad = int((~np.isfinite(logits).all(axis=1)).sum())
    if num_bad:
        found = f"NaN or infinity for {num_bad:,} of {len(logits):,} rows"
        hint = "use precision fp32, or name another teacher"
        raise ModelError(f"teacher {teacher}", "logits that are numbers", found, hint)
    exact = logits.astype(np.float64)
    is_labelled = labels != NO_LABEL
    known, truth = exact[is_labelled], labels[is_labelled]
    has_labels = bool(len(truth))
    return TeacherFacts(
        mean_confidence=float(softmax(exact, axis=1).max(axis=1).mean()),
        num_labelled=len(truth),
        num_right=int((known.argmax(axis=1) == truth).sum()),
        largest_share=float(np.bincount(truth).max() / len(truth)) if has_labels else None,
        calibration_error=(
            calibrate(known[None], truth).expected_calibration_error if has_labels else None
        ),
    )


def refuse_chance(teacher: str, facts: TeacherFacts) -> None:
    """Refuse a teacher whose predictions have little to do with the labels.

    Chance is the share of the most frequent label, which a constant prediction reaches. A teacher
    is refused if its accuracy is not clearly above chance, and clearly below the middle between
    chance and no error: by two exact binomial tests. So few rows refuse no teacher that may well be
    a good one, and nothing can be said if all labels are the same.

    Args:
        teacher: the teacher's name, for the message.
        facts: the facts about its logits.

    Raises:
        ModelError: the teacher is refused.
    """
    chance, right, count = facts.largest_share, facts.num_right, facts.num_labelled
    if chance is None or chance == 1.0:
        return
    is_above_chance = bdtrc(right - 1, count, chance) <= SIGNIFICANCE
    may_be_good = bdtr(right, count, (1.0 + chance) / 2) > SIGNIFICANCE
    if is_above_chance or may_be_good:
        return
    raise ModelError(
        f"teacher {teacher}",
        f"an accuracy clearly above {chance:.1%}, the share of the most frequent label",
        f"{right / count:.1%} ({right:,} of {count:,} labelled train rows)",
        "check that its class names mean what they mean here, or name another teacher",
    )
