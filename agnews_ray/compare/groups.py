"""The results of a study's trials, arranged as the rows of its table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agnews_ray.compare.bootstrap import Counts, count, draw_counts
from agnews_ray.compare.grouping import group_records
from agnews_ray.compare.label_issues import VariantPredictions
from agnews_ray.compare.table import ComparisonTable, VariantRow
from agnews_ray.compare.verdicts import SeedResults
from agnews_ray.record.cost import CostRecord
from agnews_ray.record.outputs import LearningCurve, Predictions
from agnews_ray.record.schema import TrialRecord

BOOTSTRAP_SEED = 20_240_613
"""The seed of the bootstrap; fixed, so that the same records always give the same report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """A finished trial: its record and the files beside it."""

    record: TrialRecord
    predictions: Predictions
    curve: LearningCurve
    costs: tuple[CostRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The trials of one row of the table."""

    row: VariantRow
    trials: tuple[TrialResult, ...]
    observed: Counts
    drawn: Counts

    @property
    def predictions(self) -> VariantPredictions:
        """The predictions of all its trials."""
        return VariantPredictions(
            name=self.row.model,
            predicted=np.stack([trial.predictions.predicted for trial in self.trials]),
            logits=np.stack([trial.predictions.logits for trial in self.trials]),
        )

    def on_seeds(self, seeds: Sequence[int]) -> SeedResults:
        """Select the trials with these seeds, in this order."""
        chosen = [self.row.seeds.index(seed) for seed in seeds]
        predicted = self.predictions.predicted[chosen]
        return SeedResults(
            name=self.row.model,
            right=predicted == self.trials[0].predictions.labels,
            observed=self.observed.of(chosen),
            drawn=self.drawn.of(chosen),
        )


def group_results(
    table: ComparisonTable,
    results: Sequence[TrialResult],
    order: Sequence[str],
    num_draws: int,
    rng: np.random.Generator,
) -> list[Group]:
    """Arrange results in the table's order, and count their rows on one set of draws.

    Args:
        table: the study's table.
        results: its finished trials; those that only serve students are in no group.
        order: variant names, the baseline first.
        num_draws: the number of drawn test sets.
        rng: the random generator.

    Returns:
        A group for each row.

    Raises:
        RecordError: two records are unlike each other.
    """
    by_id = {result.record.trial_id: result for result in results}
    grouped = group_records([result.record for result in results], order)
    ordered = [by_id[record.trial_id] for group in grouped for record in group]
    labels = ordered[0].predictions.labels
    predicted = np.stack([result.predictions.predicted for result in ordered])
    num_classes = len(ordered[0].record.dataset.class_names)
    observed = count(labels, predicted, num_classes)
    drawn = draw_counts(labels, predicted, num_classes, num_draws, rng)
    groups, start = [], 0
    for row, group in zip(table.rows, grouped, strict=True):
        seeds = range(start, start + len(group))
        trials = tuple(ordered[start : start + len(group)])
        groups.append(Group(row, trials, observed.of(seeds), drawn.of(seeds)))
        start += len(group)
    return groups
