"""From the records of one study to the rows of the comparison table."""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean, stdev

from pydantic import BaseModel, ConfigDict

from agnews_ray.compare.diverged import DivergedTrial, describe_diverged, part_diverged
from agnews_ray.errors import RecordError
from agnews_ray.record.schema import TrialRecord


class TrainingTimes(BaseModel):
    """The time (s) and memory (bytes) of a row's trials on one kind of machine with one engine."""

    model_config = ConfigDict(frozen=True)

    device: str
    """The name of the machine that trained."""
    num_seeds: int
    """The number of the row's trials that were trained in this way."""
    train_seconds: float
    train_seconds_std: float | None
    samples_per_second: float
    peak_memory_bytes: int
    """The largest peak memory of the seeds."""
    num_machines: int | None
    """The number of machines of a trial's workers; None if the records do not say, or differ."""
    engine: str = "fast"
    """The engine that really ran, such as ``fast, unrecorded`` on a GPU whose steps cannot be
    recorded."""
    engine_note: str | None = None
    """Why it was not the requested engine; None if it was."""
    paused_seconds: float = 0.0
    """The seconds in which these trials were paused; not part of their train time."""


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
    padding_share: float
    num_train_examples: int
    num_test_examples: int
    precision: str
    num_workers: int
    num_diverged: int = 0
    """The number of further seeds that diverged; they are part of no number here."""
    engine: str = "fast"
    """The requested engine."""
    times: tuple[TrainingTimes, ...]
    """The times for each kind of machine and engine that ran, those of most trials first."""

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
    """The rows of variants with at least one seed that did not diverge; there may be none."""
    diverged: tuple[DivergedTrial, ...] = ()


def compare_records(
    study: str, records: Sequence[TrialRecord], order: Sequence[str]
) -> ComparisonTable:
    """Aggregate records, one row per variant, precision and number of workers.

    Args:
        study: the study's name.
        records: at least one record.
        order: variant names in the order of the rows; others come after them.

    Returns:
        The table.

    Raises:
        RecordError: two records were trained or scored on other data or by another recipe.
    """
    groups = group_records(records, order)
    rows = _named_apart([_row(group) for group in groups])
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
        The rows' records, each ordered by seed; trials that diverged are left out.

    Raises:
        RecordError: two records were trained or scored on other data or by another recipe.
    """
    refuse_unlike(records)
    groups: dict[tuple[str, ...], list[TrialRecord]] = {}
    sound, _ = part_diverged(records)
    for record in _in_order(sound, order):
        groups.setdefault(_group(record), []).append(record)
    return tuple(tuple(group) for group in groups.values())


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
        records: at least one record.

    Raises:
        RecordError: a record differs; the message names the first one, and the field.
    """
    facts: dict[str, Callable[[TrialRecord], object]] = {
        "dataset fingerprint": lambda r: r.dataset.fingerprint,
        "number of test rows": lambda r: r.test.num_examples,
        "number of train rows": lambda r: r.dataset.num_train,
        "recipe": lambda r: r.recipe.model_dump(exclude={"precision"}),
    }
    first = records[0]
    for record in records[1:]:
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
    asked = record.variant.model_dump_json(exclude={"model"} if revision else None)
    weights = revision or record.model.model_id
    workers = str(record.scaling.num_workers)
    return (record.variant.name, asked, weights, record.precision, workers)


def _device(record: TrialRecord) -> str:
    environment = record.environment
    return environment.gpu or "GPU" if record.device == "cuda" else environment.cpu


def _row(records: Sequence[TrialRecord]) -> VariantRow:
    first = records[0]
    accuracies = [r.test.accuracy for r in records if r.test.accuracy is not None]  # all have one
    f1_scores = [r.test.macro_f1 for r in records if r.test.macro_f1 is not None]
    return VariantRow(
        model=first.variant.name,
        num_seeds=len(records),
        seeds=tuple(record.seed for record in records),
        parameters=first.model.parameters,
        accuracy=fmean(accuracies),
        accuracy_std=_spread(accuracies),
        macro_f1=fmean(f1_scores),
        macro_f1_std=_spread(f1_scores),
        size_bytes=first.model.size_bytes,
        padding_share=fmean(record.training.padding_share for record in records),
        num_train_examples=first.dataset.num_train,
        num_test_examples=first.test.num_examples,
        precision=first.precision,
        num_workers=first.scaling.num_workers,
        engine=first.variant.engine,
        times=_times(records),
    )


def _times(records: Sequence[TrialRecord]) -> tuple[TrainingTimes, ...]:
    alike: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in records:
        ran = record.training.engine or record.variant.engine
        alike.setdefault((_device(record), ran), []).append(record)
    times = []
    for (device, engine), trials in alike.items():
        trainings = [record.training for record in trials]
        seconds = [training.train_seconds for training in trainings]
        times.append(
            TrainingTimes(
                device=device,
                num_seeds=len(trainings),
                train_seconds=fmean(seconds),
                train_seconds_std=_spread(seconds),
                samples_per_second=fmean(training.samples_per_second for training in trainings),
                peak_memory_bytes=max(training.peak_memory_bytes for training in trainings),
                num_machines=_num_machines(trials),
                engine=engine,
                engine_note="; ".join(
                    dict.fromkeys(t.engine_note for t in trainings if t.engine_note)
                )
                or None,
                paused_seconds=sum(training.paused_seconds or 0.0 for training in trainings),
            )
        )
    return tuple(sorted(times, key=lambda one: -one.num_seeds))


def _num_machines(records: Sequence[TrialRecord]) -> int | None:
    """Return the number of machines, which is one for a single worker of any record."""
    found = {
        1 if record.scaling.num_workers == 1 else record.training.num_machines for record in records
    }
    return found.pop() if len(found) == 1 else None


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


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
