"""Use case: the curve of a study's scores against its train rows, without Ray and torch."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from agnews_ray.compare.assessment import Settings
from agnews_ray.compare.data_curve import data_curve
from agnews_ray.compare.grouping import for_students, part_repeated, with_test_scores
from agnews_ray.compare.table import ComparisonTable, compare_records
from agnews_ray.errors import RecordError
from agnews_ray.record.outputs import load_predictions
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.store import StudyStore


def with_curve(
    table: ComparisonTable,
    store: StudyStore,
    order: Sequence[str],
    settings: Settings,
    tell: Callable[[str], None],
    measured_on: Collection[str] = (),
) -> ComparisonTable:
    """Add the trials with a share of the train rows to a study's table.

    Args:
        table: the table of the trials with all train rows.
        store: the study's store.
        order: variant names, the baseline first.
        settings: metric, alpha, number of draws, prices.
        tell: called with each line about what is left out.
        measured_on: the machines on which use was measured, as for ``price_trainings``.

    Returns:
        The table with the rows of these trials and their curve; the same table if there are none.

    Raises:
        RecordError: a record is unlike the others.
    """
    finished = store.finished().records
    records, _ = part_repeated(with_test_scores(finished))
    if all(record.train_share == 1 for record in records):
        return table
    kept: list[TrialRecord] = []
    predictions = {}
    for record in records:
        if record.diverged is None:
            try:
                folder = store.trial_folder(record.trial_id)
                found = load_predictions(folder, record)
                # A curve needs no logits, which would take most of the memory.
                predictions[record.trial_id] = replace(found, logits=np.empty((0, 0)))
            except RecordError as error:
                if record.train_share < 1:  # others were named before
                    tell(f"left out: {error}")
                continue
        kept.append(record)
    both = compare_records(table.study, [*kept, *for_students(finished)], order)
    curve = data_curve(both, kept, predictions, order, settings, measured_on)
    return table.model_copy(update={"smaller": both.smaller, "curve": curve})
