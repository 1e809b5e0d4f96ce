"""Searches in words: what was tried, what it cost, what mattered, and whether it helped."""

from pydantic import JsonValue

from agnews_ray.compare.findings import Interval, PairFacts
from agnews_ray.compare.importance import LEVEL
from agnews_ray.compare.search_facts import SearchedParameter, SearchFacts, WinnersCurse
from agnews_ray.compare.searches import Search, TriedSetting
from agnews_ray.compare.table import ComparisonTable

METRICS = {"accuracy": "accuracy", "macro-f1": "macro-F1"}
"""The written form of each metric of a search."""
FEW_SCORES = 3
SMALL_SHARE = 0.05
"""A parameter mattered if its share is above this with confidence."""


def lines(table: ComparisonTable) -> list[str]:
    """Write a line for each search: what was tried, for how long, and the best of it."""
    rows = {row.model for row in table.rows}
    return [
        f"search: {summary(search)}"
        + (
            f", a part of the price of {search.winner}, not of its train time"
            if search.winner in rows
            else ""
        )
        + f"; {_best(search)}."
        for search in table.searches
    ]


def summary(search: Search) -> str:
    """Say how large a search was."""
    cost, seeds = search.cost, {len(one.seeds) for one in search.settings}
    each = f"{min(seeds)} to {max(seeds)} seeds" if len(seeds) > 1 else _seeds(max(seeds))
    stopped = sum(one.is_stopped for one in search.settings)
    early = f", {stopped} stopped early" if stopped else ""
    settings = f"{cost.num_settings} setting{'s' if cost.num_settings > 1 else ''}"
    return f"{search.variant}, {settings} x {each}, {minutes(cost.train_seconds)}{early}"


def _best(search: Search) -> str:
    best = search.best
    if best is None or best.score is None:
        return "none was trained to its end with a score"
    return (
        f"best {best.score:.4f} validation {METRICS[search.metric]} (number {best.number}: "
        f"{values_text(best)})"
    )


def whether_it_helped(pair: PairFacts) -> str:
    """Write how the sentence on a winner against the recipe that was searched begins."""
    known = {
        "better": "Tuning helped",
        "worse": "Tuning did harm",
        "equivalent": "Tuning did not help",
        "undecided": "It is undecided whether tuning helped",
    }
    return f"{known[pair.verdict]}: "


def close_scores(search: Search) -> list[str]:
    """Warn if the scores of whole trainings differ by no more than chance may do."""
    scores = [s.score for s in search.settings if s.score is not None and not s.is_stopped]
    if len(scores) < FEW_SCORES or not search.num_validation_rows:
        return []
    low, high = min(scores), max(scores)
    error = (high * (1 - high) / search.num_validation_rows) ** 0.5
    if high - low >= 2 * error:
        return []
    return [
        f"Beware: whole trainings score {low:.4f} to {high:.4f}, and on "
        f"{search.num_validation_rows:,} validation rows the standard error of one score is "
        f"{100 * error:.2f} points. What is best, and what mattered, may be these rows' chance."
    ]


def what_mattered(facts: SearchFacts) -> list[str]:
    """Say which parameters mattered for the score, which did not, and of which it is not known."""
    if facts.noise is None:
        return [f"What mattered cannot be said: {facts.why_no_importance}."]
    groups: dict[str, list[str]] = {}
    for one in facts.parameters:
        if one.importance is not None:
            groups.setdefault(_group(one.importance), []).append(
                f"{one.name} {share_text(one.importance)}"
            )
    found = [f"{group}: {', '.join(names)}." for group, names in groups.items()]
    return [
        *found,
        f"Seeds, and all that the parameters do not decide: {share_text(facts.noise)}. These are "
        "shares of the variance of the validation score over the searched space, with "
        f"{100 * LEVEL:.0f} % intervals.",
    ]


def _group(share: Interval) -> str:
    if share.low > SMALL_SHARE:
        return "What mattered"
    return "What hardly mattered" if share.high <= 2 * SMALL_SHARE else "Not known to matter"


def share_text(share: Interval) -> str:
    """Write a share with its interval, in percent."""
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def curse_text(curse: WinnersCurse, metric: str) -> str:
    """Say how far the winner's score in the search was too high."""
    gap = _points(curse.optimism)
    if curse.interval is not None:
        gap += f" [{_points(curse.interval.low)}, {_points(curse.interval.high)}]"
    return (
        f"Chosen as the best of many, the winner scored {curse.searched:.4f} in the search (number "
        f"{curse.number}) and {curse.fresh:.4f} on {_new_seeds(curse.num_seeds)} and the same "
        f"validation rows: its {METRICS[metric]} in the search was too high by {gap} points (the "
        "winner's curse). The verdict is on new seeds and test rows, which the search never saw."
    )


def _new_seeds(num_seeds: int) -> str:
    return "a new seed" if num_seeds == 1 else f"{num_seeds} new seeds"


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "\N{MINUS SIGN}")


def _seeds(num_seeds: int) -> str:
    return f"{num_seeds} seed{'s' if num_seeds > 1 else ''}"


def minutes(seconds: float) -> str:
    """Write a duration in minutes."""
    return f"{seconds / 60:.1f} min"


def values_text(setting: TriedSetting) -> str:
    """Write a setting's values, each with its name."""
    values = setting.values.items()
    return ", ".join(f"{path.removeprefix('recipe.')} {value_text(one)}" for path, one in values)


def value_text(value: JsonValue) -> str:
    """Write a value of a parameter, numbers with four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def parameter_name(parameter: SearchedParameter) -> str:
    """Write a parameter's name with how its axis is drawn."""
    return f"{parameter.name} (log)" if parameter.scale == "log" else parameter.name
