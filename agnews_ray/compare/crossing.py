"""Where two models' curves cross, between measured points, with its interval."""

from dataclasses import dataclass

import numpy as np

from agnews_ray.compare.power_law import Floats

TINY = 1e-12
"""A difference for exactly equal scores, so that a curve that touches 0 on its way is seen to
cross."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingFound:
    """A crossing, or that there is none."""

    num_rows: float | None
    """The number of rows at the last crossing; None if there is none in the measured range."""
    low: float | None
    """The lower end of its interval; None if it lies below the measured range, or without one."""
    high: float | None
    is_sure: bool
    """Whether the draws show a crossing, or none, with the wanted confidence."""


def find_crossing(
    num_rows: Floats, difference: Floats, drawn: Floats, alpha: float
) -> CrossingFound:
    """Find where a difference of scores changes its sign, on straight lines between the points.

    No law is assumed. Rows are on a logarithmic axis.

    Args:
        num_rows: shape (P,): the measured numbers of rows, in rising order, at least two.
        difference: shape (P,): the difference of the two scores.
        drawn: shape (B, P): the same of each draw.
        alpha: 1 - confidence.

    Returns:
        The last crossing with its interval. A draw without a crossing that has the sign of the
        left side everywhere crosses above the range, one with the sign of the right side below.
    """
    logs = np.log(num_rows)
    observed = float(_last_crossings(logs, difference[None])[0])
    crossings = _last_crossings(logs, drawn)
    if np.isinf(observed):
        same = np.isinf(crossings) & (np.sign(drawn[:, -1]) == np.sign(difference[-1]))
        return CrossingFound(
            num_rows=None, low=None, high=None, is_sure=bool(same.mean() >= 1 - alpha)
        )
    turns = np.sign(drawn[:, -1]) == np.sign(difference[-1])  # it ends on the same side
    placed = np.where(np.isfinite(crossings), crossings, np.where(turns, -np.inf, np.inf))
    low, high = np.quantile(placed, [alpha / 2, 1 - alpha / 2], method="nearest")
    return CrossingFound(
        num_rows=float(np.exp(observed)),
        low=float(np.exp(low)) if np.isfinite(low) else None,
        high=float(np.exp(high)) if np.isfinite(high) else None,
        is_sure=bool(np.isfinite(low) and np.isfinite(high)),
    )


def _last_crossings(logs: Floats, differences: Floats) -> Floats:
    """Return the place of the last change of sign of each line; infinite if there is none."""
    differences = np.where(differences == 0, TINY, differences)
    left, right = differences[:, :-1], differences[:, 1:]
    changes = np.sign(left) * np.sign(right) < 0
    steps = np.where(changes, left - right, 1.0)
    places = logs[:-1] + np.diff(logs) * left / steps
    last = changes.shape[1] - 1 - changes[:, ::-1].argmax(axis=1)
    found: Floats = np.where(changes.any(axis=1), places[np.arange(len(left)), last], np.inf)
    return found
