"""The share of the gap to a teacher that teaching closed: a ratio of two differences."""

from dataclasses import dataclass

from scipy import optimize

from agnews_ray.compare.bootstrap import Floats, estimate
from agnews_ray.compare.findings import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A score of K seeds, observed and on B drawn test sets, the same for all that are compared."""

    observed: Floats
    """Shape (K,)."""
    drawn: Floats
    """Shape (B, K)."""


def gap_closed(
    taught: Scored, plain: Scored, teacher: Scored, num_rows: int, alpha: float
) -> Interval | None:
    """Estimate (taught - plain) / (teacher - plain), the share of the gap that was closed.

    The interval holds every share r for which the mean of (taught - plain) - r (teacher - plain)
    does not differ from 0 by the test of ``bootstrap.Estimate`` over seeds and rows. No ratio needs
    to be normal, and the interval has ends because the gap itself differs from 0.

    Args:
        taught: the score of the taught student, seed by seed.
        plain: that of the same student without teaching, on the same seeds.
        teacher: that of each seed's teacher.
        num_rows: N, the number of test rows.
        alpha: 1 - confidence.

    Returns:
        The share, which may lie outside [0, 1], with its interval; None if it is not defined: the
        teacher is not known to be better than the plain student.

    Source: Fieller 1954, "Some problems in interval estimation", JRSS B 16(2).
    """
    if gap_to_teacher(plain, teacher, num_rows, alpha).low <= 0:
        return None
    gain, gap = (
        Scored(observed=one.observed - plain.observed, drawn=one.drawn - plain.drawn)
        for one in (taught, teacher)
    )
    share = float(gain.observed.mean() / gap.observed.mean())

    def room(distance: float) -> float:
        """Return by how much the hypothesis at this distance is not rejected; below 0 if it is."""
        null = share + distance
        found = estimate(
            gain.observed - null * gap.observed, gain.drawn - null * gap.drawn, num_rows
        )
        return found.half_width(alpha) - abs(found.value)

    def end(direction: float) -> float:
        distance = 1e-3
        while room(direction * distance) > 0:  # comes to an end, as the gap differs from 0
            distance *= 2
        edge = optimize.brentq(lambda one: room(direction * one), 0.0, distance)
        return share + direction * float(edge)

    return Interval(value=share, low=end(-1.0), high=end(1.0))


def gap_to_teacher(plain: Scored, teacher: Scored, num_rows: int, alpha: float) -> Interval:
    """Estimate teacher - plain, a mean over seeds.

    Args:
        plain: the score of the plain student.
        teacher: that of each seed's teacher.
        num_rows: N, the number of test rows.
        alpha: 1 - confidence.

    Returns:
        The difference with its interval.
    """
    found = estimate(teacher.observed - plain.observed, teacher.drawn - plain.drawn, num_rows)
    half = found.half_width(alpha)
    return Interval(value=found.value, low=found.value - half, high=found.value + half)
