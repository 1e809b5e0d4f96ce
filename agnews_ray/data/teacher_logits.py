"""Teachers' logits, joined to the rows that a student learns from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agnews_ray.data.batches import FIRST_TRANSFER_ROW, TokenisedRows
from agnews_ray.errors import DataError
from agnews_ray.record.soft_labels import SoftLabels

TEACHER_LOGITS = "teacher_logits"
"""The target that holds the teachers' logits."""


def attach_targets(rows: TokenisedRows, labels: Sequence[SoftLabels]) -> TokenisedRows:
    """Join teachers' logits to rows by row number, so that no order or batch has to be the same.

    Args:
        rows: N rows.
        labels: the logits of K teachers for at least these rows.

    Returns:
        The rows with ``targets["teacher_logits"]``, shape (N, K, C), float32.

    Raises:
        DataError: a teacher has no logits for a row; the message names it.
    """
    logits = np.stack([one.logits[_places(rows.rows, one)] for one in labels], axis=1)
    return replace(rows, targets=rows.targets | {TEACHER_LOGITS: logits})


def _places(rows: NDArray[np.int64], labels: SoftLabels) -> NDArray[np.int64]:
    places = np.searchsorted(labels.rows, rows)
    is_missing = places == labels.rows.size
    is_missing[~is_missing] = labels.rows[places[~is_missing]] != rows[~is_missing]
    if is_missing.any():
        row = int(rows[is_missing][0])
        text = row - FIRST_TRANSFER_ROW
        name = f"row {row}" if text < 0 else f"text {text} without label"
        hint = "delete the teacher's trial, and submit again: it labels all rows"
        raise DataError("soft labels", "a teacher's logits for every row", f"none for {name}", hint)
    return places
