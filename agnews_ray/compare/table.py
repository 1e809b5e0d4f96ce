"""From the records of one study to the rows of the comparison table."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict, JsonValue

from agnews_ray.compare.curve_facts import DataCurve
from agnews_ray.compare.diverged import DivergedTrial, describe_diverged, part_diverged
from agnews_ray.compare.grouping import (
    group_records,
    group_shares,
    in_order,
    num_workers_of,
    of_table,
    row_key,
    with_test_scores,
)
from agnews_ray.compare.interruptions import InterruptedTrial, interrupted_trials
from agnews_ray.compare.recipes import RecipeChange, recipe_changes, shared_recipe
from agnews_ray.compare.searches import Search, SearchCost, searches_of
from agnews_ray.compare.teaching import Taught, taught_of, ways_of
from agnews_ray.compare.teaching_cost import TeachingCost, teaching_cost
from agnews_ray.compare.times import TrainingTimes, spread, times_of
from agnews_ray.plan.budget import rows_of_share
from agnews_ray.record.left_out import LeftOutTrial
from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.linear_models import LINEAR_ENGINE, is_linear


class VariantRow(BaseModel):
    """One variant over its seeds; fractions in [0, 1], seconds, bytes.

    Fields named ``*_std`` are sample standard deviations over seeds, None for a single seed.
    Scores are means over all seeds, on all machines; times are not.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    """The name of the variant; it is extended if two rows would have the same name."""
    num_seeds: int
    seeds: tuple[int, ...]
    parameters: int
    accuracy: float
    accuracy_std: float | None
    macro_f1: float
    macro_f1_std: float | None
    size_bytes: int
    padding_share: float | None
    """None for a model that reads no tokens."""
    num_train_examples: int
    train_share: float = 1.0
    """The share of the train rows that these are, in (0, 1]."""
    num_test_examples: int
    precision: str
    num_workers: int
    num_diverged: int = 0
    """The number of further seeds that diverged; they are part of no number here."""
    engine: str = "fast"
    """The requested engine; ``scikit-learn`` for a linear model."""
    recipe_changes: tuple[RecipeChange, ...] = ()
    """What it was trained by otherwise than the study's recipe says."""
    search: SearchCost | None = None
    """What it took to find its settings, if it is the winner of a search: a part of its price, and
    of no train time."""
    teaching: TeachingCost | None = None
    """What it took to teach it, if it is a student: likewise."""
    best_epochs: tuple[int, ...] = ()
    """The epoch of each seed whose weights were kept, if the recipe has a rule to stop."""
    num_stopped: int = 0
    """The number of seeds whose training this rule ended."""
    num_epochs: int = 0
    """The number of epochs in the recipe."""
    times: tuple[TrainingTimes, ...]
    """The times for each kind of machine and engine that ran, those of most trials first."""

    @property
    def is_linear(self) -> bool:
        """Whether it is a linear model, which is not fine-tuned: its recipe means nothing."""
        return self.engine == LINEAR_ENGINE

    def share_of_train_time(self, other: "VariantRow") -> float:
        """Divide the train time by another row's; 1 if they were trained on different machines."""
        return self.train_seconds / other.train_seconds if self.device == other.device else 1.0

    @property
    def train_seconds(self) -> float:
        """The mean on the machine of most trials."""
        return self.times[0].train_seconds

    @property
    def device(self) -> str:
        """The machine of most trials."""
        return self.times[0].device

    @property
    def num_machines(self) -> int | None:
        """The number of those machines that a trial's workers ran on; None if it is not known."""
        return self.times[0].num_machines


class ComparisonTable(BaseModel):
    """The rows of one study."""

    model_config = ConfigDict(frozen=True)

    study: str
    rows: tuple[VariantRow, ...]
    """The rows of variants with at least one seed that scored test and did not diverge; there may
    be none."""
    diverged: tuple[DivergedTrial, ...] = ()
    searches: tuple[Search, ...] = ()
    """The searches for better settings, with all settings that were tried."""
    taught: tuple[Taught, ...] = ()
    """The rows of taught students: their teachers, plain twins, and the price of teaching."""
    interrupted: tuple[InterruptedTrial, ...] = ()
    """The trials that took several attempts, whether they are in a row or not."""
    left_out: tuple[LeftOutTrial, ...] = ()
    """The trials that a budget left out; known where the study's folder was read."""
    smaller: tuple[VariantRow, ...] = ()
    """The rows of the trials with a share of the train rows, in the same order, the smallest share
    of a variant first. No verdict is made from them."""
    curve: DataCurve | None = None
    """The curve that they make with the other rows; None without them, or without predictions."""


def compare_records(
    study: str, records: Sequence[TrialRecord], order: Sequence[str]
) -> ComparisonTable:
    """Aggregate records, one row per variant, recipe, precision and number of workers.

    Args:
        study: its name.
        records: at least one; those that do not score test are in no row, those with a share of the
            train rows in rows of their own, those of a search in its facts, and those that only
            serve students in theirs.
        order: variant names in the order of the rows; others come after them.

    Returns:
        The table.

    Raises:
        RecordError: two records were trained or scored on other data, or by another recipe that
            is not stated as a variant's own.
    """
    searches = searches_of(records, order)
    costs = {search.winner: search.cost for search in searches}
    everything, on_curve, records = records, with_test_scores(records), of_table(records)
    groups = group_records(records, order)
    shared = shared_recipe(on_curve)
    rows = _named_apart([_row(group, shared) for group in groups])
    names = {row_key(group[0]): row.model for group, row in zip(groups, rows, strict=True)}
    by_id = {record.trial_id: record for record in everything}
    taught = taught_of({row.model: group for group, row in zip(groups, rows, strict=True)}, by_id)
    teaching = {one.variant: one.cost for one in taught}
    smaller = [
        _row(group, shared).model_copy(
            update={
                "model": names.get(row_key(group[0]), variant),
                "teaching": teaching_cost(group, by_id) if ways_of(group[0].variant) else None,
            }
        )
        for variant, groups_of_shares in group_shares(on_curve, order)
        for group in groups_of_shares
        if group[0].train_share < 1
    ]
    _, lost = part_diverged(records)
    diverged = [
        describe_diverged(record, names.get(row_key(record)), order)
        for record in in_order(lost, order)
    ]
    counts = Counter(one.model for one in diverged if one.has_row)
    return ComparisonTable(
        study=study,
        rows=tuple(
            row.model_copy(
                update={
                    "num_diverged": counts[row.model],
                    "search": costs.get(row.model),
                    "teaching": teaching.get(row.model),
                }
            )
            for row in rows
        ),
        diverged=tuple(diverged),
        searches=searches,
        taught=taught,
        interrupted=interrupted_trials(everything),
        smaller=tuple(smaller),
    )


def _row(records: Sequence[TrialRecord], shared: dict[str, JsonValue]) -> VariantRow:
    first = records[0]
    accuracies = [r.test.accuracy for r in records if r.test.accuracy is not None]  # all have one
    f1_scores = [r.test.macro_f1 for r in records if r.test.macro_f1 is not None]
    padding = [p for r in records if (p := r.training.padding_share) is not None]
    return VariantRow(
        model=first.variant.name,
        num_seeds=len(records),
        seeds=tuple(record.seed for record in records),
        parameters=first.model.parameters,
        accuracy=fmean(accuracies),
        accuracy_std=spread(accuracies),
        macro_f1=fmean(f1_scores),
        macro_f1_std=spread(f1_scores),
        size_bytes=first.model.size_bytes,
        padding_share=fmean(padding) if padding else None,
        num_train_examples=rows_of_share(first.dataset.num_train, first.train_share),
        train_share=first.train_share,
        num_test_examples=first.test.num_examples,
        precision=first.precision,
        num_workers=num_workers_of(first),
        engine=LINEAR_ENGINE if is_linear(first.variant.model) else first.variant.engine,
        recipe_changes=recipe_changes(first, shared),
        best_epochs=tuple(r.training.best_epoch for r in records if r.training.best_epoch),
        num_stopped=sum(r.training.stopped_after_epoch is not None for r in records),
        num_epochs=first.recipe.num_epochs,
        times=times_of(records),
    )


def _named_apart(rows: Sequence[VariantRow]) -> list[VariantRow]:
    """Extend names that occur more than once by what differs."""
    times = Counter(row.model for row in rows)
    named, used = [], Counter[str]()
    for row in rows:
        name = row.model
        if times[name] > 1:
            used[name] += 1
            name = f"{name} ({row.precision}, {row.num_workers} worker(s), no. {used[name]})"
        named.append(row.model_copy(update={"model": name}))
    return named
