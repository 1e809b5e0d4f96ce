"""From one variant's trials to its scores with intervals, its classes and its learning curve."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agnews_ray.compare.bootstrap import Counts, Estimate, Floats, estimate
from agnews_ray.compare.findings import ClassFacts, CurvePoint, Interval
from agnews_ray.compare.inference import wilson_interval
from agnews_ray.record.outputs import LearningCurve
from agnews_ray.spec.metrics import scores_from_counts

Score = Callable[[Counts], Floats]
"""A function from counts with shape (..., K, C) to a score with shape (..., K)."""

NUM_CURVE_POINTS = 60


def accuracy_of(counts: Counts) -> Floats:
    """Compute the share of right rows, with shape (..., K)."""
    share: Floats = counts.hits.sum(axis=-1) / counts.actual.sum(axis=-1)
    return share


def macro_f1_of(counts: Counts) -> Floats:
    """Compute the mean F1 over the classes, with shape (..., K)."""
    mean: Floats = scores_from_counts(*counts)["f1"].mean(axis=-1)
    return mean


def largest_f1_step(counts: Counts) -> float:
    """Compute the largest change of macro-F1 by one row: a prediction in the smallest class.

    Args:
        counts: the counts with all rows once.

    Returns:
        1 / (C times the rows of the smallest class that has any): the derivative of that class's
        F1 by a hit, if the class is predicted as often as it occurs.
    """
    actual = counts.actual[..., 0, :]
    return float(1 / (actual.shape[-1] * actual[actual > 0].min()))


def as_interval(found: Estimate, alpha: float, lowest: float = 0.0) -> Interval:
    """Return a score's interval, limited to its bounds.

    Args:
        found: the estimate.
        alpha: 1 - confidence.
        lowest: 0 for a score, -1 for a difference of scores; the highest is 1.

    Returns:
        The interval.
    """
    low, high = found.interval(alpha)
    return Interval(value=found.value, low=max(low, lowest), high=min(high, 1.0))


def score_interval(score: Score, observed: Counts, drawn: Counts, alpha: float) -> Interval:
    """Bootstrap a score's interval over seeds and rows."""
    num_rows = int(observed.actual.sum())
    return as_interval(estimate(score(observed), score(drawn), num_rows), alpha)


def accuracy_interval(observed: Counts, drawn: Counts, alpha: float) -> Interval:
    """Compute accuracy with its interval: Wilson's for a single seed, else bootstrapped."""
    if len(observed.hits) > 1:
        return score_interval(accuracy_of, observed, drawn, alpha)
    return _wilson(observed.hits.sum(), observed.actual.sum(), alpha)


def class_facts(
    names: Sequence[str], observed: Counts, drawn: Counts, alpha: float
) -> tuple[ClassFacts, ...]:
    """Compute precision, recall and F1 of each class, with intervals.

    Precision and recall of a single seed are proportions with Wilson's interval; F1 is not a
    proportion, and is always bootstrapped.
    """
    facts = []
    seen, resampled = scores_from_counts(*observed), scores_from_counts(*drawn)
    for class_id, name in enumerate(names):
        num_rows = int(observed.actual[0, class_id])
        found = {
            score: as_interval(
                estimate(values[:, class_id], resampled[score][..., class_id], num_rows), alpha
            )
            for score, values in seen.items()
        }
        hits, chosen = observed.hits[0, class_id], observed.predicted[0, class_id]
        num_examples = observed.actual[0, class_id]
        if len(observed.hits) == 1 and chosen and num_examples:
            found["precision"] = _wilson(hits, chosen, alpha)
            found["recall"] = _wilson(hits, num_examples, alpha)
        facts.append(
            ClassFacts(
                name=name,
                num_examples=int(num_examples),
                num_predicted=float(observed.predicted[:, class_id].mean()),
                **found,
            )
        )
    return tuple(facts)


def learning_curve(curves: Sequence[LearningCurve]) -> tuple[CurvePoint, ...]:
    """Average the loss over stretches of steps, then over the seeds that came so far.

    Args:
        curves: one for each seed; those of trainings that stopped early are shorter, and those of
            a linear model are empty.

    Returns:
        At most ``NUM_CURVE_POINTS`` points with the same number of steps (the last may have fewer).
    """
    longest = max(curves, key=lambda curve: len(curve.loss))
    num_steps = len(longest.loss)
    if not num_steps:
        return ()
    width = -(-num_steps // NUM_CURVE_POINTS)
    points = []
    for start in range(0, num_steps, width):
        parts = (curve.loss[start : start + width] for curve in curves)
        losses = np.array([part.mean() for part in parts if len(part)])
        points.append(
            CurvePoint(
                samples_seen=int(longest.samples_seen[min(start + width, num_steps) - 1]),
                **(_spread(losses) if np.isfinite(losses).all() else _NO_NUMBER),
            )
        )
    return tuple(points)


_NO_NUMBER: dict[str, float | None] = {"loss": None, "lowest": None, "highest": None}


def _spread(losses: NDArray[np.float64]) -> dict[str, float | None]:
    return {
        "loss": float(losses.mean()),
        "lowest": float(losses.min()),
        "highest": float(losses.max()),
    }


def _wilson(num_right: float, num_rows: float, alpha: float) -> Interval:
    low, high = wilson_interval(int(num_right), int(num_rows), alpha)
    return Interval(value=float(num_right / num_rows), low=low, high=high)
