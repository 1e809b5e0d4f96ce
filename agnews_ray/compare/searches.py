"""From the records of a search to the settings that it tried, their scores and their price."""

from collections.abc import Sequence
from statistics import fmean
from typing import Literal

from pydantic import JsonValue

from agnews_ray.compare.findings import Fact
from agnews_ray.compare.times import device_of, num_machines_of
from agnews_ray.record.schema import TrialRecord

SearchMetric = Literal["accuracy", "macro-f1"]


class TriedSetting(Fact):
    """One setting of a search; scores and shares are means over its seeds."""

    number: int
    """Its number in the search, from 0."""
    values: dict[str, JsonValue]
    """The tried values by dotted path."""
    score: float | None
    """The validation score, a fraction: of the kept epoch, or where the search stopped the trial;
    None if a seed diverged, or has no score."""
    done: float
    """The finished share of its training, in (0, 1]; less than 1 if it was stopped."""
    is_stopped: bool
    """Whether the search stopped at least one of its seeds."""
    seeds: tuple[int, ...]
    train_seconds: float
    """The train time of all its seeds together."""


class SearchCost(Fact):
    """The price of finding a variant's settings, in train time without start-up and scoring."""

    num_settings: int
    num_trials: int
    train_seconds: float
    stopped_seconds: float
    """The part of ``train_seconds`` of trials that the search stopped."""
    machine_seconds: dict[str, float | None]
    """The train seconds by name of the machine, each counted once for each machine of a trial's
    workers; None if a record does not say how many machines there were."""


class Search(Fact):
    """The search for better settings of one variant."""

    variant: str
    winner: str
    """The name of the row that was trained by the best settings."""
    metric: SearchMetric
    """The validation score by which the search judged."""
    num_validation_rows: int
    """The number of rows of which each score is."""
    settings: tuple[TriedSetting, ...]
    """At least one, in the order of their numbers."""
    cost: SearchCost

    @property
    def best(self) -> TriedSetting | None:
        """The setting with the highest score of those trained to their end; the first of equals."""
        whole = [one for one in self.settings if one.score is not None and not one.is_stopped]
        return max(whole, key=lambda one: one.score or 0.0, default=None)


def name_of_winner(variant: str) -> str:
    """Return the name of the variant that has the best settings found for ``variant``."""
    return f"{variant} (tuned)"


def searched(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Select the trials of searches."""
    return tuple(record for record in records if record.search is not None)


def searches_of(records: Sequence[TrialRecord], order: Sequence[str]) -> tuple[Search, ...]:
    """Gather the searches of a study.

    Args:
        records: the records of one study; those that belong to no search are left out.
        order: variant names in the order of the result; others come after them.

    Returns:
        One search for each variant that has one.
    """
    by_variant: dict[str, list[TrialRecord]] = {}
    for record in records:
        if record.search is not None:
            by_variant.setdefault(record.search.variant, []).append(record)
    place = {name: index for index, name in enumerate(order)}
    names = sorted(by_variant, key=lambda name: (place.get(name, len(place)), name))
    return tuple(_search(name, by_variant[name]) for name in names)


def _by_setting(trials: Sequence[TrialRecord]) -> dict[tuple[int, str], list[TrialRecord]]:
    """Group the trials of one setting; a search over other parameters than the latest is left out.

    A number may have several settings, if the space was changed between two searches.
    """
    latest = max(trials, key=lambda record: (record.created_at, record.trial_id)).search
    searched = set(latest.settings) if latest else set()
    found: dict[tuple[int, str], list[TrialRecord]] = {}
    for record in trials:
        if record.search is not None and set(record.search.settings) == searched:
            values = repr(sorted(record.search.settings.items()))
            found.setdefault((record.search.number, values), []).append(record)
    return {key: found[key] for key in sorted(found)}


def _search(variant: str, records: Sequence[TrialRecord]) -> Search:
    by_setting = _by_setting(records)
    trials = [record for of_setting in by_setting.values() for record in of_setting]
    first = trials[0].search
    metric: SearchMetric = first.metric if first else "accuracy"
    return Search(
        variant=variant,
        winner=name_of_winner(variant),
        metric=metric,
        num_validation_rows=_num_validation_rows(trials[0]),
        settings=tuple(_setting(key[0], found, metric) for key, found in by_setting.items()),
        cost=_cost(trials, len(by_setting)),
    )


def _num_validation_rows(record: TrialRecord) -> int:
    own = record.dataset.validation
    return own.num_selected if own else record.dataset.num_validation


def _setting(number: int, trials: Sequence[TrialRecord], metric: SearchMetric) -> TriedSetting:
    scores = [validation_score(record, metric) for record in trials]
    search = trials[0].search
    return TriedSetting(
        number=number,
        values=search.settings if search else {},
        score=None if None in scores else fmean(score for score in scores if score is not None),
        done=fmean(_done(record) for record in trials),
        is_stopped=any(_is_stopped(record) for record in trials),
        seeds=tuple(sorted(record.seed for record in trials)),
        train_seconds=sum(record.training.train_seconds for record in trials),
    )


def validation_score(record: TrialRecord, metric: SearchMetric) -> float | None:
    """Return the validation score by which a trial of a search, or one like it, is judged.

    Args:
        record: the record of a trial.
        metric: the score.

    Returns:
        A fraction: where the search stopped the trial, else of the weights that it kept; None
        without a validation split, or if the model diverged.
    """
    rungs = record.search.rungs if record.search and record.search.is_stopped else ()
    kept = record.validation[(record.training.best_epoch or 0) - 1 :][:1]
    found = rungs[-1:] or kept  # validation has a score for each epoch
    if record.diverged is not None or not found:
        return None
    return found[0].accuracy if metric == "accuracy" else found[0].macro_f1


def _done(record: TrialRecord) -> float:
    if record.search is None or not record.search.is_stopped or not record.search.rungs:
        return 1.0
    return min(1.0, record.search.rungs[-1].epochs / record.recipe.num_epochs)


def _is_stopped(record: TrialRecord) -> bool:
    return record.search is not None and record.search.is_stopped


def _cost(trials: Sequence[TrialRecord], num_settings: int) -> SearchCost:
    machine_seconds: dict[str, float | None] = {}
    for record in trials:
        device, machines = device_of(record), num_machines_of([record])
        before = machine_seconds.get(device, 0.0)
        if before is None or machines is None:
            machine_seconds[device] = None
        else:
            machine_seconds[device] = before + machines * record.training.train_seconds
    return SearchCost(
        num_settings=num_settings,
        num_trials=len(trials),
        train_seconds=sum(record.training.train_seconds for record in trials),
        stopped_seconds=sum(r.training.train_seconds for r in trials if _is_stopped(r)),
        machine_seconds=machine_seconds,
    )
