"""Use cases that read records: never Ray, never torch."""

from pathlib import Path

from agnews_ray.compare.assessment import Assessment, Settings, TrialResult, assess
from agnews_ray.compare.divergence import DivergedTrial
from agnews_ray.compare.published import (
    Agreement,
    StudyResults,
    hold_against_paper,
    hold_against_study,
)
from agnews_ray.compare.table import ComparisonTable, compare_records
from agnews_ray.errors import StoreError
from agnews_ray.record.cost import load_costs
from agnews_ray.record.outputs import load_curve, load_predictions, load_test_rows
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.study import StudySpec


def compare_study(folder: Path) -> ComparisonTable:
    """Aggregate a study's records into the comparison table.

    Args:
        folder: ``runs/<study>``.

    Returns:
        One row per variant, in the study's order.

    Raises:
        StoreError: there is no study, or no trial of it has finished.
        RecordError: a record is corrupt, too new, or unlike the others.
    """
    store, study, records = open_study(folder)
    return compare_records(store.folder.name, records, variant_order(study))


def assess_study(folder: Path, settings: Settings | None = None) -> Assessment:
    """Find everything that a study's records, predictions and measurements say.

    Args:
        folder: ``runs/<study>``.
        settings: margin, alpha, price; None means the defaults.

    Returns:
        The assessment that reports are written from.

    Raises:
        StoreError: there is no study, or no trial of it has finished.
        RecordError: a record or file is corrupt, too new, or unlike the others.
    """
    return _assess(folder, settings or Settings()).assessment


def _assess(folder: Path, settings: Settings) -> StudyResults:
    store, study, records = open_study(folder)
    results = []
    for record in records:
        trial = store.trial_folder(record.trial_id)
        results.append(
            TrialResult(
                record=record,
                predictions=load_predictions(trial, record),
                curve=load_curve(trial),
                costs=load_costs(trial),
            )
        )
    assessment = assess(
        store.folder.name,
        study.question if study else "",
        results,
        variant_order(study),
        load_test_rows(
            store.test_rows_path, records[0].dataset.fingerprint, records[0].test.num_examples
        ),
        settings,
    )
    return StudyResults(
        assessment=assessment,
        predictions={result.record.trial_id: result.predictions for result in results},
    )


def verify_study(folder: Path, against: str) -> tuple[Agreement, ...]:
    """Hold a study against the paper or another study.

    Args:
        folder: ``runs/<study>``.
        against: ``paper``, or another study's folder.

    Returns:
        Published and found, number by number.

    Raises:
        StoreError: a study is missing, or the two have no model in common.
        RecordError: a record or file is corrupt, too new, or unlike the others.
    """
    found = _assess(folder, Settings())
    table = found.assessment.table
    lost = [_left_out(one, found=f"seed {one.seed}, left out") for one in table.diverged]
    if against == "paper":
        lines = hold_against_paper(found)
    else:
        other = _assess(Path(against), Settings())
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
    """A line for a trial that diverged: it is in none of the numbers on its side."""
    return Agreement(
        model=trial.model,
        quantity="Diverged",
        published=published,
        found=found,
        agrees=None,
        note=trial.reason,
    )


def open_study(folder: Path) -> tuple[StudyStore, StudySpec | None, tuple[TrialRecord, ...]]:
    """Open a study that has finished trials: its store, spec and records.

    Raises:
        StoreError: there is no study, or no trial of it has finished.
        RecordError: a record is corrupt or too new.
    """
    store = StudyStore.at(folder)
    records = store.records()
    if not records:
        hint = "run `agnews-ray submit` for this study"
        raise StoreError(str(folder), "at least one finished trial", "none", hint)
    return store, store.load_study(), records


def variant_order(study: StudySpec | None) -> list[str]:
    """Name the variants in the study's order, the baseline first."""
    return [variant.name for variant in study.models] if study else []
