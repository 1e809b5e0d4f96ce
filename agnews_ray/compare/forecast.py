"""From a variant's errors at several numbers of train rows to its power law and what it foretells.

A draw of the curve takes other test rows (the bootstrap's, the same for all shares and variants)
and other seeds. Two or three seeds of a share are too few to be drawn from, so the seeds of all
shares together say how much a share's mean varies, and draws of it follow Student's t. Residuals
from the law that are larger than seeds explain, because the law is not exact or the rows of a share
are one draw themselves, widen it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from agnews_ray.compare.power_law import (
    FEWEST_POINTS,
    Floats,
    PowerLaws,
    fit_power_laws,
    num_parameters,
)

SLOPES = np.linspace(0, -3, 31)
"""The tried slopes of the seeds' relative variance against rows, on logarithmic axes."""

LEAST_VARIANCE = 1e-8
"""The smallest relative variance between seeds that is believed."""

UNLIKELY = 0.01
"""The p-value of the residuals below which the smallest share is left out of the law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedNoise:
    """How much a share's mean error would vary with other seeds."""

    variance: Floats
    """Shape (P,): the variance of each mean, as a share of its squared error."""
    num_degrees: int
    """The degrees of freedom with which it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The errors of one variant at P numbers of train rows, in rising order."""

    num_rows: Floats
    """Shape (P,)."""
    errors: Floats
    """Shape (P,): 1 - score, mean over seeds."""
    drawn: Floats
    """Shape (B, P): the same on each drawn test set."""
    noise: SeedNoise | None
    """None if seeds do not show it."""
    num_test_rows: int

    def since(self, first: int) -> "Measured":
        """Leave out the smallest shares."""
        noise = self.noise and SeedNoise(
            variance=self.noise.variance[first:], num_degrees=self.noise.num_degrees
        )
        return Measured(
            num_rows=self.num_rows[first:],
            errors=self.errors[first:],
            drawn=self.drawn[:, first:],
            noise=noise,
            num_test_rows=self.num_test_rows,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """A power law, and its draws."""

    law: PowerLaws
    """The law of the measured errors; its fields have shape (1,)."""
    draws: PowerLaws
    """B laws. Their floor may be negative, or intervals would be cut off on one side."""
    new_run: Floats
    """Shape (B,): the factor by which the error of a new study's mean would differ from the law."""
    first: int
    """The position of the first point that the law describes."""


def seed_noise(num_rows: Floats, errors: Sequence[Floats]) -> SeedNoise | None:
    """Estimate how much the means over seeds vary, from all shares together.

    The relative variance between the seeds of a share is taken to be a power of its rows, which
    never rises with them, by maximum likelihood: few rows give very different models.

    Args:
        num_rows: shape (P,): the numbers of train rows.
        errors: P arrays with the errors of each seed.

    Returns:
        The noise of each mean; None if no share has two seeds, or if seeds make no difference, as
        to a model that is fitted without chance: they do not show what other rows would change.

    Source: McCullagh and Nelder 1989, "Generalized Linear Models", section 8 (a gamma model with
    logarithmic link).
    """
    degrees = np.array([one.size - 1 for one in errors])
    if not degrees.any():
        return None
    found = np.array(
        [one.var(ddof=1) / one.mean() ** 2 if one.size > 1 else LEAST_VARIANCE for one in errors]
    ).clip(LEAST_VARIANCE)
    if (found == LEAST_VARIANCE).all():
        return None
    logs = np.log(num_rows / num_rows.max())
    shapes = np.exp(np.multiply.outer(SLOPES, logs))  # (slopes, P)
    variances = shapes * ((degrees * found / shapes).sum(axis=1) / degrees.sum())[:, None]
    misfit = (degrees * (np.log(variances) + found / variances)).sum(axis=1)
    variance = variances[misfit.argmin()] / np.array([one.size for one in errors])
    return SeedNoise(variance=variance, num_degrees=max(1, int(degrees.sum()) - 1))


def foretell(measured: Measured, first: int, rng: np.random.Generator) -> Foretold | None:
    """Fit a power law to measured errors, and to draws of them.

    While the residuals are larger than the seeds explain (p below ``UNLIKELY``), the smallest share
    is left out: with few rows, errors do not follow the law yet (Hestness et al. 2017).

    Args:
        measured: the errors.
        first: the position of the first point that may be used.
        rng: the random generator.

    Returns:
        The law; None if there are fewer than ``FEWEST_POINTS`` points, or one seed and no more
        points than parameters, so that nothing shows how much a point varies.
    """
    while True:
        used = measured.since(first)
        num_points = used.num_rows.size
        num_spare = num_points - num_parameters(num_points)
        if num_points < FEWEST_POINTS or (used.noise is None and not num_spare):
            return None
        weights = _weights(used)
        law = fit_power_laws(used.num_rows, used.errors[None], weights)
        residuals = used.errors / law.at(used.num_rows)[0] - 1
        noise, p_value = _widened(used.noise, residuals, num_spare)
        if p_value >= UNLIKELY or num_points == FEWEST_POINTS:
            break
        first += 1
    student = _student(noise.num_degrees, (len(used.drawn), num_points + 1), rng)
    factors = 1 + np.sqrt(noise.variance) * student[:, :-1]
    drawn = (used.drawn * factors).clip(0.5 / used.num_test_rows, 1.0)
    return Foretold(
        law=law,
        draws=fit_power_laws(used.num_rows, drawn, weights, is_bounded=False),
        new_run=1 + np.sqrt(noise.variance[-1]) * student[:, -1],
        first=first,
    )


def draw_errors(measured: Measured, rng: np.random.Generator) -> Floats:
    """Draw the errors of all points: other test rows and, where they are known, other seeds.

    Args:
        measured: the errors.
        rng: the random generator.

    Returns:
        Shape (B, P).
    """
    if measured.noise is None:
        return measured.drawn
    student = _student(measured.noise.num_degrees, measured.drawn.shape, rng)
    drawn = measured.drawn * (1 + np.sqrt(measured.noise.variance) * student)
    return drawn.clip(0.0, 1.0)


def _weights(used: Measured) -> Floats:
    """Weigh a point by the inverse of its variance: of its seeds, and of its test rows."""
    rows = (1 - used.errors) / (used.errors * used.num_test_rows)
    relative = rows if used.noise is None else rows + used.noise.variance
    weights: Floats = 1 / (used.errors**2 * relative.clip(LEAST_VARIANCE))
    return weights


def _widened(noise: SeedNoise | None, residuals: Floats, num_spare: int) -> tuple[SeedNoise, float]:
    """Widen the noise to the residuals' size, and say how likely such residuals are."""
    if noise is None:
        variance = np.full(residuals.size, (residuals**2).sum() / num_spare)
        return SeedNoise(variance=variance.clip(LEAST_VARIANCE), num_degrees=num_spare), 1.0
    if not num_spare:
        return noise, 1.0
    ratio = float((residuals**2 / noise.variance).sum()) / num_spare
    widened = SeedNoise(variance=noise.variance * max(1.0, ratio), num_degrees=noise.num_degrees)
    return widened, float(stats.f.sf(ratio, num_spare, noise.num_degrees))


def _student(num_degrees: int, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Draw from the multivariate t distribution: a line's values share their scale."""
    scale = np.sqrt(num_degrees / rng.chisquare(num_degrees, size=(shape[0], 1)))
    drawn: Floats = rng.normal(size=shape) * scale
    return drawn
