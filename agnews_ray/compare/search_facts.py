"""What a search found: which parameters mattered, how it went, how far its winner's score holds."""

from collections.abc import Sequence
from math import log
from statistics import fmean, stdev
from typing import Literal

import numpy as np
from pydantic import JsonValue

from agnews_ray.compare.findings import Fact, Interval, PairFacts
from agnews_ray.compare.importance import FEWEST_SETTINGS, LEVEL, Tried, explain
from agnews_ray.compare.searches import Search, TriedSetting, validation_score
from agnews_ray.record.json_text import to_json
from agnews_ray.record.schema import TrialRecord

LOG_RATIO = 10
"""The ratio of the largest to the smallest value from which a parameter is looked at by its
logarithm."""

Scale = Literal["linear", "log", "choice"]


class SearchedParameter(Fact):
    """A parameter of a search, by what was tried of it."""

    path: str
    """Its dotted path, such as ``recipe.learning_rate``."""
    scale: Scale
    """``log`` for positive numbers that differ by a factor of ``LOG_RATIO`` or more; ``choice`` for
    values that are not numbers."""
    values: tuple[JsonValue, ...]
    """All different tried values, numbers in ascending order."""
    importance: Interval | None = None
    """The share of the variance of scores that it explains, alone and with others (total effect),
    at ``compare.importance.LEVEL``; None with too few settings."""

    @property
    def name(self) -> str:
        """The path without the part that all have."""
        return self.path.removeprefix("recipe.")

    def place(self, value: JsonValue) -> float:
        """Map a tried value to [0, 1], from the smallest or first to the largest or last."""
        if self.scale == "choice":
            return self.values.index(value) / max(1, len(self.values) - 1)
        low, high, here = (_number(one) for one in (self.values[0], self.values[-1], value))
        if self.scale == "log":
            low, high, here = log(low), log(high), log(here)
        return (here - low) / (high - low) if high > low else 0.0


class WinnersCurse(Fact):
    """The winner's score in the search, where it was the best of many, beside that on new seeds."""

    number: int
    """The number of its setting."""
    searched: float
    """The validation score in the search, by which it was chosen."""
    fresh: float
    """The mean validation score of the same settings on new seeds, on the same validation rows."""
    num_seeds: int
    """The number of new seeds."""
    optimism: float
    """``searched`` less ``fresh``."""
    interval: Interval | None
    """The optimism with Student's interval over the new seeds; None for a single one."""


class SearchFacts(Fact):
    """What is known about a search in addition to its settings."""

    variant: str
    parameters: tuple[SearchedParameter, ...]
    """The parameters of which several values were tried, the most important first."""
    noise: Interval | None
    """The share of the variance of scores that no parameter explains; None as for importances."""
    why_no_importance: str = ""
    """Why there are no importances; empty if there are."""
    best_so_far: tuple[float | None, ...]
    """After each setting, by number, the highest score of those trained to their end."""
    curse: WinnersCurse | None
    """None if no setting is that of the winner, or its new seeds have no validation score."""
    pair: PairFacts | None
    """The winner against the variant with the recipe that was searched; None if there is none."""
    is_default_best: bool = False
    """Whether the best setting is the variant's own recipe, which then needs no winner."""


def search_facts(
    search: Search,
    winners: Sequence[TrialRecord],
    defaults: Sequence[TrialRecord],
    pairs: Sequence[PairFacts],
) -> SearchFacts:
    """Derive what a search found.

    Args:
        search: the search.
        winners: the trials with the best settings and new seeds; there may be none yet.
        defaults: the trials of the variant whose settings were searched, with new seeds.
        pairs: the verdicts of the study.

    Returns:
        The facts.
    """
    known = [one for one in search.settings if one.score is not None]
    is_default_best = not winners and _is_best(search, defaults)
    parameters = _parameters(known)
    shares = explain(_as_numbers(known, parameters)) if parameters else None
    if shares:
        found = zip(parameters, shares.parameters, strict=True)
        parameters = [one.model_copy(update={"importance": share}) for one, share in found]
        parameters.sort(key=lambda one: -one.importance.value if one.importance else 0.0)
    return SearchFacts(
        variant=search.variant,
        parameters=tuple(parameters),
        noise=shares.noise if shares else None,
        why_no_importance="" if shares else _why_not(len(known), len(parameters)),
        best_so_far=_best_so_far(search.settings),
        curse=_winners_curse(search, defaults if is_default_best else winners),
        is_default_best=is_default_best,
        pair=next(
            (
                pair
                for pair in pairs
                if (pair.variant, pair.baseline) == (search.winner, search.variant)
            ),
            None,
        ),
    )


def _parameters(settings: Sequence[TriedSetting]) -> list[SearchedParameter]:
    paths = dict.fromkeys(path for one in settings for path in one.values)
    found = []
    for path in paths:
        values = [one.values.get(path) for one in settings]
        by_text = {to_json(value): value for value in values}  # lists cannot be hashed
        different = list(by_text.values())
        if len(different) < 2:
            continue
        scale: Scale = "choice"
        if all(isinstance(one, int | float) and not isinstance(one, bool) for one in different):
            different.sort(key=_number)
            low, high = _number(different[0]), _number(different[-1])
            scale = "log" if low > 0 and high >= LOG_RATIO * low else "linear"
        found.append(SearchedParameter(path=path, scale=scale, values=tuple(different)))
    return found


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _as_numbers(settings: Sequence[TriedSetting], parameters: Sequence[SearchedParameter]) -> Tried:
    return Tried(
        places=np.array(
            [[p.place(one.values.get(p.path)) for p in parameters] for one in settings]
        ),
        is_choice=tuple(one.scale == "choice" for one in parameters),
        done=np.array([one.done for one in settings]),
        scores=np.array([one.score for one in settings], dtype=np.float64),
    )


def _why_not(num_settings: int, num_parameters: int) -> str:
    if num_settings < FEWEST_SETTINGS:
        return f"{num_settings} settings with a score are too few; {FEWEST_SETTINGS} are needed"
    if not num_parameters:
        return "only one value of each parameter was tried"
    return "all settings have the same score"


def _best_so_far(settings: Sequence[TriedSetting]) -> tuple[float | None, ...]:
    best: float | None = None
    found = []
    for one in settings:
        if one.score is not None and not one.is_stopped:
            best = one.score if best is None else max(best, one.score)
        found.append(best)
    return tuple(found)


def _winners_curse(search: Search, winners: Sequence[TrialRecord]) -> WinnersCurse | None:
    scores = [
        score
        for record in winners
        if (score := validation_score(record, search.metric)) is not None
    ]
    chosen = _setting_of(winners[0], search) if winners else None
    if not scores or chosen is None or chosen.score is None:
        return None
    fresh = fmean(scores)
    optimism = chosen.score - fresh
    interval = None
    if len(scores) > 1:
        from scipy import stats

        student = stats.t.isf((1 - LEVEL) / 2, len(scores) - 1)
        half = float(student * stdev(scores) / len(scores) ** 0.5)
        interval = Interval(value=optimism, low=optimism - half, high=optimism + half)
    return WinnersCurse(
        number=chosen.number,
        searched=chosen.score,
        fresh=fresh,
        num_seeds=len(scores),
        optimism=optimism,
        interval=interval,
    )


def _setting_of(winner: TrialRecord, search: Search) -> TriedSetting | None:
    """Find the setting by which a record was trained, trained to its end in the search."""
    alike = (one for one in search.settings if _has_settings(winner, one.values))
    return next((one for one in alike if one.score is not None and not one.is_stopped), None)


def _is_best(search: Search, defaults: Sequence[TrialRecord]) -> bool:
    return (
        bool(defaults)
        and search.best is not None
        and _setting_of(defaults[0], search) == search.best
    )


def _has_settings(record: TrialRecord, values: dict[str, JsonValue]) -> bool:
    """Whether a trial has these values; sizes that it does not state are the published ones."""
    recipe = {"recipe": record.recipe.model_dump(mode="json")}
    known: JsonValue = record.variant.model_dump(mode="json") | recipe
    return all(
        _at(known, path) == value or (path.startswith("architecture.") and _at(known, path) is None)
        for path, value in values.items()
    )


def _at(content: JsonValue, path: str) -> JsonValue:
    for key in path.split("."):
        content = content.get(key) if isinstance(content, dict) else None
    return content
