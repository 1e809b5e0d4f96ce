"""The files that rank 0 of a trial writes beside its artifact: predictions and curve."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agnews_ray.engine.divergence import predicted_classes
from agnews_ray.engine.results import Predictions, TrainLog
from agnews_ray.record.outputs import NO_CLASS


def save_predictions(found: Predictions, folder: Path) -> None:
    """Write ``predictions.parquet``: row, label, predicted class and logits of every test row.

    Args:
        found: the predictions, in file order.
        folder: the folder to write to.
    """
    predicted = predicted_classes(found.logits)
    logits = pa.FixedSizeListArray.from_arrays(found.logits.ravel(), found.logits.shape[1])
    table = pa.table(
        {
            "row": found.rows,
            "label": found.labels.astype(np.int32),
            "predicted": pa.array(predicted.astype(np.int32), mask=predicted == NO_CLASS),
            "logits": logits,
        }
    )
    pq.write_table(table, folder / "predictions.parquet")


def save_curve(log: TrainLog, num_steps: int, num_epochs: int, folder: Path) -> None:
    """Write ``curve.parquet``: one line for each step, with a column for each part of its loss.

    Args:
        log: the log of the training, which may have stopped early.
        num_steps: the planned number of updates in all epochs.
        num_epochs: the number of epochs in the recipe.
        folder: the folder to write to.
    """
    steps = np.arange(1, len(log.loss) + 1)
    table = pa.table(
        {
            "step": steps,
            "epoch": num_epochs * steps / num_steps,
            "loss": log.loss,
            "learning_rate": log.learning_rate,
            "samples_seen": np.cumsum(log.rows),
            "seconds": log.seconds,
            "rows_hash": log.rows_hash,
            **log.parts,
        }
    )
    pq.write_table(table, folder / "curve.parquet")
