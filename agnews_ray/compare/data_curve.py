"""From the records and predictions of a curve's trials to its facts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agnews_ray.compare.assessment import Settings
from agnews_ray.compare.bootstrap import Counts, count, draw_counts
from agnews_ray.compare.crossing import find_crossing
from agnews_ray.compare.curve_facts import (
    BandPoint,
    Crossing,
    DataCurve,
    Forecast,
    LawFacts,
    SharePoint,
    VariantCurve,
)
from agnews_ray.compare.diverged import part_diverged
from agnews_ray.compare.findings import Interval
from agnews_ray.compare.forecast import Foretold, Measured, draw_errors, foretell, seed_noise
from agnews_ray.compare.grouping import group_shares
from agnews_ray.compare.groups import BOOTSTRAP_SEED
from agnews_ray.compare.power_law import FEWEST_POINTS, Floats
from agnews_ray.compare.prices import TrainingMoney, price_trainings
from agnews_ray.compare.table import ComparisonTable, VariantRow
from agnews_ray.compare.variants import (
    Score,
    accuracy_interval,
    accuracy_of,
    macro_f1_of,
    score_interval,
)
from agnews_ray.record.outputs import Predictions
from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.shares import in_percent

SCORES: Mapping[str, Score] = {"accuracy": accuracy_of, "macro-f1": macro_f1_of}
NUM_BAND_POINTS = 40


@dataclass(frozen=True, slots=True)
class _Measured:
    """One variant's points, and the errors behind them."""

    model: str
    points: tuple[SharePoint, ...]
    errors: Measured
    guessing: float
    """The score of guessing always the largest class."""


def data_curve(
    table: ComparisonTable,
    records: Sequence[TrialRecord],
    predictions: Mapping[str, Predictions],
    order: Sequence[str],
    settings: Settings,
    measured_on: Collection[str] = (),
) -> DataCurve | None:
    """Derive scores against train rows, power laws, forecasts and crossings.

    Args:
        table: the table of the same records, with the rows of all shares.
        records: the records that score test, of all shares; each trial once.
        predictions: their predictions by trial id, on the same test rows.
        order: variant names, the baseline first.
        settings: metric, alpha, number of draws, prices.
        measured_on: the machines on which use was measured, as for ``price_trainings``.

    Returns:
        The curves of the variants with at least two shares; None if there are none. The same
        records give the same curves.
    """
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    groups = [groups for _, groups in group_shares(records, order)]
    all_groups = [group for shares in groups for group in shares]
    if not any(len(shares) > 1 for shares in groups):
        return None
    ids = [record.trial_id for group in all_groups for record in group]
    labels = predictions[ids[0]].labels
    predicted = np.stack([predictions[one].predicted for one in ids])
    num_classes = len(records[0].dataset.class_names)
    observed = count(labels, predicted, num_classes)
    drawn = draw_counts(labels, predicted, num_classes, settings.num_draws, rng)
    all_rows = (*table.rows, *table.smaller)
    prices = price_trainings(all_rows, settings.prices, measured_on)
    priced = list(zip(all_rows, prices, strict=True))
    rows, smaller = iter(priced[: len(table.rows)]), iter(priced[len(table.rows) :])
    measured, start = [], 0
    for shares in groups:
        rows_of_shares = [next(rows if one[0].train_share == 1 else smaller) for one in shares]
        places = [range((start := start + len(one)) - len(one), start) for one in shares]
        if len(shares) > 1:
            measured.append(_measure(rows_of_shares, places, observed, drawn, settings))
    _, lost = part_diverged(records)
    return DataCurve(
        metric=settings.metric,
        confidence=1 - settings.alpha,
        num_test_rows=labels.size,
        curves=tuple(_curve(one, settings.alpha, rng) for one in measured),
        crossings=tuple(
            crossing
            for other in measured[1:]
            if (crossing := _crossing(other, measured[0], settings.alpha, rng))
        ),
        fresh=tuple(
            dict.fromkeys(one.variant.name for one in records if one.variant.init == "random")
        ),
        diverged=tuple(
            f"{one.variant.name} with {in_percent(one.train_share)} of the rows, seed {one.seed}"
            for one in lost
            if one.train_share < 1
        ),
    )


def _measure(
    rows: Sequence[tuple[VariantRow, TrainingMoney]],
    places: Sequence[range],
    observed: Counts,
    drawn: Counts,
    settings: Settings,
) -> _Measured:
    points = tuple(
        SharePoint(
            share=row.train_share,
            num_rows=row.num_train_examples,
            num_seeds=row.num_seeds,
            accuracy=accuracy_interval(observed.of(place), drawn.of(place), settings.alpha),
            macro_f1=score_interval(
                macro_f1_of, observed.of(place), drawn.of(place), settings.alpha
            ),
            train_seconds=row.train_seconds,
            money=price.money,
        )
        for (row, price), place in zip(rows, places, strict=True)
    )
    score = SCORES[settings.metric]
    num_test_rows = int(observed.actual.sum())
    errors = [1 - score(observed.of(place)) for place in places]
    num_rows = np.array([point.num_rows for point in points], dtype=np.float64)
    return _Measured(
        model=rows[-1][0].model,
        points=points,
        errors=Measured(
            num_rows=num_rows,
            errors=np.array([one.mean() for one in errors]).clip(0.5 / num_test_rows),
            drawn=np.stack(
                [1 - score(drawn.of(place)).mean(axis=-1) for place in places], axis=-1
            ).clip(0.5 / num_test_rows),
            noise=seed_noise(num_rows, [one.clip(0.5 / num_test_rows) for one in errors]),
            num_test_rows=num_test_rows,
        ),
        guessing=_guessing(score, observed),
    )


def _guessing(score: Score, observed: Counts) -> float:
    actual = observed.actual
    is_largest = np.arange(actual.shape[-1]) == actual[0].argmax()
    always = Counts(
        hits=actual * is_largest, predicted=actual.sum() * is_largest[None], actual=actual
    )
    return float(score(always)[0])


def _curve(measured: _Measured, alpha: float, rng: np.random.Generator) -> VariantCurve:
    lowest = np.quantile(1 - draw_errors(measured.errors, rng), alpha / 2, axis=0)
    guesses = np.flatnonzero(lowest <= measured.guessing)
    first = int(guesses[-1]) + 1 if guesses.size else 0
    found = foretell(measured.errors, first, rng)
    if found is None:
        return VariantCurve(
            model=measured.model,
            points=measured.points,
            why_no_law=_why_no_law(len(measured.points), first),
        )
    errors, last = measured.errors, measured.points[-1]
    ends = np.array([errors.num_rows[-1], 2 * errors.num_rows[-1]])
    at_ends, drawn = found.law.at(ends)[0], found.draws.at(ends)
    gain = _interval(at_ends[0] - at_ends[1], drawn[:, 0] - drawn[:, 1], alpha)
    score = _interval(1 - at_ends[1], 1 - drawn[:, 1] * found.new_run, alpha)
    return VariantCurve(
        model=measured.model,
        points=measured.points,
        law=LawFacts(
            exponent=_interval(found.law.exponent[0], found.draws.exponent, alpha),
            floor=_interval(found.law.floor[0], found.draws.floor.clip(0), alpha),
            error=float(at_ends[0]),
            first_rows=measured.points[found.first].num_rows,
            num_points=len(measured.points) - found.first,
        ),
        forecast=Forecast(
            num_rows=2 * last.num_rows,
            score=Interval(value=score.value, low=max(0.0, score.low), high=min(1.0, score.high)),
            gain=gain,
            train_seconds=2 * last.train_seconds,
            money=None if last.money is None else 2 * last.money,
        ),
        band=_band(found, errors, alpha),
    )


def _why_no_law(num_points: int, num_chance: int) -> str:
    left = num_points - num_chance
    if left >= FEWEST_POINTS:
        return "seeds do not show how much a point varies, and there are too few points for it"
    guessing = f" better than guessing ({num_points} measured)" if num_chance else ""
    return f"{left} share(s){guessing} are too few: a power law needs {FEWEST_POINTS}"


def _band(found: Foretold, errors: Measured, alpha: float) -> tuple[BandPoint, ...]:
    ends = errors.num_rows[found.first], 2 * errors.num_rows[-1]
    grid = np.unique(np.concatenate([np.geomspace(*ends, NUM_BAND_POINTS), errors.num_rows[-1:]]))
    law, drawn = found.law.at(grid)[0], found.draws.at(grid)
    return tuple(
        BandPoint(num_rows=float(n), score=_interval(1 - law[i], 1 - drawn[:, i], alpha))
        for i, n in enumerate(grid)
    )


def _interval(value: float, drawn: Floats, alpha: float) -> Interval:
    """Make a percentile interval, which holds the value itself."""
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
    return Interval(value=float(value), low=float(min(low, value)), high=float(max(high, value)))


def _crossing(
    variant: _Measured, baseline: _Measured, alpha: float, rng: np.random.Generator
) -> Crossing | None:
    """Compare two variants on the shares that both have; None if there are fewer than two."""
    common = [p.share for p in variant.points if p.share in {q.share for q in baseline.points}]
    if len(common) < 2:
        return None
    of_variant, of_baseline = (
        [[point.share for point in one.points].index(share) for share in common]
        for one in (variant, baseline)
    )
    drawn = (
        draw_errors(baseline.errors, rng)[:, of_baseline]
        - draw_errors(variant.errors, rng)[:, of_variant]
    )
    difference = baseline.errors.errors[of_baseline] - variant.errors.errors[of_variant]
    found = find_crossing(variant.errors.num_rows[of_variant], difference, drawn, alpha)
    names = (variant.model, baseline.model)
    return Crossing(
        variant=variant.model,
        baseline=baseline.model,
        ahead_at_first=names[int(difference[0] < 0)],
        ahead_at_last=names[int(difference[-1] < 0)],
        num_rows=found.num_rows,
        low=found.low,
        high=found.high,
        is_sure=found.is_sure,
    )
