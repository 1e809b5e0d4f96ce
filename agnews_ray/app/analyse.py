"""Use cases that read records, without Ray and torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

from agnews_ray.app.study_curve import with_curve
from agnews_ray.compare.assessment import Assessment, Settings, assess
from agnews_ray.compare.diverged import DivergedTrial
from agnews_ray.compare.grouping import for_students, of_table, part_repeated
from agnews_ray.compare.groups import TrialResult
from agnews_ray.compare.published import (
    Agreement,
    StudyResults,
    hold_against_paper,
    hold_against_study,
)
from agnews_ray.compare.searches import searched
from agnews_ray.compare.table import ComparisonTable, compare_records
from agnews_ray.errors import RecordError, StoreError
from agnews_ray.record.cost import CostRecord, load_costs
from agnews_ray.record.left_out import load_left_out
from agnews_ray.record.outputs import (
    NO_CURVE,
    TestRows,
    load_curve,
    load_predictions,
    load_test_rows,
)
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.study import StudySpec

Tell = Callable[[str], None]
"""A function that is called with one line about what is left out of a result, and why."""


def _say_nothing(line: str) -> None:
    """Ignore the line, for callers that need only the result."""


def compare_study(folder: Path, tell: Tell = _say_nothing) -> ComparisonTable:
    """Aggregate a study's records into the comparison table.

    Args:
        folder: ``runs/<study>``.
        tell: called with each line about what is left out.

    Returns:
        One row per variant, in the study's order; with a curve if it has trials with a share of the
        train rows.

    Raises:
        StoreError: there is no study, or none of its trials has finished.
        RecordError: no record can be read, or one is unlike the others.
    """
    store, study, records = open_study(folder, tell)
    finished = store.finished().records
    used = (*records, *searched(finished), *for_students(finished))
    order = variant_order(study)
    table = with_left_out(compare_records(store.folder.name, used, order), store)
    return with_curve(table, store, order, Settings(), tell)


def assess_study(
    folder: Path, settings: Settings | None = None, tell: Tell = _say_nothing
) -> Assessment:
    """Derive all facts from a study's records, predictions and measurements.

    Args:
        folder: ``runs/<study>``.
        settings: margin, alpha, price; None means the defaults.
        tell: called with each line about what is left out.

    Returns:
        The assessment from which reports are written.

    Raises:
        StoreError: there is no study, or none of its trials has finished.
        RecordError: no record can be read, or one is unlike the others.
    """
    settings = settings or Settings()
    store, study, records = open_study(folder, tell)
    found = _assess(store, study, records, settings, tell).assessment
    measured_on = {cost.machine for cost in found.costs}
    order = variant_order(study)
    table = with_curve(found.table, store, order, settings, tell, measured_on)
    return found.model_copy(update={"table": table})


def _assess(
    store: StudyStore,
    study: StudySpec | None,
    records: tuple[TrialRecord, ...],
    settings: Settings,
    tell: Tell,
) -> StudyResults:
    finished = store.finished().records
    beside = for_students(finished)
    results, errors = _results(store, records, tell)
    if not results:
        raise errors[0]
    labelled = [one for one in beside if one.work == "labelling" and one.diverged is None]
    teachers, _ = _results(store, labelled, tell)
    order = variant_order(study)
    used = [*(result.record for result in results), *searched(finished), *beside]
    assessment = assess(
        compare_records(store.folder.name, used, order),
        study.question if study else "",
        [*results, *teachers],
        order,
        _test_rows(store, results[0].record, tell),
        settings,
    )
    table = with_left_out(assessment.table, store)
    return StudyResults(
        assessment=assessment.model_copy(update={"table": table}),
        predictions={result.record.trial_id: result.predictions for result in results},
    )


def _results(
    store: StudyStore, records: Sequence[TrialRecord], tell: Tell
) -> tuple[list[TrialResult], list[RecordError]]:
    """Read the files beside records; those that cannot be read are told and left out."""
    results, errors = [], []
    for record in records:
        trial = store.trial_folder(record.trial_id)
        try:
            results.append(
                TrialResult(
                    record=record,
                    predictions=load_predictions(trial, record),
                    curve=load_curve(trial) if record.work == "fine-tuning" else NO_CURVE,
                    costs=_costs(trial, tell),
                )
            )
        except RecordError as error:
            errors.append(error)
            tell(f"left out: {error}")
    return results, errors


def with_left_out(table: ComparisonTable, store: StudyStore) -> ComparisonTable:
    """Add the trials of the study that a budget left out to its table."""
    finished = {record.trial_id for record in store.finished().records}
    left_out = load_left_out(store.folder, finished)
    return table.model_copy(update={"left_out": left_out}) if left_out else table


def _costs(trial: Path, tell: Tell) -> tuple[CostRecord, ...]:
    try:
        return load_costs(trial)
    except RecordError as error:
        tell(f"left out: {error}")
        return ()


def _test_rows(store: StudyStore, record: TrialRecord, tell: Tell) -> TestRows | None:
    try:
        return load_test_rows(
            store.test_rows_path, record.dataset.fingerprint, record.test.num_examples
        )
    except StoreError as error:
        tell(f"left out: {error}")
        return None


def verify_study(folder: Path, against: str, tell: Tell = _say_nothing) -> tuple[Agreement, ...]:
    """Compare a study with the paper or another study.

    Args:
        folder: ``runs/<study>``.
        against: ``paper``, or another study's folder.
        tell: called with each line about what is left out.

    Returns:
        The published and the found numbers.

    Raises:
        StoreError: a study is missing, or the two have no model in common.
        RecordError: no record can be read, or one is unlike the others.
    """
    found = _assess(*open_study(folder, tell), Settings(), tell)
    table = found.assessment.table
    lost = [_left_out(one, found=f"seed {one.seed}, left out") for one in table.diverged]
    if against == "paper":
        lines = hold_against_paper(found)
    else:
        other = _assess(*open_study(Path(against), tell), Settings(), tell)
        lines = hold_against_study(found, other)
        lost += [
            _left_out(one, published=f"seed {one.seed}, left out")
            for one in other.assessment.table.diverged
        ]
    if not lines:
        models = ", ".join(row.model for row in table.rows)
        gone = dict.fromkeys(one.model for one in table.diverged if not one.has_row)
        models += "".join(f", {name} (diverged)" for name in gone)
        hint = "name another study with --against"
        raise StoreError(str(folder), f"a model that {against} has too", models, hint)
    return (*lines, *lost)


def _left_out(trial: DivergedTrial, published: str = "", found: str = "") -> Agreement:
    """Make the line for a trial that diverged, which is in none of its study's numbers."""
    return Agreement(
        model=trial.model,
        quantity="Diverged",
        published=published,
        found=found,
        agrees=None,
        note=trial.reason,
    )


def open_study(
    folder: Path, tell: Tell = _say_nothing
) -> tuple[StudyStore, StudySpec | None, tuple[TrialRecord, ...]]:
    """Open a study that has finished trials: its store, spec and records.

    Args:
        folder: ``runs/<study>``.
        tell: called with each line about what is left out: damaged or newer records, copies.

    Returns:
        The spec is None if it cannot be read; records have all of it except the order of rows.

    Raises:
        StoreError: there is no study, or none of its trials that score test has finished.
        RecordError: there are records, but none can be read.
    """
    store = StudyStore.at(folder)
    found = store.finished()
    if not of_table(found.records):
        if found.set_aside:
            raise found.set_aside[0].error
        hint = "run `agnews-ray submit` for this study"
        what = "none that scores the test split after training with all train rows"
        none = what if found.records else "none"
        if searched(found.records):
            none = f"only {len(searched(found.records))} of a search, which score no test rows"
            hint = "run the same `agnews-ray tune` again: it goes on, then trains the best settings"
        raise StoreError(str(folder), "at least one finished trial", none, hint)
    for one in found.set_aside:
        tell(str(one))
    records, repeated = part_repeated(of_table(found.records))
    for record in repeated:
        where = found.folders[record.trial_id].name
        tell(f"left out: {where}: a later trial has the same model and seed; one of them is a copy")
    try:
        return store, store.load_study(), records
    except StoreError as error:
        tell(f"left out: {error}")
        return store, None, records


def variant_order(study: StudySpec | None) -> list[str]:
    """Return the variants' names in the study's order, the baseline first."""
    return [variant.name for variant in study.models] if study else []
