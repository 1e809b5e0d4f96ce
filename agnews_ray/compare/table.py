"""Records of one study to the rows of the comparison table."""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict, JsonValue

from agnews_ray.compare.diverged import DivergedTrial, describe_diverged, part_diverged
from agnews_ray.compare.recipes import RecipeChange, compared, recipe_changes, shared_recipe
from agnews_ray.compare.times import TrainingTimes, spread, times_of
from agnews_ray.errors import RecordError
from agnews_ray.record.schema import TrialRecord


class VariantRow(BaseModel):
    """One variant over its seeds; fractions in [0, 1], seconds, bytes.

    Fields named ``*_std`` are sample standard deviations over seeds, None for a single seed.
    Scores are means over all seeds, whatever they were trained on; times are not.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    """Name of the variant; made to differ where two rows would have the same."""
    num_seeds: int
    seeds: tuple[int, ...]
    parameters: int
    accuracy: float
    accuracy_std: float | None
    macro_f1: float
    macro_f1_std: float | None
    size_bytes: int
    padding_share: float
    num_train_examples: int
    num_test_examples: int
    precision: str
    num_workers: int
    num_diverged: int = 0
    """Further seeds that diverged; they are part of no number here."""
    engine: str = "fast"
    """That was asked for."""
    recipe_changes: tuple[RecipeChange, ...] = ()
    """What it was trained by otherwise than the study's recipe says."""
    times: tuple[TrainingTimes, ...]
    """One for each kind of machine and engine that ran, that of most trials first."""

    @property
    def train_seconds(self) -> float:
        """Mean on the machine of most trials."""
        return self.times[0].train_seconds

    @property
    def device(self) -> str:
        """The machine of most trials."""
        return self.times[0].device

    @property
    def num_machines(self) -> int | None:
        """How many of those machines a trial's workers were on; None where it is not known."""
        return self.times[0].num_machines


class ComparisonTable(BaseModel):
    """The rows of one study."""

    model_config = ConfigDict(frozen=True)

    study: str
    rows: tuple[VariantRow, ...]
    """Of variants of which a seed scored test and did not diverge; there may be none."""
    diverged: tuple[DivergedTrial, ...] = ()


def compare_records(
    study: str, records: Sequence[TrialRecord], order: Sequence[str]
) -> ComparisonTable:
    """Aggregate records, one row per variant, recipe, precision and number of workers.

    Args:
        study: its name.
        records: at least one; those that do not score test are in no row.
        order: variant names in the order of the rows; others come after them.

    Returns:
        The table.

    Raises:
        RecordError: two records were trained or scored on other data, or by another recipe that
            is not stated as a variant's own.
    """
    records = scored(records)
    groups = group_records(records, order)
    shared = shared_recipe(records)
    rows = _named_apart([_row(group, shared) for group in groups])
    names = {_group(group[0]): row.model for group, row in zip(groups, rows, strict=True)}
    _, lost = part_diverged(records)
    diverged = [
        describe_diverged(record, names.get(_group(record)), order)
        for record in _in_order(lost, order)
    ]
    counts = Counter(one.model for one in diverged if one.has_row)
    return ComparisonTable(
        study=study,
        rows=tuple(row.model_copy(update={"num_diverged": counts[row.model]}) for row in rows),
        diverged=tuple(diverged),
    )


def group_records(
    records: Sequence[TrialRecord], order: Sequence[str]
) -> tuple[tuple[TrialRecord, ...], ...]:
    """Put the records of each row of the table together.

    Args:
        records: at least one.
        order: variant names in the order of the rows; others come after them.

    Returns:
        The rows' records, each ordered by seed; trials that diverged, or that do not score test,
        are in none.

    Raises:
        RecordError: two records were trained or scored on other data, or by another recipe that
            is not stated as a variant's own.
    """
    records = scored(records)
    refuse_unlike(records)
    groups: dict[tuple[str, ...], list[TrialRecord]] = {}
    sound, _ = part_diverged(records)
    for record in _in_order(sound, order):
        groups.setdefault(_group(record), []).append(record)
    return tuple(tuple(group) for group in groups.values())


def scored(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Leave out the trials that were not to score test: a table is of test scores."""
    return tuple(record for record in records if record.scores_test)


def part_repeated(
    records: Sequence[TrialRecord],
) -> tuple[tuple[TrialRecord, ...], tuple[TrialRecord, ...]]:
    """Find records that would be counted as further seeds of a row and are none.

    Args:
        records: of one study.

    Returns:
        Those that count, one for each row and seed, the latest; and the others.
    """
    latest: dict[tuple[object, ...], TrialRecord] = {}
    for record in sorted(records, key=lambda one: (one.created_at, one.trial_id)):
        latest[(*_group(record), record.seed)] = record
    counted = {record.trial_id for record in latest.values()}
    return (
        tuple(record for record in records if record.trial_id in counted),
        tuple(record for record in records if record.trial_id not in counted),
    )


def _in_order(records: Sequence[TrialRecord], order: Sequence[str]) -> list[TrialRecord]:
    """By row, then by seed."""
    position = {name: index for index, name in enumerate(order)}

    def place(record: TrialRecord) -> tuple[int, tuple[str, ...], int]:
        return position.get(record.variant.name, len(position)), _group(record), record.seed

    return sorted(records, key=place)


def refuse_unlike(records: Sequence[TrialRecord]) -> None:
    """Raise where records do not answer the same question.

    Args:
        records: of one study.

    Raises:
        RecordError: names the first record that differs, and in what.
    """
    facts: dict[str, Callable[[TrialRecord], object]] = {
        "dataset fingerprint": lambda r: r.dataset.fingerprint,
        "number of test rows": lambda r: r.test.num_examples,
        "number of train rows": lambda r: r.dataset.num_train,
    }
    shared_recipe(records)
    for record in records[1:]:
        first = records[0]
        for name, fact in facts.items():
            if fact(record) != fact(first):
                where = f"trial {record.trial_id}"
                found = f"a value that differs from {first.trial_id}"
                hint = "delete the folder of the older trial, or give the new study another --name"
                raise RecordError(where, f"the same {name}", found, hint)


def _group(record: TrialRecord) -> tuple[str, ...]:
    """Records that differ in what may change a result, seeds apart, are different rows.

    The machine may not, nor where it keeps a model's folder, nor an engine that fell back to
    another, which computes the same: only times are kept apart by them.
    """
    revision = record.model.revision
    asked = record.variant.model_dump_json(exclude={"recipe"} | ({"model"} if revision else set()))
    weights = revision or record.model.model_id
    workers = str(record.scaling.num_workers)
    recipe = str(compared(record.recipe))  # the whole of it, however much was stated
    return (record.variant.name, asked, weights, record.precision, workers, recipe)


def _row(records: Sequence[TrialRecord], shared: dict[str, JsonValue]) -> VariantRow:
    first = records[0]
    accuracies = [r.test.accuracy for r in records if r.test.accuracy is not None]  # all have one
    f1_scores = [r.test.macro_f1 for r in records if r.test.macro_f1 is not None]
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
        padding_share=fmean(record.training.padding_share for record in records),
        num_train_examples=first.dataset.num_train,
        num_test_examples=first.test.num_examples,
        precision=first.precision,
        num_workers=first.scaling.num_workers,
        engine=first.variant.engine,
        recipe_changes=recipe_changes(first, shared),
        times=times_of(records),
    )


def _named_apart(rows: Sequence[VariantRow]) -> list[VariantRow]:
    """Add what differs to names that occur more than once."""
    times = Counter(row.model for row in rows)
    named, used = [], Counter[str]()
    for row in rows:
        name = row.model
        if times[name] > 1:
            used[name] += 1
            name = f"{name} ({row.precision}, {row.num_workers} worker(s), no. {used[name]})"
        named.append(row.model_copy(update={"model": name}))
    return named
