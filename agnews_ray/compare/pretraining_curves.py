"""How the loss of a pre-training, and each part of it, went over its steps."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agnews_ray.compare.findings import Fact
from agnews_ray.compare.variants import NUM_CURVE_POINTS
from agnews_ray.record.outputs import LearningCurve
from agnews_ray.record.schema import TrialRecord


class LossPoint(Fact):
    """Means over an interval of steps."""

    step: int
    """The last step of the interval."""
    parts: dict[str, float]
    """The means of ``loss`` and of each of its parts, by name, unless one is not a number."""


class PretrainingCurve(Fact):
    """The loss of one pre-training."""

    variant: str
    trial_id: str
    points: tuple[LossPoint, ...]
    """At most ``NUM_CURVE_POINTS``, with the same number of steps (the last may have fewer)."""


def pretraining_curve(
    record: TrialRecord, curve: LearningCurve, parts: Mapping[str, NDArray[np.float64]]
) -> PretrainingCurve:
    """Average the loss and its parts over stretches of steps.

    Args:
        record: the record of the pre-training.
        curve: its loss at each of S steps.
        parts: shape (S,) each: the parts of the loss, by name.

    Returns:
        The curve.
    """
    series = {"loss": curve.loss, **parts}
    num_steps = len(curve.loss)
    width = max(1, -(-num_steps // NUM_CURVE_POINTS))
    points = []
    for start in range(0, num_steps, width):
        end = min(start + width, num_steps)
        means = {name: float(values[start:end].mean()) for name, values in series.items()}
        finite = {name: mean for name, mean in means.items() if np.isfinite(mean)}
        points.append(LossPoint(step=end, parts=finite))
    return PretrainingCurve(
        variant=record.variant.name, trial_id=record.trial_id, points=tuple(points)
    )
