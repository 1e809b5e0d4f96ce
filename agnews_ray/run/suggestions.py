"""Which settings to try next, by Ray Tune's Optuna searcher."""

import zlib
from collections.abc import Mapping, Sequence
from functools import cache

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from pydantic import JsonValue
from ray.tune.search.optuna import OptunaSearch

from agnews_ray.spec.search import ParameterSpec, SearchSpec, as_written, is_integer

DIGITS = 4
"""The significant digits of a drawn number: more would change no score, and be hard to read."""

SCORE = "score"


def suggest(
    search: SearchSpec, tried: Sequence[tuple[Mapping[str, JsonValue], float]], number: int
) -> dict[str, JsonValue]:
    """Choose the settings of one trial.

    A new searcher is given all that is known each time, so that its choice depends only on the
    arguments: an interrupted search continues from its records as if it had not been interrupted.

    Args:
        search: the search, with its space and seed.
        tried: the settings tried so far, with their scores.
        number: the number of the choice, which makes it differ from others with the same scores.

    Returns:
        The values by dotted path.
    """
    space = {path: _distribution(path, one) for path, one in search.space.items()}
    searcher = OptunaSearch(
        space=space,
        metric=SCORE,
        mode="max",
        sampler=_sampler(search, number),
        points_to_evaluate=[dict(settings) for settings, _ in tried] or None,
        evaluated_rewards=[score for _, score in tried] or None,
    )
    found = searcher.suggest(str(number)) or {}
    return {path: _rounded(path, search.space[path], found[path]) for path in search.space}


@cache
def _quiet() -> None:
    """Keep Optuna from writing a line for each trial."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _sampler(search: SearchSpec, number: int) -> BaseSampler:
    _quiet()
    seed = zlib.crc32(f"{search.seed}:{number}".encode())  # near seeds must not look alike
    return RandomSampler(seed=seed) if search.searcher == "random" else TPESampler(seed=seed)


def _distribution(path: str, parameter: ParameterSpec) -> BaseDistribution:
    low, high = parameter.low, parameter.high
    if low is None or high is None:
        return CategoricalDistribution(parameter.choices)
    if is_integer(path):
        step = int(parameter.step or 1)
        return IntDistribution(int(low), int(high), log=parameter.log, step=step)
    return FloatDistribution(low, high, log=parameter.log, step=parameter.step)


def _rounded(path: str, parameter: ParameterSpec, value: JsonValue) -> JsonValue:
    if not isinstance(value, float) or parameter.low is None or parameter.high is None:
        return as_written(path, value)
    short = float(f"{value:.{DIGITS}g}") if parameter.step is None else round(value, 12)
    return as_written(path, min(max(short, parameter.low), parameter.high))
