"""What each searched parameter has to do with the scores, from few settings and with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agnews_ray.compare.findings import Interval

Floats = NDArray[np.float64]

LEVEL = 0.95
"""The level of the intervals."""
FEWEST_SETTINGS = 10
"""With fewer settings there are no importances: the intervals would be nearly [0, 1]."""
MOST_SETTINGS = 200
"""Of more settings, that many are used, evenly spaced, which limits the time to a few seconds."""
SEED = 20_240_613
"""The seed of all draws; fixed, so that the same records always give the same report."""

NUM_FIRST_STEPS = 600
"""The first steps of the chain, which are left out."""
NUM_KEPT = 150
NUM_STEPS_BETWEEN = 10
"""Only every so many steps is one kept, because neighbours in the chain are alike."""
STEP_SIZE = 0.8
NUM_PLACES = 64
"""The number of places of the space at which a function is compared with a neighbour."""
NUM_FUNCTIONS = 2
"""The number of functions that are drawn for each kept step of the chain."""
JITTER = 1e-5
"""A part of the variance that is added so that rounding does no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The settings of a search as numbers."""

    places: Floats
    """Shape (N, P): each parameter's value, mapped to [0, 1]; of a choice, any number for it."""
    is_choice: tuple[bool, ...]
    """Length P: whether the parameter's values have no order."""
    done: Floats
    """Shape (N,): the finished share of each training, in (0, 1]; below 1 for stopped ones."""
    scores: Floats
    """Shape (N,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Which share of the scores' variance each source explains; each in [0, 1]."""

    parameters: tuple[Interval, ...]
    """Length P: the variance that is left if all other parameters are known (total effect). They
    add up to more than all if parameters work together."""
    noise: Interval
    """The share of seeds and of all else that the parameters do not decide."""


def explain(tried: Tried) -> Shares | None:
    """Estimate how much of the variance of scores each parameter explains, over the whole space.

    A Gaussian process is fitted to the scores, with a length scale for each parameter, and noise.
    Its settings are not chosen but drawn from what the scores leave possible (Metropolis); for
    each draw, functions are drawn, and the variance of each is shared out. So an interval holds
    both uncertainties: of few settings, and of how the score depends on them. Stopped trainings
    count as what they are: the finished share is a further input, and the result is for whole
    trainings.

    Args:
        tried: the settings with their scores.

    Returns:
        The medians with intervals at ``LEVEL``; None if there are too few settings, or all scores
        are equal.

    Source: the total effect by Jansen 1999, Computer Physics Communications 117(1-2), as formula
    (f) of table 2 in Saltelli et al. 2010, ibid. 181(2); on functions drawn from a Gaussian
    process as in Le Gratiet, Cannamela and Iooss 2014, SIAM/ASA JUQ 2(1). Half-Cauchy inverse
    length scales, so that parameters may have no effect: Eriksson and Jankowiak 2021, UAI.
    """
    if len(tried.scores) < FEWEST_SETTINGS or not np.ptp(tried.scores) > 0:
        return None
    from threadpoolctl import threadpool_limits

    used = np.unique(np.linspace(0, len(tried.scores) - 1, MOST_SETTINGS).round().astype(int))
    rng = np.random.default_rng(SEED)
    process = _Process.of(tried.places[used], tried.is_choice, tried.done[used], tried.scores[used])
    places = process.compared(_neighbours(tried.places[used], tried.is_choice, rng))
    with threadpool_limits(1):  # on matrices this small threads wait longer than they compute
        draws = np.concatenate(
            [_shares(process, state, places, rng) for state in process.possible_states(rng)]
        )
    tail = (1 - LEVEL) / 2
    low, middle, high = np.quantile(np.clip(draws, 0, 1), [tail, 0.5, 1 - tail], axis=0)
    found = [
        Interval(value=float(m), low=float(a), high=float(b))
        for a, m, b in zip(low, middle, high, strict=True)
    ]
    return Shares(parameters=tuple(found[:-1]), noise=found[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Places of the space, by their squared distances in each coordinate."""

    among: Floats
    """Shape (M, M, D): from each other."""
    to_settings: Floats
    """Shape (M, N, D): from the settings of the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """A Gaussian process given the scores; a state is log inverse length scales, log variances."""

    inputs: Floats
    """Shape (N, D): the places, and the finished share as a further column."""
    is_choice: NDArray[np.bool_]
    scores: Floats
    """Shape (N,): with mean 0 and variance 1."""
    distances: Floats
    """Shape (N, N, D): squared, between all settings."""

    @classmethod
    def of(
        cls, places: Floats, is_choice: Sequence[bool], done: Floats, scores: Floats
    ) -> "_Process":
        inputs = np.column_stack([places, done])
        choices = np.array([*is_choice, False])
        return cls(
            inputs=inputs,
            is_choice=choices,
            scores=(scores - scores.mean()) / scores.std(),
            distances=_squared(inputs, inputs, choices),
        )

    def compared(self, places: Floats) -> _Places:
        """Compute the distances of places, which have the shape (M, D)."""
        return _Places(
            among=_squared(places, places, self.is_choice),
            to_settings=_squared(places, self.inputs, self.is_choice),
        )

    def possible_states(self, rng: np.random.Generator) -> list[Floats]:
        """Draw states by how well they explain the scores, one coordinate at a time."""
        state = np.zeros(self.inputs.shape[1] + 2)
        state[-1] = np.log(0.3)
        plausibility, kept = self._log_density(state), []
        for step in range(NUM_FIRST_STEPS + NUM_KEPT * NUM_STEPS_BETWEEN):
            proposed = state.copy()
            proposed[rng.integers(state.size)] += STEP_SIZE * rng.standard_t(3)
            density = self._log_density(proposed)
            if np.log(rng.random()) < density - plausibility:
                state, plausibility = proposed, density
            if step >= NUM_FIRST_STEPS and step % NUM_STEPS_BETWEEN == 0:
                kept.append(state)
        return kept

    def _log_density(self, state: Floats) -> float:
        """The density of state and scores, but for a constant; scores have a variance of 1."""
        scales, log_signal, log_noise = state[:-2], state[-2], state[-1]
        prior = np.sum(scales - np.log1p(np.exp(2 * scales)))  # half-Cauchy, in logarithms
        prior -= log_signal**2 / 2 + ((log_noise - np.log(0.1)) / 1.5) ** 2 / 2
        try:
            root = np.linalg.cholesky(self.covariance(state))
        except np.linalg.LinAlgError:
            return -np.inf
        whitened = np.linalg.solve(root, self.scores)
        fit = -whitened @ whitened / 2 - np.log(np.diag(root)).sum()
        return float(prior + fit)

    def covariance(self, state: Floats) -> Floats:
        """The covariance of the scores: that of the function, and the noise."""
        noise = np.exp(state[-1]) + JITTER
        covariance: Floats = _kernel(self.distances, state) + noise * np.eye(len(self.scores))
        return covariance


def _kernel(distances: Floats, state: Floats) -> Floats:
    similarity: Floats = np.exp(state[-2] - distances @ np.exp(2 * state[:-2]) / 2)
    return similarity


def _squared(first: Floats, second: Floats, is_choice: NDArray[np.bool_]) -> Floats:
    """Squared distances in each coordinate; two different choices are 1 apart."""
    apart = first[:, None, :] - second[None, :, :]
    squared: Floats = np.where(is_choice, apart != 0, apart**2)
    return squared


def _neighbours(places: Floats, is_choice: Sequence[bool], rng: np.random.Generator) -> Floats:
    """Draw places of the space, and of each one neighbour in each parameter.

    Returns:
        Shape ((P + 1) * NUM_PLACES, P + 1): the places, then those with a new first parameter, then
        with a new second ...; the last column is 1, a whole training.
    """
    from scipy.stats import qmc

    num_parameters = places.shape[1]
    even = qmc.Sobol(2 * num_parameters, rng=rng).random(NUM_PLACES)
    for column in range(2 * num_parameters):
        parameter = column % num_parameters
        if is_choice[parameter]:
            options = np.unique(places[:, parameter])
            even[:, column] = options[(even[:, column] * len(options)).astype(int)]
    start, other = even[:, :num_parameters], even[:, num_parameters:]
    blocks = [start]
    for parameter in range(num_parameters):
        changed = start.copy()
        changed[:, parameter] = other[:, parameter]
        blocks.append(changed)
    drawn = np.concatenate(blocks)
    return np.column_stack([drawn, np.ones(len(drawn))])


def _shares(
    process: _Process, state: Floats, places: _Places, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw functions, and share out the variance of each. Shape (NUM_FUNCTIONS, P + 1)."""
    to_scores = _kernel(places.to_settings, state)
    num_places = len(to_scores)
    solved = np.linalg.solve(
        process.covariance(state), np.column_stack([process.scores, to_scores.T])
    )
    left = _kernel(places.among, state) - to_scores @ solved[:, 1:]
    root = np.linalg.cholesky(left + JITTER * np.exp(state[-2]) * np.eye(num_places))
    drawn = (to_scores @ solved[:, :1]) + root @ rng.normal(size=(num_places, NUM_FUNCTIONS))
    noise = np.exp(state[-1])
    whole = drawn.var(axis=0) + noise
    blocks = drawn.reshape(-1, NUM_PLACES, NUM_FUNCTIONS)
    effects = ((blocks[1:] - blocks[0]) ** 2).mean(axis=1) / 2 / whole
    return np.column_stack([effects.T, noise / whole])
