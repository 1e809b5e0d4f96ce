"""The work of a rank that pre-trains: an encoder learns from texts, and mostly from a teacher."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.data.masking import Masking, count_tokens, masked_batches, masking_of
from agnews_ray.engine.divergence import divergence
from agnews_ray.engine.objective import Objective
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.pretraining import make_objective
from agnews_ray.engine.registry import FAST, RUNNERS, UNRECORDED, TrainingJob
from agnews_ray.engine.results import TrainLog
from agnews_ray.errors import ModelError, ResourceError, TrialError
from agnews_ray.model.build import num_parameters
from agnews_ray.model.encoder import build_encoder, copy_head, load_teacher, save_encoder
from agnews_ray.model.memory import peak_memory_bytes
from agnews_ray.model.tokenizer import ready_tokenizer
from agnews_ray.model.tokenizer_match import check_same_tokenizer
from agnews_ray.record.environment import describe_environment
from agnews_ray.record.object_store import leaving_files
from agnews_ray.record.schema import PretrainingRecord, TrainingRecord
from agnews_ray.run.checkpointing import checkpointing
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.run.engine_choice import choose_engine, max_over_ranks
from agnews_ray.run.trial_files import save_curve
from agnews_ray.run.worker_callbacks import ProgressTeller, TrainingClock
from agnews_ray.run.worker_config import WorkerSummary
from agnews_ray.run.worker_setup import WorkerSetup, started_from
from agnews_ray.spec.distillation import OBJECTIVES_WITH_HEAD, PretrainingSpec


class Pretrainer:
    """One rank's work on a trial that pre-trains an encoder.

    Args:
        setup: the rank.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._config = setup.config
        spec = setup.config.variant.pretraining
        if spec is None:
            raise ValueError("want a variant with pre-training")
        self._spec: PretrainingSpec = spec
        self._pauses = PauseWatch()
        self._clock = TrainingClock(self._pauses)

    def run(self) -> WorkerSummary | None:
        """Load student and teacher, train the student, and save its encoder.

        Returns:
            The summary on rank 0, None elsewhere.

        Raises:
            ModelError: the student or its teacher does not fit the objective.
            ResourceError: our engine, which alone can pre-train, does not work on this GPU.
            TrialError: the loss is not a number at the end.
        """
        setup, config, rank = self._setup, self._config, self._setup.rank
        setup.begin()
        with_head = self._spec.objective in OBJECTIVES_WITH_HEAD
        student = build_encoder(config.variant, config.seed, setup.tokenizer, with_head)
        teacher = self._teacher(with_head)
        made_of_layers = config.variant.student is not None and config.variant.student.layers
        if self._spec.objective == "distilbert" and made_of_layers:
            copy_head(teacher, student)
        ran = choose_engine(config, student, setup.tokenizer, rank, setup.reporter)
        if ran.engine not in (FAST, UNRECORDED):  # what is stated is refused before
            wanted, hint = "the fast engine, which alone can pre-train", "use --device cpu"
            raise ResourceError("pre-training", wanted, ran.cause or ran.engine, hint)
        setup.reporter.phase("loading")
        student = student.to(rank.device)
        setup.reached_at["model"] = time.time()
        torch.manual_seed(config.seed * 1_000_003 + rank.index)
        is_recorded = ran.engine == FAST and rank.device.type == "cuda"
        objective = make_objective(
            self._spec, student, teacher, config.precision, is_recorded=is_recorded
        )
        with self._pauses:
            log = self._train(student, objective, ran.engine)
        diverged = divergence(log.loss, [])
        if diverged is not None:  # on every rank: no student could learn from this encoder
            where, hint = f"trial {config.trial_id}", "use a lower learning rate, or fp32"
            raise TrialError(where, "a loss that is a number", diverged, hint)
        peak = int(max_over_ranks(peak_memory_bytes(rank.device), rank))
        num_machines = setup.num_machines()
        paused_s = max_over_ranks(self._clock.paused_s, rank)
        if rank.index != 0:
            return None
        setup.reporter.phase("saving")
        size_bytes = self._save(student, log)
        training = self._training_record(log, peak, paused_s).model_copy(
            update={
                "num_machines": num_machines,
                "engine": ran.engine,
                "engine_note": ran.cause,
            }
        )
        return WorkerSummary(
            num_parameters=num_parameters(student),
            size_bytes=size_bytes,
            artifact_deviation=None,
            training=training,
            environment=describe_environment(),
            reached_at=setup.reached_at | {"first step": self._clock.first_step_at},
            started_from_step=setup.started_from_step,
            test=None,
            validation=(),
            pretraining=PretrainingRecord(
                teacher=config.teacher.name if config.teacher else None,
                teacher_trial=None,  # the driver knows it
                num_texts=config.num_train_rows,
                transfer=None,
                final_parts=log.final_parts,
            ),
            diverged=None,
        )

    def _train(self, student: Any, objective: Objective, engine: str) -> TrainLog:
        setup, config, rank = self._setup, self._config, self._setup.rank
        batch_size = config.recipe.global_batch_size
        teller = ProgressTeller(setup.reporter, self._clock, batch_size, rank.world_size)
        callbacks, size = [self._clock, teller], num_parameters(student)
        with checkpointing(setup, engine, self._clock, callbacks, size) as kept:
            job = TrainingJob(
                recipe=config.recipe,
                precision=config.precision,
                tokenizer=setup.tokenizer,
                rank=rank,
                seed=config.seed,
                num_steps=config.num_steps,
                epochs=self._epochs,
                rows=lambda: next(setup.rows.train_windows(0)),
                objective=objective,
                passes=config.passes,
                save=kept.save,
                start=kept.start,
            )
            return RUNNERS[engine](job, student, kept.callbacks)

    def _teacher(self, with_head: bool) -> Any:
        """Load the teacher; None without one."""
        setup, config = self._setup, self._config
        if config.teacher is None:
            return None
        with setup.model_folder(config.teacher_folder) as folder:
            variant = started_from(config.teacher, folder, keeps_head=False)
            tokenizer = ready_tokenizer(variant).tokenizer
            check_same_tokenizer(setup.tokenizer, tokenizer)
            return load_teacher(variant.model, variant.revision, with_head, tokenizer)

    def _epochs(self) -> Iterator[Iterator[TokenisedRows]]:
        """Make each epoch's global batches, with gaps to fill if the objective needs them."""
        epochs = self._setup.rows.epochs()
        if self._spec.objective not in OBJECTIVES_WITH_HEAD:
            return epochs
        masking, seed = self._masking(), self._config.seed
        return (
            masked_batches(batches, masking, seed, epoch) for epoch, batches in enumerate(epochs)
        )

    def _masking(self) -> Masking:
        tokenizer = self._setup.tokenizer
        if tokenizer.mask_token_id is None:
            hint = "choose another model, or the objective minilm"
            raise ModelError(self._config.variant.model, "a tokenizer with a mask", "none", hint)
        counts = count_tokens(self._setup.rows.train_windows(0), len(tokenizer))
        return masking_of(
            counts,
            tokenizer.all_special_ids,
            tokenizer.mask_token_id,
            self._spec.masked_fraction,
            self._spec.rare_token_power,
        )

    def _save(self, student: Any, log: TrainLog) -> int:
        config = self._config
        with (
            tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch,
            leaving_files(config.staged, Path(scratch)) as folder,
        ):
            size_bytes = save_encoder(folder / "artifact", student, self._setup.tokenizer)
            save_curve(log, config.num_steps, config.recipe.num_epochs, folder)
        return size_bytes

    def _training_record(self, log: TrainLog, peak: int, paused_s: float) -> TrainingRecord:
        seconds = self._clock.seconds - paused_s
        return TrainingRecord(
            num_steps=len(log.loss),
            num_train_examples=self._config.num_train_rows,
            train_seconds=seconds,
            samples_per_second=int(log.rows.sum()) / seconds,
            final_loss=log.final_loss,
            padding_share=log.padding_share,
            num_skipped_steps=log.num_skipped,
            peak_memory_bytes=peak,
            is_streamed=self._setup.rows.is_streamed,
            seconds_to_first_step=self._clock.first_step_at - self._config.started_at,
            scoring_seconds=0.0,
            passes_per_step=self._config.passes,
            paused_seconds=paused_s,
        )
