"""The power law of errors against train rows, error(n) = a n^-b + c, fitted to many draws at once.

Sources: Hestness et al. 2017, "Deep Learning Scaling is Predictable, Empirically" (the law, and the
region of few rows where it does not hold yet); Mukherjee et al. 2003, J. Computational Biology
10(2) (the law with a floor, fitted to classifiers' errors); Viering and Loog 2023, IEEE TPAMI
45(6), "The Shape of Learning Curves" (where it fits, and where not).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXPONENTS = np.concatenate([[0.0], np.geomspace(0.01, 2.0, 240)])
"""The tried exponents b. Published curves have 0.07 to 0.5, seldom more than 1."""

FEWEST_POINTS = 3
"""The smallest number of points for a law: through two, any law passes."""

FEWEST_FOR_A_FLOOR = 4
"""The smallest number of points for a law with a floor; with fewer, the floor is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaws:
    """Laws error(n) = a (n / n_max)^-b + c with a >= 0 and b >= 0; all fields have one shape."""

    largest: float
    """The number of rows n_max of the largest point, in which rows are counted."""
    scale: Floats
    """a: the error at n_max without the floor."""
    exponent: Floats
    """b."""
    floor: Floats
    """c: the error that no number of rows would undercut; below 0 only in unbounded draws."""

    def at(self, num_rows: Floats) -> Floats:
        """Return the errors at some numbers of rows.

        Args:
            num_rows: shape (M,).

        Returns:
            The shape of the fields and M.
        """
        powers = (num_rows / self.largest) ** -self.exponent[..., None]
        errors: Floats = self.scale[..., None] * powers + self.floor[..., None]
        return errors


def fit_power_laws(
    num_rows: Floats, errors: Floats, weights: Floats, *, is_bounded: bool = True
) -> PowerLaws:
    """Fit a law to each line of errors, by weighted least squares.

    For a given exponent the best a and c have a closed form, and the exponent is the best of
    ``EXPONENTS``, so that thousands of draws are fitted at once and none of them can fail.

    Args:
        num_rows: shape (P,): the numbers of train rows, P at least ``FEWEST_POINTS``.
        errors: shape (B, P): the errors of each draw.
        weights: shape (P,): the weight of each squared residual, the same for all draws.
        is_bounded: whether c >= 0, as it must be. Draws are fitted without that bound: at a bound
            their quantiles would lie on one side of the truth.

    Returns:
        B laws; with fewer than ``FEWEST_FOR_A_FLOOR`` points their floor is 0.
    """
    largest = float(num_rows.max())
    powers = (num_rows / largest) ** -EXPONENTS[:, None]  # (E, P)
    weighted = errors * weights
    s_xx, s_x, s_1 = (
        (weights * powers**2).sum(axis=1),
        (weights * powers).sum(axis=1),
        weights.sum(),
    )
    s_xy, s_y = weighted @ powers.T, weighted.sum(axis=1)[:, None]  # (B, E), (B, 1)
    scale, floor = s_xy / s_xx, np.zeros_like(s_xy)
    if num_rows.size >= FEWEST_FOR_A_FLOOR:
        det = np.where((det := s_xx * s_1 - s_x**2) > 1e-9 * s_xx * s_1, det, np.inf)
        free_scale, free_floor = (s_1 * s_xy - s_x * s_y) / det, (s_xx * s_y - s_x * s_xy) / det
        is_free = (free_scale >= 0) & ((free_floor >= 0) | (not is_bounded)) & np.isfinite(det)
        is_flat = (free_scale < 0) & np.isfinite(det)  # more rows, more errors: no gain at all
        scale = np.where(is_free, free_scale, np.where(is_flat, 0.0, scale))
        floor = np.where(is_free, free_floor, np.where(is_flat, s_y / s_1, 0.0))
    loss = (
        scale**2 * s_xx
        + floor**2 * s_1
        + 2 * scale * floor * s_x
        - 2 * (scale * s_xy + floor * s_y)
    )
    best = loss.argmin(axis=1)
    lines = np.arange(len(errors))
    return PowerLaws(
        largest=largest,
        scale=scale[lines, best],
        exponent=EXPONENTS[best],
        floor=floor[lines, best],
    )


def num_parameters(num_points: int) -> int:
    """Count the parameters of a law that is fitted to that many points."""
    return 2 + (num_points >= FEWEST_FOR_A_FLOOR)
