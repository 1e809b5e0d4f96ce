"""Which records belong together: the rows of a table, the shares of a curve."""

from collections.abc import Callable, Sequence

from agnews_ray.compare.diverged import part_diverged
from agnews_ray.compare.recipes import compared, shared_recipe
from agnews_ray.errors import RecordError
from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.linear_models import is_linear


def group_records(
    records: Sequence[TrialRecord], order: Sequence[str]
) -> tuple[tuple[TrialRecord, ...], ...]:
    """Group the records of each row of the table.

    Args:
        records: at least one record.
        order: variant names in the order of the rows; others come after them.

    Returns:
        The rows' records, each ordered by seed; trials that diverged, that do not score test, that
        only serve students, or that have a share of the train rows, are in none.

    Raises:
        RecordError: two records were trained or scored on other data, or by another recipe that
            is not stated as a variant's own.
    """
    return tuple(group for _, (group,) in group_shares(of_table(records), order))


def group_shares(
    records: Sequence[TrialRecord], order: Sequence[str]
) -> tuple[tuple[str, tuple[tuple[TrialRecord, ...], ...]], ...]:
    """Group records by what would be one row of the table, and by their share of the train rows.

    Args:
        records: records that score test.
        order: variant names in their order; others come after them.

    Returns:
        For each row the variant's name, and the records of each share, the smallest share first,
        each ordered by seed. Trials that diverged are in none.

    Raises:
        RecordError: two records were trained or scored on other data, or by another recipe that
            is not stated as a variant's own.
    """
    refuse_unlike(records)
    groups: dict[tuple[str, ...], dict[float, list[TrialRecord]]] = {}
    sound, _ = part_diverged(records)
    for record in in_order(sound, order):
        shares = groups.setdefault(row_key(record), {})
        shares.setdefault(record.train_share, []).append(record)
    return tuple(
        (
            next(iter(shares.values()))[0].variant.name,
            tuple(tuple(shares[share]) for share in sorted(shares)),
        )
        for shares in groups.values()
    )


def fine_tuned(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Leave out the trials that only serve others: pre-training, and labelling by a teacher."""
    return tuple(record for record in records if record.work == "fine-tuning")


def for_students(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Select the trials that only serve others; students name them by their ids."""
    return tuple(record for record in records if record.work != "fine-tuning")


def with_test_scores(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Leave out the trials that were not to score test, such as those of a search.

    The record of a labelling is left out too: its scores are those of the teacher, which is no
    further seed of the teacher's row.
    """
    return tuple(record for record in fine_tuned(records) if record.scores_test)


def of_table(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Keep the trials of a table's rows: they score test, and were trained with all train rows."""
    return tuple(record for record in with_test_scores(records) if record.train_share == 1)


def part_repeated(
    records: Sequence[TrialRecord],
) -> tuple[tuple[TrialRecord, ...], tuple[TrialRecord, ...]]:
    """Find records that would wrongly be counted as further seeds of a row.

    Args:
        records: the records of one study.

    Returns:
        The records that are used, the latest one for each row, share and seed; and the others.
    """
    latest: dict[tuple[object, ...], TrialRecord] = {}
    for record in sorted(records, key=lambda one: (one.created_at, one.trial_id)):
        latest[(*row_key(record), record.train_share, record.seed)] = record
    counted = {record.trial_id for record in latest.values()}
    return (
        tuple(record for record in records if record.trial_id in counted),
        tuple(record for record in records if record.trial_id not in counted),
    )


def in_order(records: Sequence[TrialRecord], order: Sequence[str]) -> list[TrialRecord]:
    """Sort records by row, then by seed.

    Args:
        records: the records.
        order: variant names in the order of the rows; others come after them.

    Returns:
        The same records.
    """
    position = {name: index for index, name in enumerate(order)}

    def place(record: TrialRecord) -> tuple[int, tuple[str, ...], int]:
        return position.get(record.variant.name, len(position)), row_key(record), record.seed

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


def num_workers_of(record: TrialRecord) -> int:
    """Return the number of a trial's workers: a linear model has one, whatever the study says."""
    return 1 if is_linear(record.variant.model) else record.scaling.num_workers


def row_key(record: TrialRecord) -> tuple[str, ...]:
    """Make the key of a record's row: all that may change a result, except the seed.

    The machine, the place of a model's folder and a fallback to another engine, which computes the
    same, do not change a result: only times are separate for them. The share of the train rows is
    no part of it.
    """
    revision = record.model.revision
    asked = record.variant.model_dump_json(exclude={"recipe"} | ({"model"} if revision else set()))
    weights = revision or record.model.model_id
    workers = str(num_workers_of(record))
    recipe = str(compared(record))  # the whole of it, however much was stated
    return (record.variant.name, asked, weights, record.precision, workers, recipe)
