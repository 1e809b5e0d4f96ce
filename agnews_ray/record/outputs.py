"""The files beside a record, with checked reads: predictions, learning curve, test rows."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from agnews_ray.errors import RecordError, StoreError
from agnews_ray.record.durable import whole_file
from agnews_ray.record.number_columns import as_numbers
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.soft_labels import FILE_NAME

FINGERPRINT_KEY = b"dataset_fingerprint"

NO_CLASS = -1
"""The class id of a row whose logits are not numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """One trial's predictions for all N test rows, in file order."""

    rows: NDArray[np.int64]
    """Shape (N,): the row numbers in the source."""
    labels: NDArray[np.int64]
    """Shape (N,): the class ids."""
    predicted: NDArray[np.int64]
    """Shape (N,): the predicted class ids; ``NO_CLASS`` if a logit is not a number."""
    logits: NDArray[np.float64]
    """Shape (N, C): the logits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """One trial's loss after each of its S steps."""

    samples_seen: NDArray[np.int64]
    """Shape (S,): the train rows used up to each step."""
    loss: NDArray[np.float64]
    """Shape (S,): the mean cross-entropy of the global batch, in nats."""


COLUMNS_OF_A_CURVE = (
    "step",
    "epoch",
    "loss",
    "learning_rate",
    "samples_seen",
    "seconds",
    "rows_hash",
)
"""The columns of every ``curve.parquet``; others are parts of the loss."""

NO_CURVE = LearningCurve(samples_seen=np.empty(0, np.int64), loss=np.empty(0))
"""The curve of what is not trained step by step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRows:
    """The texts of a study's test rows, and their duplicates; all lists are in row order."""

    texts: list[str]
    twin_in_test: list[int | None]
    """For each row, the first other test row with the same text, else with the same normalised
    text."""
    twin_in_train: list[int | None]
    """For each row, the first train row with the same text, else with the same normalised text."""
    is_exact_in_test: list[bool]
    """Whether that row has exactly the same text."""
    is_exact_in_train: list[bool]
    """Whether that row has exactly the same text."""

    __test__ = False  # pytest: not a test class


def check_left(record: TrialRecord, staged: str, names: Container[str]) -> None:
    """Refuse to finish a trial whose files are missing.

    Args:
        record: the record, which says whether there must be predictions.
        staged: the folder to which its worker should have written them.
        names: the names of the files that are there.

    Raises:
        StoreError: the predictions are missing, or the curve of a trial without any.
    """
    wanted = ["predictions.parquet" if record.scores_test else "curve.parquet"]
    if record.work == "labelling":
        wanted = [FILE_NAME, *(["predictions.parquet"] if record.scores_test else [])]
    if any(name not in names for name in wanted):
        hint = "use storage that all nodes share, and submit again"
        raise StoreError(
            staged, "a trained trial's files", "none: they were written to another disk", hint
        )


def load_predictions(folder: Path, record: TrialRecord) -> Predictions:
    """Read a trial's predictions and compare them with its record.

    Args:
        folder: the trial's folder.
        record: the trial's record, which has the number of scored rows and of right ones.

    Returns:
        The predictions.

    Raises:
        RecordError: the file is missing, damaged, or not what the record was made from.
    """
    path = folder / "predictions.parquet"
    integers = dict.fromkeys(("row", "label", "predicted"), pa.int64())
    columns = _read(path, {**integers, "logits": pa.list_(pa.float64())})
    logits = columns["logits"]
    found = Predictions(
        rows=columns["row"],
        labels=columns["label"],
        predicted=np.where(np.isfinite(logits).all(axis=1), columns["predicted"], NO_CLASS),
        logits=logits,
    )
    accuracy, num_examples = record.test.accuracy, record.test.num_examples
    wanted, seen = f"{num_examples}", f"{len(found.rows)}"
    if accuracy is not None:
        num_right = int((found.labels == found.predicted).sum())
        wanted = f"{round(accuracy * num_examples)} right of {wanted}"
        seen = f"{num_right} right of {seen}"
    if wanted != seen:
        hint = f"delete {folder} and submit again to run this trial again"
        raise RecordError(str(path), f"{wanted}, as in record.json", seen, hint)
    return found


def count_without_class(folder: Path) -> int:
    """Count a trial's rows whose logits are not numbers.

    Args:
        folder: the trial's folder.

    Returns:
        The number of rows; 0 if there are no predictions.

    Raises:
        RecordError: the file is damaged.
    """
    path = folder / "predictions.parquet"
    if not path.is_file():
        return 0
    logits = _read(path, {"logits": pa.list_(pa.float64())})["logits"]
    return int((~np.isfinite(logits)).any(axis=1).sum())


def load_curve(folder: Path) -> LearningCurve:
    """Read a trial's learning curve.

    Args:
        folder: the trial's folder.

    Returns:
        The curve.

    Raises:
        RecordError: the file is missing or damaged.
    """
    path = folder / "curve.parquet"
    columns = _read(path, {"samples_seen": pa.int64(), "loss": pa.float64()})
    return LearningCurve(samples_seen=columns["samples_seen"], loss=columns["loss"])


def load_learning_rates(folder: Path) -> NDArray[np.float64] | None:
    """Read the learning rates beside a trial's learning curve.

    Args:
        folder: the trial's folder.

    Returns:
        Shape (S,): the rate of each step; None if the file has none.

    Raises:
        RecordError: the file is missing or damaged.
    """
    path = folder / "curve.parquet"
    _read(path, {})
    if "learning_rate" not in pq.read_schema(path).names:
        return None
    return _read(path, {"learning_rate": pa.float64()})["learning_rate"]


def load_loss_parts(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Read the parts of the loss beside a trial's learning curve.

    Args:
        folder: the trial's folder.

    Returns:
        Shape (S,) each, by the part's name; often there are none.

    Raises:
        RecordError: the file is missing or damaged.
    """
    path = folder / "curve.parquet"
    _read(path, {})
    names = tuple(name for name in pq.read_schema(path).names if name not in COLUMNS_OF_A_CURVE)
    return _read(path, dict.fromkeys(names, pa.float64()))


def save_test_rows(path: Path, rows: TestRows, fingerprint: str) -> None:
    """Keep the test rows beside the study, so that a report needs no data source.

    Args:
        path: the file; its folder exists.
        rows: texts and duplicates.
        fingerprint: the dataset's fingerprint, which is checked when the file is read.

    Raises:
        StoreError: the file cannot be written.
    """
    table = pa.table(
        {
            "text": pa.array(rows.texts, pa.string()),
            "twin_in_test": pa.array(rows.twin_in_test, pa.int64()),
            "twin_in_train": pa.array(rows.twin_in_train, pa.int64()),
            "is_exact_in_test": pa.array(rows.is_exact_in_test, pa.bool_()),
            "is_exact_in_train": pa.array(rows.is_exact_in_train, pa.bool_()),
        }
    ).replace_schema_metadata({FINGERPRINT_KEY: fingerprint.encode()})
    with whole_file(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def load_test_rows(path: Path, fingerprint: str, num_rows: int) -> TestRows | None:
    """Read a study's test rows.

    Args:
        path: the file.
        fingerprint: the fingerprint of the records' dataset.
        num_rows: the number of test rows in the records.

    Returns:
        The rows, or None if there is no file or it belongs to other data.

    Raises:
        StoreError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        found = (table.schema.metadata or {}).get(FINGERPRINT_KEY)
        if found != fingerprint.encode() or table.num_rows != num_rows:
            return None
        columns = table.to_pydict()
        return TestRows(
            texts=columns["text"],
            twin_in_test=columns["twin_in_test"],
            twin_in_train=columns["twin_in_train"],
            is_exact_in_test=columns["is_exact_in_test"],
            is_exact_in_train=columns["is_exact_in_train"],
        )
    except (pa.ArrowException, OSError, KeyError) as error:
        hint = "delete it and run the study's `agnews-ray submit` again; no trial is run again"
        raise StoreError(str(path), "the study's test rows", "a damaged file", hint) from error


def _read(path: Path, columns: Mapping[str, pa.DataType]) -> dict[str, NDArray[Any]]:
    hint = f"delete {path.parent} and submit again to run this trial again"
    if not path.is_file():
        raise RecordError(str(path), "a trial's file", "none", hint)
    try:
        table = pq.read_table(path, columns=list(columns))
        if set(columns) != set(table.column_names):
            raise RecordError(str(path), f"columns {', '.join(columns)}", "others", hint)
        return {
            name: as_numbers(table[name], kind, NO_CLASS if pa.types.is_integer(kind) else nan)
            for name, kind in columns.items()
        }
    except (pa.ArrowException, OSError, KeyError) as error:
        raise RecordError(str(path), "a trial's file", "a damaged one", hint) from error
