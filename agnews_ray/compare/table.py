"""From the records of one study to the rows of the comparison table."""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict, JsonValue

from agnews_ray.compare.diverged import DivergedTrial, describe_diverged, part_diverged
from agnews_ray.compare.recipes import RecipeChange, compared, recipe_changes, shared_recipe
from agnews_ray.compare.times import TrainingTimes, spread, times_of
from agnews_ray.errors import RecordError
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
    num_test_examples: int
    precision: str
    num_workers: int
    num_diverged: int = 0
    """The number of further seeds that diverged; they are part of no number here."""
    engine: str = "fast"
    """The requested engine; ``scikit-learn`` for a linear model."""
    recipe_changes: tuple[RecipeChange, ...] = ()
    """What it was trained by otherwise than the study's recipe says."""
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
    """Group the records of each row of the table.

    Args:
        records: at least one record.
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
    """Find records that would wrongly be counted as further seeds of a row.

    Args:
        records: the records of one study.

    Returns:
        The records that are used, the latest one for each row and seed; and the others.
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
    """Sort records by row, then by seed."""
    position = {name: index for index, name in enumerate(order)}

    def place(record: TrialRecord) -> tuple[int, tuple[str, ...], int]:
        return position.get(record.variant.name, len(position)), _group(record), record.seed

    return sorted(records, key=place)


def refuse_unlike(records: Sequence[TrialRecord]) -> None:
    """Raise if records do not answer the same question.

    Args:
        records: of one study.

    Raises:
        RecordError: a record differs; the message names the first one, and the field.
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
    """Make the key of a record's row: all that may change a result, except the seed.

    The machine, the place of a model's folder and a fallback to another engine, which computes the
    same, do not change a result: only times are separate for them.
    """
    revision = record.model.revision
    asked = record.variant.model_dump_json(exclude={"recipe"} | ({"model"} if revision else set()))
    weights = revision or record.model.model_id
    workers = str(_num_workers(record))
    recipe = str(compared(record))  # the whole of it, however much was stated
    return (record.variant.name, asked, weights, record.precision, workers, recipe)


def _num_workers(record: TrialRecord) -> int:
    return 1 if is_linear(record.variant.model) else record.scaling.num_workers


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
        num_train_examples=first.dataset.num_train,
        num_test_examples=first.test.num_examples,
        precision=first.precision,
        num_workers=_num_workers(first),
        engine=LINEAR_ENGINE if is_linear(first.variant.model) else first.variant.engine,
        recipe_changes=recipe_changes(first, shared),
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
