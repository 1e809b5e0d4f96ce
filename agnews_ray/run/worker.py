"""What one Ray Train worker does with a trial: load, train, score, and leave its files."""

import pickle  # tokenizers travel by pickle, as Ray's own messages do
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray.train
import ray.train.torch
import torch
import torch.distributed as dist

from agnews_ray.data.batches import TokenisedRows, evaluation_batches, train_batches
from agnews_ray.data.stream import iter_windows
from agnews_ray.engine.artifact_check import check_artifact, deviation, replay
from agnews_ray.engine.callbacks import Callback
from agnews_ray.engine.divergence import divergence, predicted_classes
from agnews_ray.engine.objective import CrossEntropy
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.predict import predict
from agnews_ray.engine.registry import RUNNERS, Proof, TrainingJob
from agnews_ray.engine.results import Predictions, Rank, TrainLog
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.memory import peak_memory_bytes
from agnews_ray.model.saving import save_artifact
from agnews_ray.record.environment import describe_environment, num_usable_cpus
from agnews_ray.record.object_store import check_staging, leaving_files
from agnews_ray.record.outputs import NO_CLASS
from agnews_ray.record.schema import TrainingRecord
from agnews_ray.run.callbacks import ProgressTeller, TrainingClock, Validation, scored
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.run.device import check_precision
from agnews_ray.run.engine_choice import choose_engine, of_all_ranks
from agnews_ray.run.progress import ProgressReporter
from agnews_ray.run.worker_config import ScoredRows, WorkerConfig, WorkerSummary


class Worker:
    """One rank's walk through a trial."""

    def __init__(self, config: WorkerConfig) -> None:
        context = ray.train.get_context()
        share = num_usable_cpus() // context.get_local_world_size()
        torch.set_num_threads(max(1, min(config.threads_per_worker or share, num_usable_cpus())))
        rank = Rank(
            index=context.get_world_rank(),
            world_size=context.get_world_size(),
            device=ray.train.torch.get_device(),
        )
        check_precision(config.precision, "cuda" if rank.device.type == "cuda" else "cpu")
        self._node_rank = context.get_node_rank()
        self._config = config
        self._rank = rank
        self._tokenizer = pickle.loads(config.pickled_tokenizer)  # noqa: S301  # our driver's
        self._reporter = ProgressReporter(
            config.trial_id, config.num_steps, config.recipe.num_epochs, rank.index == 0
        )
        self._pad_id = self._tokenizer.pad_token_id or 0
        self._pauses = PauseWatch()
        self._clock = TrainingClock(self._pauses)
        self._paused_s = 0.0
        self._validation: list[ScoredRows] = []

    def run(self) -> WorkerSummary | None:
        """Load, train, score and save.

        Returns:
            The summary on rank 0, None elsewhere.
        """
        config, rank = self._config, self._rank
        if rank.index == 0:
            check_staging(config.staged)
        self._reporter.phase("loading")
        model = build_classifier(config.variant, config.class_names, config.seed, self._tokenizer)
        ran = choose_engine(config, model, self._tokenizer, rank, self._reporter)
        self._reporter.note = ran.cause or ""
        self._reporter.phase("loading")
        model = model.to(rank.device)
        # Dropout differs between ranks, and not between runs.
        torch.manual_seed(config.seed * 1_000_003 + rank.index)
        with self._pauses:
            log = self._train(model, ran)
        peak = int(_max_over_ranks(peak_memory_bytes(rank.device), rank))
        num_machines = int(_max_over_ranks(self._node_rank, rank)) + 1
        self._paused_s = _max_over_ranks(self._clock.paused_s, rank)  # the others waited
        self._reporter.phase("scoring")
        scoring_start = time.perf_counter()
        found = self._predict(model, "test")
        scoring_seconds = time.perf_counter() - scoring_start
        if rank.index != 0:
            return None
        self._reporter.phase("saving")
        with (
            tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch,
            leaving_files(config.staged, Path(scratch)) as folder,
        ):
            size_bytes = save_artifact(folder / "artifact", model, self._tokenizer, config.facts)
            apart = self._check_artifact(folder / "artifact", found)
            _save_predictions(found, folder)
            _save_curve(log, config.recipe.num_epochs, folder)
        return WorkerSummary(
            num_parameters=num_parameters(model),
            size_bytes=size_bytes,
            artifact_deviation=apart,
            training=self._training_record(log, peak, scoring_seconds).model_copy(
                update={
                    "num_machines": num_machines,
                    "engine": ran.engine,
                    "engine_note": ran.cause,
                }
            ),
            environment=describe_environment(),
            test=scored(found),
            validation=tuple(self._validation),
            diverged=divergence(
                log.loss, [one.predicted for one in (*self._validation, scored(found))]
            ),
        )

    def _train(self, model: torch.nn.Module, ran: Proof) -> TrainLog:
        config = self._config
        job = TrainingJob(
            recipe=config.recipe,
            precision=config.precision,
            tokenizer=self._tokenizer,
            rank=self._rank,
            seed=config.seed,
            num_steps=config.num_steps,
            epochs=self._epochs,
            rows=lambda: next(self._windows("train-0", 0)),
            objective=CrossEntropy.of(config.recipe, config.class_weights),
        )
        return RUNNERS[ran.engine](job, model, self._callbacks(model))

    def _callbacks(self, model: torch.nn.Module) -> list[Callback]:
        batch_size, clock = self._config.recipe.global_batch_size, self._clock
        teller = ProgressTeller(self._reporter, clock, batch_size, self._rank.world_size)
        callbacks: list[Callback] = [clock, teller]
        if "validation" in self._config.window_rows:
            predict_all = partial(self._predict, model, "validation")
            validation = Validation(predict_all, clock, self._rank)
            self._validation = validation.found
            callbacks.append(validation)
        return callbacks

    def _epochs(self) -> Iterator[Iterator[TokenisedRows]]:
        """Each epoch's global batches."""
        recipe, window_rows = self._config.recipe, self._config.window_rows
        held = [] if window_rows["train"] else list(self._windows("train-0", 0))
        for epoch in range(recipe.num_epochs):
            windows = held or self._windows(f"train-{epoch}", window_rows["train"])
            yield train_batches(windows, recipe.global_batch_size, self._config.seed, epoch)

    def _windows(self, dataset: str, window_rows: int) -> Iterator[TokenisedRows]:
        return iter_windows(ray.train.get_dataset_shard(dataset), window_rows)

    def _predict(self, model: torch.nn.Module, split: str) -> Predictions:
        """Score all rows of a split over all ranks, in file order on rank 0."""
        windows = self._windows(split, self._config.window_rows[split])
        batches = evaluation_batches(windows, self._config.recipe.evaluation_batch_size)
        precision, side = self._config.precision, self._tokenizer.padding_side
        mine = list(predict(model, batches, self._pad_id, self._rank, precision, side))
        gathered: list[Any] = [mine]
        if self._rank.world_size > 1:
            gathered = [None] * self._rank.world_size
            dist.all_gather_object(gathered, mine)
        parts = [part for rank_parts in gathered for part in rank_parts]
        rows = np.concatenate([part.rows for part in parts])
        order = np.argsort(rows, kind="stable")
        return Predictions(
            rows[order],
            np.concatenate([part.labels for part in parts])[order],
            np.concatenate([part.logits for part in parts])[order],
        )

    def _training_record(self, log: TrainLog, peak: int, scoring_seconds: float) -> TrainingRecord:
        num_rows, seconds = int(log.rows.sum()), self._clock.seconds - self._paused_s
        return TrainingRecord(
            num_steps=len(log.loss),
            num_train_examples=num_rows // self._config.recipe.num_epochs,
            train_seconds=seconds,
            samples_per_second=num_rows / seconds,
            paused_seconds=self._paused_s,
            final_loss=log.final_loss,
            padding_share=log.padding_share,
            num_skipped_steps=log.num_skipped,
            peak_memory_bytes=peak,
            is_streamed=self._config.window_rows["train"] > 0,
            seconds_to_first_step=self._clock.first_step_at - self._config.started_at,
            scoring_seconds=scoring_seconds,
        )

    def _check_artifact(self, folder: Path, found: Predictions) -> float | None:
        """Hold what was saved against what was recorded, on the rows whose texts are known."""
        config = self._config
        if not config.replayed:
            return None
        rows, texts = zip(*config.replayed, strict=True)
        recorded = found.logits[np.searchsorted(found.rows, rows)]
        again = replay(folder, texts, self._rank.device, config.precision)
        return check_artifact(
            f"trial {config.trial_id}", deviation(again, recorded), config.precision
        )


def _save_predictions(found: Predictions, folder: Path) -> None:
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


def _save_curve(log: TrainLog, num_epochs: int, folder: Path) -> None:
    steps = np.arange(1, len(log.loss) + 1)
    epochs = num_epochs * steps / len(steps)
    table = pa.table(
        {
            "step": steps,
            "epoch": epochs,
            "loss": log.loss,
            "learning_rate": log.learning_rate,
            "samples_seen": np.cumsum(log.rows),
            "seconds": log.seconds,
            "rows_hash": log.rows_hash,
        }
    )
    pq.write_table(table, folder / "curve.parquet")


def _max_over_ranks(value: float, rank: Rank) -> float:
    return max(float(one) for one in of_all_ranks(value, rank))
