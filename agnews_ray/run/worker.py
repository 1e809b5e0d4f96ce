"""The work of one Ray Train worker on a trial: load, train, score, and write its files."""

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import ray.train.torch
import torch

from agnews_ray.engine.artifact_check import check_artifact, deviation, replay
from agnews_ray.engine.best_epoch import BestEpoch
from agnews_ray.engine.callbacks import Callback
from agnews_ray.engine.divergence import divergence
from agnews_ray.engine.malloc import give_back_memory
from agnews_ray.engine.objective import CrossEntropy, Objective
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.registry import RUNNERS, Proof, TrainingJob
from agnews_ray.engine.results import Predictions, TrainLog
from agnews_ray.engine.soft_targets import SoftTargets
from agnews_ray.engine.thread_waiting import SpinByLoad
from agnews_ray.fail_points import reach
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.memory import peak_memory_bytes, reset_peak_memory
from agnews_ray.model.saving import save_artifact
from agnews_ray.record.environment import describe_environment
from agnews_ray.record.object_store import leaving_files
from agnews_ray.record.schema import TrainingRecord, Work
from agnews_ray.run.checkpointing import checkpointing
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.run.engine_choice import choose_engine, max_over_ranks
from agnews_ray.run.failures import step_note
from agnews_ray.run.labeller import Labeller
from agnews_ray.run.mailbox import next_task, post_result
from agnews_ray.run.pretrainer import Pretrainer
from agnews_ray.run.rungs import ask
from agnews_ray.run.trial_files import save_curve, save_predictions
from agnews_ray.run.worker_callbacks import (
    ProgressTeller,
    Rungs,
    TrainingClock,
    Validation,
    scored,
)
from agnews_ray.run.worker_config import WorkerSummary
from agnews_ray.run.worker_setup import RankWork, WorkerSetup, started_from


def serve(group: str) -> None:
    """Run the trials of a group, one after another, until the driver says that there are no more.

    An error of a trial ends this process: the next trial starts in a new one, which the error
    cannot affect.

    Args:
        group: the name under which the driver posts tasks.
    """
    number = 1
    while (task := next_task(group, number)) is not None:
        reset_peak_memory(ray.train.torch.get_device())
        setup = WorkerSetup(task)
        try:
            with SpinByLoad():
                summary = KINDS[task.config.work](setup).run()
        except Exception as error:
            error.add_note(step_note(setup.reporter.done))
            raise
        finally:
            setup.close()
        if summary is not None:
            post_result(group, number, summary)
        del task, setup, summary
        give_back_memory()
        number += 1


class Worker:
    """One rank's work on a trial that fine-tunes a model.

    Args:
        setup: the rank.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._config = setup.config
        self._rank = setup.rank
        self._tokenizer = setup.tokenizer
        self._reporter = setup.reporter
        self._rows = setup.rows
        self._pauses = PauseWatch()
        self._clock = TrainingClock(self._pauses)
        self._paused_s = 0.0
        self._validation: Validation | None = None
        self._rungs: Rungs | None = None
        self._best: BestEpoch | None = None

    def run(self) -> WorkerSummary | None:
        """Load, train, score and save.

        Returns:
            The summary on rank 0, None elsewhere.
        """
        config, rank = self._config, self._rank
        self._setup.begin()
        with self._setup.model_folder(config.starts_from) as folder:
            variant = started_from(config.variant, folder, keeps_head=False)
            model = build_classifier(variant, config.class_names, config.seed, self._tokenizer)
        ran = choose_engine(config, model, self._tokenizer, rank, self._reporter)
        if ran.cause:
            self._reporter.tell(ran.cause)
        self._reporter.phase("loading")
        model = model.to(rank.device)
        self._setup.reached_at["model"] = time.time()
        # Dropout differs between ranks, but not between runs.
        torch.manual_seed(config.seed * 1_000_003 + rank.index)
        with self._pauses:
            log = self._train(model, ran)
            if self._best:
                self._best.restore()
        peak = int(max_over_ranks(peak_memory_bytes(rank.device), rank))
        num_machines = self._setup.num_machines()
        self._paused_s = max_over_ranks(self._clock.paused_s, rank)  # the others waited
        reach("worker.score")
        self._reporter.phase("scoring")
        scoring_start = time.perf_counter()
        found = self._rows.predict(model, "test") if config.scores_test else None
        scoring_seconds = time.perf_counter() - scoring_start
        if rank.index != 0:
            return None
        reach("worker.save")
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
            reached_at=self._setup.reached_at | {"first step": self._clock.first_step_at},
            test=test,
            validation=tuple(validation),
            rungs=tuple(self._rungs.found) if self._rungs else (),
            is_stopped=self._is_stopped(),
            started_from_step=self._setup.started_from_step,
            diverged=divergence(log.loss, [one.predicted for one in all_scored]),
        )

    def _train(self, model: torch.nn.Module, ran: Proof) -> TrainLog:
        config = self._config
        callbacks, size = self._callbacks(model), num_parameters(model)
        keeping = (self._setup, ran.engine, self._clock, callbacks, size, self._is_stopped)
        with checkpointing(*keeping) as kept:
            job = TrainingJob(
                recipe=config.recipe,
                precision=config.precision,
                tokenizer=self._tokenizer,
                rank=self._rank,
                seed=config.seed,
                num_steps=config.num_steps,
                epochs=self._rows.epochs,
                rows=lambda: next(self._rows.train_windows(0)),
                objective=self._objective(),
                passes=config.passes,
                save=kept.save,
                start=kept.start,
            )
            return RUNNERS[ran.engine](job, model, kept.callbacks)

    def _is_stopped(self) -> bool:
        """Whether a search has ended the training."""
        return self._rungs is not None and self._rungs.is_stopped

    def _objective(self) -> Objective:
        config, taught = self._config, self._config.variant.distillation
        if taught is None:
            return CrossEntropy.of(config.recipe, config.class_weights)
        return SoftTargets.of(config.recipe, config.class_weights, taught)

    def _callbacks(self, model: torch.nn.Module) -> list[Callback]:
        config, clock, rank = self._config, self._clock, self._rank
        batch_size = config.recipe.global_batch_size
        teller = ProgressTeller(self._reporter, clock, batch_size, rank.world_size)
        if "validation" not in config.window_rows:
            return [clock, teller]
        predict_all = partial(self._rows.predict, model, "validation")
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
            is_streamed=self._rows.is_streamed,
            seconds_to_first_step=self._clock.first_step_at - self._config.started_at,
            scoring_seconds=scoring_seconds,
            passes_per_step=self._config.passes,
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


KINDS: Mapping[Work, Callable[[WorkerSetup], RankWork]] = {
    "fine-tuning": Worker,
    "labelling": Labeller,
    "pretraining": Pretrainer,
}
"""What does each kind of trial."""
