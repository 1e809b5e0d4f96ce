"""Use cases that read records: never Ray, never torch."""

from pathlib import Path

from agnews_ray.compare.table import ComparisonTable, compare_records
from agnews_ray.errors import StoreError
from agnews_ray.record.store import StudyStore


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
    store = StudyStore.at(folder)
    records = store.records()
    if not records:
        hint = "run `agnews-ray submit` for this study"
        raise StoreError(str(folder), "at least one finished trial", "none", hint)
    study = store.load_study()
    order = [variant.name for variant in study.models] if study else []
    return compare_records(store.folder.name, records, order)
