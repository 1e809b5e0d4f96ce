"""The work of one Ray Train worker on a trial: load, train, score, and write its files."""

import pickle  # tokenizers are pickled, as Ray's own messages are
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray.train
import ray.train.torch
import torch
import torch.distributed as dist
from ray.data import DataIterator

from agnews_ray.data.batches import TokenisedRows, evaluation_batches, train_batches
from agnews_ray.data.stream import iter_windows
from agnews_ray.data.subsets import chosen_windows
from agnews_ray.engine.artifact_check import check_artifact, deviation, replay
from agnews_ray.engine.best_epoch import BestEpoch
from agnews_ray.engine.callbacks import Callback
from agnews_ray.engine.divergence import divergence
from agnews_ray.engine.malloc import give_back_memory
from agnews_ray.engine.objective import CrossEntropy
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.predict import predict
from agnews_ray.engine.registry import RUNNERS, Proof, TrainingJob
from agnews_ray.engine.results import Predictions, Rank, TrainLog
from agnews_ray.engine.thread_waiting import SpinByLoad
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.memory import peak_memory_bytes, reset_peak_memory
from agnews_ray.model.saving import save_artifact
from agnews_ray.record.environment import describe_environment, num_usable_cpus
from agnews_ray.record.object_store import check_staging, leaving_files
from agnews_ray.record.schema import TrainingRecord
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.run.device import check_precision
from agnews_ray.run.engine_choice import choose_engine, max_over_ranks
from agnews_ray.run.mailbox import next_task, post_result
from agnews_ray.run.progress import ProgressReporter
from agnews_ray.run.rungs import ask
from agnews_ray.run.trial_files import save_curve, save_predictions
from agnews_ray.run.worker_callbacks import (
    ProgressTeller,
    Rungs,
    TrainingClock,
    Validation,
    scored,
)
from agnews_ray.run.worker_config import WorkerConfig, WorkerSummary


def serve(group: str) -> None:
    """Train the trials of a group, one after another, until the driver says that there are no more.

    An error of a trial ends this process: the next trial starts in a new one, which the error
    cannot affect.

    Args:
        group: the name under which the driver posts tasks.
    """
    number = 1
    while (task := next_task(group, number)) is not None:
        reset_peak_memory(ray.train.torch.get_device())
        worker = Worker(task.config, task.datasets)
        try:
            with SpinByLoad():
                summary = worker.run()
        finally:
            worker.close()
        if summary is not None:
            post_result(group, number, summary)
        del task, worker, summary
        give_back_memory()
        number += 1


class Worker:
    """One rank's work on a trial.

    Args:
        config: the trial's settings.
        datasets: its splits by name, as in ``mailbox.Task``.
    """

    def __init__(self, config: WorkerConfig, datasets: dict[str, DataIterator]) -> None:
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
        self._datasets = datasets
        self._rank = rank
        self._tokenizer = pickle.loads(config.pickled_tokenizer)  # noqa: S301  # our driver's
        self._reporter = ProgressReporter(
            config.trial_id, config.num_steps, config.recipe.num_epochs, rank.index == 0
        )
        self._pad_id = self._tokenizer.pad_token_id or 0
        self._reached_at = {"workers": time.time()}
        self._pauses = PauseWatch()
        self._clock = TrainingClock(self._pauses)
        self._paused_s = 0.0
        self._validation: Validation | None = None
        self._rungs: Rungs | None = None
        self._best: BestEpoch | None = None

    def close(self) -> None:
        """End the thread that sends progress."""
        self._reporter.close()

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
        self._reached_at["model"] = time.time()
        # Dropout differs between ranks, but not between runs.
        torch.manual_seed(config.seed * 1_000_003 + rank.index)
        with self._pauses:
            log = self._train(model, ran)
            if self._best:
                self._best.restore()
        peak = int(max_over_ranks(peak_memory_bytes(rank.device), rank))
        num_machines = int(max_over_ranks(self._node_rank, rank)) + 1
        self._paused_s = max_over_ranks(self._clock.paused_s, rank)  # the others waited
        self._reporter.phase("scoring")
        scoring_start = time.perf_counter()
        found = self._predict(model, "test") if config.scores_test else None
        scoring_seconds = time.perf_counter() - scoring_start
        if rank.index != 0:
            return None
        self._reporter.phase("saving")
        with (
            tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch,
            leaving_files(config.staged, Path(scratch)) as folder,
        ):
            size_bytes, apart = self._save_model(model, folder / "artifact", found)
            if found is not None:
                save_predictions(found, folder)
            save_curve(log, config.num_steps, config.recipe.num_epochs, folder)
        test = None if found is None else scored(found)
        validation = self._validation.found if self._validation else []
        all_scored = [*validation, test] if test else validation
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
            reached_at=self._reached_at | {"first step": self._clock.first_step_at},
            test=test,
            validation=tuple(validation),
            rungs=tuple(self._rungs.found) if self._rungs else (),
            is_stopped=self._rungs is not None and self._rungs.is_stopped,
            diverged=divergence(log.loss, [one.predicted for one in all_scored]),
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
            rows=lambda: next(self._train_windows(0, 0)),
            objective=CrossEntropy.of(config.recipe, config.class_weights),
        )
        return RUNNERS[ran.engine](job, model, self._callbacks(model))

    def _callbacks(self, model: torch.nn.Module) -> list[Callback]:
        config, clock, rank = self._config, self._clock, self._rank
        batch_size = config.recipe.global_batch_size
        teller = ProgressTeller(self._reporter, clock, batch_size, rank.world_size)
        if "validation" not in config.window_rows:
            return [clock, teller]
        predict_all = partial(self._predict, model, "validation")
        validation = Validation(predict_all, clock, rank, len(config.class_names))
        rungs = Rungs(
            steps=frozenset(config.rungs),
            steps_per_epoch=config.num_steps // config.recipe.num_epochs,
            validation=validation,
            ask=partial(ask, config.trial_id),
            clock=clock,
            rank=rank,
        )
        self._validation, self._rungs = validation, rungs
        callbacks: list[Callback] = [clock, teller, validation, rungs]
        if config.recipe.stop is not None:
            score = partial(validation.latest, config.recipe.stop.metric)
            self._best = BestEpoch(model, config.recipe.stop, score, clock.left_out)
            callbacks.append(self._best)
        return callbacks

    def _epochs(self) -> Iterator[Iterator[TokenisedRows]]:
        """Make each epoch's global batches."""
        recipe, window_rows = self._config.recipe, self._config.window_rows
        held = [] if window_rows["train"] else list(self._train_windows(0, 0))
        for epoch in range(recipe.num_epochs):
            windows = held or self._train_windows(epoch, window_rows["train"])
            yield train_batches(windows, recipe.global_batch_size, self._config.seed, epoch)

    def _train_windows(self, epoch: int, window_rows: int) -> Iterator[TokenisedRows]:
        windows = iter_windows(self._datasets[f"train-{epoch}"], window_rows)
        return chosen_windows(windows, self._config.train_rows, window_rows)

    def _predict(self, model: torch.nn.Module, split: str) -> Predictions:
        """Score all rows of a split over all ranks, in file order on rank 0."""
        windows = iter_windows(self._datasets[split], self._config.window_rows[split])
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
        is_short = len(log.loss) < self._config.num_steps
        return TrainingRecord(
            num_steps=len(log.loss),
            num_train_examples=self._config.num_train_rows,
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
            best_epoch=self._best.epoch if self._best else None,
            stopped_after_epoch=self._best.stopped_after if self._best and is_short else None,
        )

    def _save_model(
        self, model: torch.nn.Module, folder: Path, found: Predictions | None
    ) -> tuple[int, float | None]:
        """Save the model if it is kept; return its bytes (else its weights') and its deviation."""
        if not self._config.keeps_artifact:
            return sum(p.numel() * p.element_size() for p in model.parameters()), None
        size_bytes = save_artifact(folder, model, self._tokenizer, self._config.facts)
        return size_bytes, self._check_artifact(folder, found)

    def _check_artifact(self, folder: Path, found: Predictions | None) -> float | None:
        """Compare the saved model's logits with the recorded ones, on the rows with known texts."""
        config = self._config
        if found is None or not config.replayed:
            return None
        rows, texts = zip(*config.replayed, strict=True)
        recorded = found.logits[np.searchsorted(found.rows, rows)]
        again = replay(folder, texts, self._rank.device, config.precision)
        return check_artifact(
            f"trial {config.trial_id}", deviation(again, recorded), config.precision
        )
