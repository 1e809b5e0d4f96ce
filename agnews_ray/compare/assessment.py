"""From a study's records and predictions to all facts of its report."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from agnews_ray.compare.bootstrap import NUM_DRAWS
from agnews_ray.compare.calibration import calibrate
from agnews_ray.compare.cost_front import cost_axes, cost_facts
from agnews_ray.compare.findings import (
    CostAxis,
    CostFacts,
    DoubtfulRows,
    Fact,
    Metric,
    PairFacts,
    VariantFacts,
)
from agnews_ray.compare.groups import BOOTSTRAP_SEED, Group, TrialResult, group_results
from agnews_ray.compare.label_issues import doubt_rows
from agnews_ray.compare.prices import Prices
from agnews_ray.compare.search_facts import SearchFacts, search_facts
from agnews_ray.compare.table import ComparisonTable
from agnews_ray.compare.teaching_facts import TaughtFacts, taught_facts
from agnews_ray.compare.variants import (
    accuracy_interval,
    class_facts,
    learning_curve,
    macro_f1_of,
    score_interval,
)
from agnews_ray.compare.verdicts import SeedResults, judge_pairs
from agnews_ray.errors import RecordError
from agnews_ray.record.cost import CostRecord
from agnews_ray.record.outputs import TestRows
from agnews_ray.record.schema import TrialRecord


class Settings(Fact):
    """The user's settings of a verdict."""

    metric: Metric = "accuracy"
    """The metric that the verdicts judge."""
    margin: float = 0.005
    """The difference in the metric below which two variants count as equal."""
    alpha: float = 0.05
    """The allowed chance of any wrong verdict; scores have intervals at 1 - alpha."""
    num_draws: int = NUM_DRAWS
    """The number of bootstrap draws."""
    prices: Prices = Prices()
    """The prices, in any currency."""


class Assessment(Fact):
    """All that is known about a study: every number of its report."""

    question: str
    settings: Settings
    table: ComparisonTable
    variants: tuple[VariantFacts, ...]
    """The variants, one for each row of the table, in its order; the first is the baseline."""
    pairs: tuple[PairFacts, ...]
    """The pairs: every other variant that has a seed in common with the baseline, then winners of
    searches against the variants whose settings were searched, and taught students against their
    plain twins, where that is another pair."""
    doubts: DoubtfulRows
    costs: tuple[CostFacts, ...]
    """The costs of use; empty if nothing was measured."""
    axes: tuple[CostAxis, ...]
    searches: tuple[SearchFacts, ...] = ()
    """What is known about the table's searches, in their order."""
    taught: tuple[TaughtFacts, ...] = ()
    """What teaching brought to the table's taught students, in their order."""
    records: tuple[TrialRecord, ...]
    """The records in the table's order, without those that diverged, as in all fields above."""
    diverged: tuple[TrialRecord, ...] = ()


def assess(
    table: ComparisonTable,
    question: str,
    results: Sequence[TrialResult],
    order: Sequence[str],
    test_rows: TestRows | None,
    settings: Settings,
) -> Assessment:
    """Derive all facts of a report from a study's results.

    Args:
        table: the study's table, made from the records of all results, and of its searches.
        question: the question that it answers.
        results: at least one finished trial; and those of teachers who labelled, with their scores
            on test.
        order: variant names, the baseline first.
        test_rows: texts and duplicates, if they are kept.
        settings: margin, alpha, draws, price.

    Returns:
        The assessment; the same results and settings give the same one.

    Raises:
        RecordError: two records were scored on different rows, or every trial diverged.
    """
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    _refuse_other_rows(results)
    _refuse_all_diverged(table)
    first = next(result for result in results if result.record.diverged is None)
    class_names = first.record.dataset.class_names
    labels = first.predictions.labels
    groups = group_results(table, results, order, settings.num_draws, rng)
    measured = [(group.row, _costs(group)) for group in groups]
    costs = cost_facts(measured, settings.prices)
    pairs = judge_pairs(_pairs(groups, table), settings.margin, settings.alpha, settings.metric)
    return Assessment(
        question=question,
        settings=settings,
        table=table,
        variants=tuple(_facts(group, class_names, settings.alpha) for group in groups),
        pairs=pairs,
        doubts=doubt_rows(
            [group.predictions for group in groups],
            first.predictions.rows,
            labels,
            class_names,
            test_rows,
        ),
        costs=costs,
        axes=cost_axes(table.rows, costs, settings.prices),
        searches=tuple(
            search_facts(
                search, _named(search.winner, groups), _named(search.variant, groups), pairs
            )
            for search in table.searches
        ),
        taught=taught_facts(table.taught, groups, results, pairs, settings.metric, settings.alpha),
        records=tuple(trial.record for group in groups for trial in group.trials),
        diverged=tuple(result.record for result in results if result.record.diverged is not None),
    )


def _facts(group: Group, class_names: Sequence[str], alpha: float) -> VariantFacts:
    observed, drawn = group.observed, group.drawn
    confusions = np.array([trial.record.test.confusion for trial in group.trials])
    logits = group.predictions.logits
    return VariantFacts(
        name=group.row.model,
        seeds=group.row.seeds,
        trial_ids=tuple(trial.record.trial_id for trial in group.trials),
        accuracy=accuracy_interval(observed, drawn, alpha),
        macro_f1=score_interval(macro_f1_of, observed, drawn, alpha),
        classes=class_facts(class_names, observed, drawn, alpha),
        confusion=tuple(tuple(line) for line in confusions.sum(axis=0).tolist()),
        calibration=calibrate(logits, group.trials[0].predictions.labels),
        curve=learning_curve([trial.curve for trial in group.trials]),
        validation_accuracy=_validation_accuracy(group),
    )


def _validation_accuracy(group: Group) -> tuple[float, ...]:
    """Average over the seeds that came to an epoch; some may have stopped before."""
    epochs = zip_longest(*(trial.record.validation for trial in group.trials))
    found = ([one.accuracy for one in seeds if one is not None] for seeds in epochs)
    return tuple(
        float(np.mean([accuracy for accuracy in seeds if accuracy is not None])) for seeds in found
    )


def _pairs(
    groups: Sequence[Group], table: ComparisonTable
) -> list[tuple[SeedResults, SeedResults]]:
    """Pair variants with the baseline, winners with their defaults, students with plain twins."""
    by_name = {group.row.model: group for group in groups}
    asked = [(group.row.model, groups[0].row.model) for group in groups[1:]]
    asked += [(search.winner, search.variant) for search in table.searches]
    asked += [(one.variant, one.plain) for one in table.taught if one.plain]
    pairs = []
    for variant, against in dict.fromkeys(asked):
        if variant not in by_name or against not in by_name:
            continue
        one, other = by_name[variant], by_name[against]
        common = [seed for seed in one.row.seeds if seed in other.row.seeds]
        if common:
            pairs.append((one.on_seeds(common), other.on_seeds(common)))
    return pairs


def _named(name: str, groups: Sequence[Group]) -> list[TrialRecord]:
    return [one.record for group in groups if group.row.model == name for one in group.trials]


def _costs(group: Group) -> tuple[CostRecord, ...]:
    """Choose one measurement for each machine and setting: the latest, if trials have several."""
    latest: dict[tuple[str, str], CostRecord] = {}
    for cost in sorted((c for t in group.trials for c in t.costs), key=lambda c: c.measured_at):
        latest[cost.machine, cost.setting] = cost
    return tuple(latest.values())


def _refuse_all_diverged(table: ComparisonTable) -> None:
    if not table.rows:
        first = table.diverged[0]
        found = f"all {len(table.diverged)} diverged, such as {first.trial_id}: {first.reason}"
        hint = "lower --learning-rate, or use another --precision, with another --name"
        raise RecordError(table.study, "a trial that did not diverge", found, hint)


def _refuse_other_rows(results: Sequence[TrialResult]) -> None:
    first = results[0]
    for result in results[1:]:
        same = np.array_equal(result.predictions.rows, first.predictions.rows)
        if not (same and np.array_equal(result.predictions.labels, first.predictions.labels)):
            where = f"trial {result.record.trial_id}"
            found = f"rows or labels that differ from those of {first.record.trial_id}"
            hint = "delete the folder of the older trial, or give the new study another --name"
            raise RecordError(where, "the same test rows and labels", found, hint)
