"""A teacher's logits for the rows of its students, in a file beside its record."""

from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from agnews_ray.errors import RecordError
from agnews_ray.record.durable import whole_file
from agnews_ray.record.number_columns import as_numbers

FILE_NAME = "soft_labels.parquet"
"""The file's name beside the record of a labelling trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftLabels:
    """One teacher's logits for N rows."""

    rows: NDArray[np.int64]
    """Shape (N,): the row numbers, rising."""
    logits: NDArray[np.float32]
    """Shape (N, C): the logits, in the order of the study's classes."""


def save_soft_labels(path: Path, rows: NDArray[np.int64], logits: NDArray[np.float32]) -> None:
    """Keep a teacher's logits.

    Args:
        path: the file; its folder exists.
        rows: shape (N,): the row numbers, in any order, each once.
        logits: shape (N, C): the logits, in the order of the study's classes.

    Raises:
        StoreError: the file cannot be written.
    """
    order = np.argsort(rows)
    flat = pa.array(logits[order].astype(np.float32, copy=False).ravel())
    table = pa.table(
        {
            "row": pa.array(rows[order], pa.int64()),
            "logits": pa.FixedSizeListArray.from_arrays(flat, logits.shape[1]),
        }
    )
    with whole_file(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def load_soft_labels(path: Path) -> SoftLabels:
    """Read a teacher's logits.

    Args:
        path: the file.

    Returns:
        The logits.

    Raises:
        RecordError: the file is missing, damaged or of another form, or a logit is not a number.
    """
    hint = f"delete {path.parent} and submit again to run this trial again"
    if not path.is_file():
        raise RecordError(str(path), "a teacher's logits", "no file", hint)
    try:
        table = pq.read_table(path)
        logits = as_numbers(table["logits"], pa.list_(pa.float32()), nan)
        found = SoftLabels(rows=as_numbers(table["row"], pa.int64(), -1), logits=logits)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise RecordError(str(path), "a teacher's logits", "a damaged file", hint) from error
    if (found.rows.ndim, logits.ndim) != (1, 2) or not (np.diff(found.rows) > 0).all():
        raise RecordError(str(path), "logits of different rows", "others", hint)
    if not np.isfinite(found.logits).all():
        wrong = int(found.rows[~np.isfinite(found.logits).all(axis=1)][0])
        hint = "use another teacher, or train it with a lower learning rate or in fp32"
        raise RecordError(str(path), "numbers as logits", f"others for row {wrong}", hint)
    return found
