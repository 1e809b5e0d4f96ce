"""What rank 0 leaves beside an artifact, as reports read it again."""

import numpy as np
import pyarrow.parquet as pq

from agnews_ray.engine.results import Predictions, TrainLog
from agnews_ray.record.outputs import NO_CLASS, load_curve, load_predictions
from agnews_ray.run.trial_files import save_curve, save_predictions
from tests.fakes.records import a_record

LOGITS = np.array([[2.0, 1.0], [0.1, 3.0], [np.nan, 0.0]], np.float32)
FOUND = Predictions(np.array([5, 3, 8]), np.array([0, 1, 1]), LOGITS)
STEPS = 3


def a_log():
    """A training that stopped after three of its eight steps."""
    counts = np.ones(STEPS, dtype=np.int64)
    return TrainLog(
        loss=np.array([0.7, np.nan, 0.5]),
        learning_rate=np.array([1e-5, 2e-5, 1e-5]),
        rows=np.array([4, 4, 2]),
        tokens=counts,
        computed=counts,
        rows_hash=np.array([11, 12, 13]),
        seconds=np.array([1.0, 2.0, 3.5]),
        num_skipped=0,
    )


def test_predictions_come_back_as_they_were_found(tmp_path):
    save_predictions(FOUND, tmp_path)
    scores = a_record().test.model_copy(update={"accuracy": 2 / 3, "num_examples": 3})
    found = load_predictions(tmp_path, a_record(test=scores))
    assert found.rows.tolist() == [5, 3, 8]
    assert found.labels.tolist() == [0, 1, 1]
    assert found.predicted.tolist() == [0, 1, NO_CLASS]
    assert np.array_equal(found.logits, LOGITS.astype(np.float64), equal_nan=True)


def test_a_row_without_a_class_is_null_for_other_readers(tmp_path):
    save_predictions(FOUND, tmp_path)
    table = pq.read_table(tmp_path / "predictions.parquet")
    assert table["predicted"].to_pylist() == [0, 1, None]
    assert table["logits"].to_pylist()[1] == [np.float32(0.1), 3.0]


def test_a_curve_comes_back_with_the_rows_seen_so_far(tmp_path):
    save_curve(a_log(), 8, 2, tmp_path)
    found = load_curve(tmp_path)
    assert found.samples_seen.tolist() == [4, 8, 10]
    assert np.array_equal(found.loss, [0.7, np.nan, 0.5], equal_nan=True)


def test_a_step_is_a_share_of_the_planned_epochs_and_not_of_those_that_were_made(tmp_path):
    save_curve(a_log(), 8, 2, tmp_path)
    table = pq.read_table(tmp_path / "curve.parquet").to_pydict()
    assert table["step"] == [1, 2, 3]
    assert table["epoch"] == [0.25, 0.5, 0.75]
    assert table["learning_rate"] == [1e-5, 2e-5, 1e-5]
    assert table["seconds"] == [1.0, 2.0, 3.5]
    assert table["rows_hash"] == [11, 12, 13]
