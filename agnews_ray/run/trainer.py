"""The run of one planned trial by a group of workers, from its inputs to its record."""

import logging
import pickle  # only written here
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.train import TrainingFailedError

from agnews_ray.engine.fused.graphs import switched_off
from agnews_ray.errors import DataError
from agnews_ray.fail_points import reach
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.attempts import AttemptLog
from agnews_ray.record.checkpoints import checkpoints_of, forget_checkpoints
from agnews_ray.record.schema import PredictionRecord, TrialRecord
from agnews_ray.record.soft_labels import FILE_NAME, load_soft_labels
from agnews_ray.record.store import StudyStore
from agnews_ray.run.attempt_loop import AttemptLoop
from agnews_ray.run.failures import root_error
from agnews_ray.run.held_datasets import HeldDatasets
from agnews_ray.run.inputs import TrialInputs
from agnews_ray.run.mailbox import Task
from agnews_ray.run.progress import latest_progress
from agnews_ray.run.recording import Recorder
from agnews_ray.run.retries import Retries
from agnews_ray.run.rungs import forget_questions
from agnews_ray.run.told import TrialProgress, TrialRetry
from agnews_ray.run.worker_config import CheckpointSettings, WorkerConfig, WorkerSummary
from agnews_ray.run.worker_group import WorkerGroups
from agnews_ray.spec.engines import ENGINES

logger = logging.getLogger(__name__)


def no_prediction(trial: PlannedTrial, since: float) -> None:
    """Predict nothing of a trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRunner:
    """The object that runs the trials of one study."""

    recorder: Recorder
    """What makes records; it also knows the study and its rows."""
    store: StudyStore
    groups: WorkerGroups
    """The workers; each trial is trained by one group."""
    log_hint: str
    """The advice on what to read after a failure, in the imperative."""
    threads_per_worker: int
    """The CPU threads of each worker; 0 for its share of its node."""
    on_retry: Callable[[TrialRetry], None]
    """The function that is told when a trial starts again; another thread calls it."""
    max_failures: int = 0
    """The number of times that a trial starts again after a lost worker or an unknown error."""
    has_notices: bool = False
    """Whether Ray may give notice that a node is about to be taken away, as on a cluster."""
    predict: Callable[[PlannedTrial, float], PredictionRecord | None] = no_prediction
    """The function that predicts a trial that starts now, from the Unix time from which it
    counts; None if there is no prediction."""
    datasets: HeldDatasets = field(default_factory=HeldDatasets)
    logs: dict[str, AttemptLog] = field(default_factory=dict)
    """What is noted of the attempts at each trial that runs now."""

    def run(self, trial: PlannedTrial, inputs: TrialInputs, started_at: float) -> TrialRecord:
        """Train, score and record one trial.

        Args:
            trial: a trial that is not finished.
            inputs: the inputs of its variant.
            started_at: the Unix time from which the seconds to the first step count.

        Returns:
            The record, which is already in its folder.

        Raises:
            DataError: the reference engine cannot train on a streamed split, or there is no
                validation split for the trial's rungs.
            AgnewsError: a problem that the user can fix, raised on a worker.
            TrialError: any other failure; it names the root cause.
        """
        _check_splits(trial, inputs)
        predicted = self.predict(trial, started_at)
        reach("driver.start")
        retries = Retries(
            max_failures=self.max_failures,
            max_passes=self._max_passes(trial),
            unrecorded=switched_off(),
        )

        def attempt() -> tuple[WorkerSummary, str]:
            staged = self.store.staging_folder(trial.trial_id)
            config = self._worker_config(trial, inputs, staged, started_at, retries)
            try:
                return self._train(trial, inputs, config), staged
            finally:
                forget_questions(trial.trial_id, trial.rungs)

        with self.attempts_at(trial.trial_id, retries) as loop:
            try:
                summary, staged = loop.run(attempt)
            except TrainingFailedError as error:
                raise root_error(trial.trial_id, error, self.log_hint) from error
        loop.log.ended_from(summary.started_from_step, summary.training.num_steps)
        record = self.recorder.record_of(trial, summary, inputs.findings).model_copy(
            update={
                "predicted": predicted,
                "total_seconds": time.time() - started_at,
                "attempts": loop.log.attempts,
            }
        )
        reach("driver.publish")
        self.store.publish(record, staged)
        reach("driver.published")
        forget_checkpoints(self.store.location, [trial.trial_id])
        return record

    @contextmanager
    def attempts_at(self, trial_id: str, retries: Retries) -> Iterator[AttemptLoop]:
        """Return a context in which attempts at a trial are noted as they go on.

        Args:
            trial_id: the trial.
            retries: what is decided after failures.
        """
        log = AttemptLog(checkpoints_of(self.store.location, trial_id))
        self.logs[trial_id] = log
        try:
            yield AttemptLoop(trial_id=trial_id, log=log, retries=retries, on_retry=self.on_retry)
        finally:
            del self.logs[trial_id]

    def _max_passes(self, trial: PlannedTrial) -> int:
        """Return the largest number of passes of a step: with one row in each."""
        if trial.work == "labelling" or not ENGINES[trial.variant.engine].is_ours:
            return 1
        return -(-trial.recipe.global_batch_size // self.recorder.study.scaling.num_workers)

    def _train(
        self, trial: PlannedTrial, inputs: TrialInputs, config: WorkerConfig
    ) -> WorkerSummary:
        num_epochs = trial.recipe.num_epochs
        datasets = self.datasets.iterators(inputs.splits, trial.seed, num_epochs)
        reached_at = {"data": time.time()}
        with self.groups.one() as group:
            soft_labels = tuple(map(self._soft_labels, trial.labelled_by))
            task = Task(config=config, datasets=datasets, soft_labels=soft_labels)
            summary = group.run(task)
        reached_at |= summary.reached_at
        seconds = [f"{name} {at - config.started_at:.1f} s" for name, at in reached_at.items()]
        logger.info("%s: ready after: %s", trial.trial_id, ", ".join(seconds))
        return summary

    def _artifact(self, trial_id: str | None) -> str | None:
        """Return the place of a finished trial's artifact, as workers read it."""
        return None if trial_id is None else self.store.place_of(trial_id, "artifact")

    def _soft_labels(self, trial_id: str) -> object:
        """Put a teacher's logits into Ray's shared memory."""
        make_object: Any = ray.put  # no type information
        reference: object = make_object(load_soft_labels(self.store.read_file(trial_id, FILE_NAME)))
        return reference

    def note_interrupt(self) -> None:
        """Note that the user has interrupted the trials that run now."""
        self.progress(list(self.logs))
        for log in list(self.logs.values()):
            log.end("interrupted", "by the user")

    def stop_idle(self, num_trials: int) -> None:
        """Make the workers exit that none of the ``num_trials`` running trials needs."""
        self.groups.stop_idle(num_trials)

    def progress(self, trial_ids: Iterable[str]) -> list[TrialProgress]:
        """Read the progress of running trials.

        Args:
            trial_ids: the ids of the trials.

        Returns:
            The latest progress of those that have reported any.
        """
        found = latest_progress(trial_ids)
        for one in found:
            log = self.logs.get(one.trial_id)
            if log is not None:
                log.saw(one.step, one.from_step, one.machine)
        return found

    def _worker_config(
        self,
        trial: PlannedTrial,
        inputs: TrialInputs,
        staged: str,
        started_at: float,
        retries: Retries,
    ) -> WorkerConfig:
        window = self.recorder.study.data.stream_window_rows
        return WorkerConfig(
            trial_id=trial.trial_id,
            work=trial.work,
            variant=trial.variant,
            starts_from=self._artifact(trial.starts_from),
            teacher=trial.teacher_model,
            teacher_folder=self._artifact(trial.teacher_trial),
            seed=trial.seed,
            recipe=trial.recipe,
            precision=trial.precision,
            num_steps=trial.num_steps,
            train_rows=inputs.train_rows,
            num_train_rows=trial.num_rows,
            rungs=trial.rungs,
            scores_test=trial.scores_test,
            keeps_artifact=trial.keeps_artifact,
            class_names=self.recorder.dataset.class_names,
            class_weights=trial.class_weights,
            pickled_tokenizer=pickle.dumps(inputs.tokenizer),
            threads_per_worker=self.threads_per_worker,
            window_rows={
                name: 0 if split.is_resident else window for name, split in inputs.splits.items()
            },
            staged=staged,
            facts=self.recorder.artifact_facts,
            replayed=inputs.replayed,
            unrecorded=retries.unrecorded,
            passes=retries.passes,
            checkpoints=CheckpointSettings(
                location=checkpoints_of(self.store.location, trial.trial_id),
                attempt=secrets.token_hex(6),
                recovery=self.recorder.study.recovery,
                has_notices=self.has_notices,
            ),
            started_at=started_at,
        )


def _check_splits(trial: PlannedTrial, inputs: TrialInputs) -> None:
    is_held = inputs.splits["train"].is_resident
    if ENGINES[trial.variant.engine].needs_held_rows and not is_held:
        wanted = f"a train split in memory, with engine {trial.variant.engine}"
        hint = "raise data.max_resident_mb, or use engine fast"
        raise DataError(f"trial {trial.trial_id}", wanted, "one that is streamed", hint)
    if trial.rungs and "validation" not in inputs.splits:
        wanted, hint = "a validation split for its rungs", "set data.validation_fraction"
        raise DataError(f"trial {trial.trial_id}", wanted, "none", hint)
