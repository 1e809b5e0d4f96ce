"""One planned trial to a ``TorchTrainer``, and what it leaves to a record."""

import datetime
import logging
import pickle  # only written here
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import ray
import ray.data
from ray.train import (
    DataConfig,
    FailureConfig,
    LoggingConfig,
    RunConfig,
    ScalingConfig,
    TrainingFailedError,
)
from ray.train.torch import TorchTrainer

from agnews_ray.compat.of_ray import without_cleaner
from agnews_ray.engine.fused.graphs import switched_off
from agnews_ray.engine.preflight import Findings
from agnews_ray.errors import DataError, RecordingError
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.hub import loaded_revision
from agnews_ray.model.zoo import load_path
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import DatasetRecord, ModelRecord, Scores, TrialRecord
from agnews_ray.record.store import StudyStore
from agnews_ray.run.entry import train_trial
from agnews_ray.run.failures import find, root_error, was_lost
from agnews_ray.run.inputs import TrialInputs
from agnews_ray.run.progress import TrialProgress, forget_progress, latest_progress
from agnews_ray.run.worker_config import WorkerConfig, WorkerSummary
from agnews_ray.spec.engines import ENGINES
from agnews_ray.spec.study import StudySpec

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRunner:
    """Runs the trials of one study."""

    study: StudySpec
    dataset: DatasetRecord
    store: StudyStore
    scratch: str
    """Folder, or URI of one, where Ray Train keeps its own state; all nodes see it."""
    command: str
    log_hint: str
    """Where to look after a failure, in the imperative."""
    threads_per_worker: int
    """CPU threads; 0 for a worker's share of its node."""
    max_attempts: int = 1
    """A trial that lost a worker or its node begins anew so often."""
    on_retry: Callable[[str], None] = logger.warning
    """Told in a line when a trial begins anew; from another thread."""
    max_start_failures: int = -1
    """How often a trial's workers may fail to come up before it has failed; -1: any number, since
    a cluster's nodes come and go. Waiting in vain for a minute counts."""
    cpus_per_worker: int = 1
    """What Ray reserves for a worker; its own tasks need some beside."""

    def run(self, trial: PlannedTrial, data: TrialInputs, started_at: float) -> TrialRecord:
        """Train, score and record one trial.

        Args:
            trial: not yet finished.
            data: tokenised for its variant.
            started_at: Unix time from which the seconds to the first step count.

        Returns:
            The record, already in its place.

        Raises:
            DataError: the reference engine is to train on a split that is streamed.
            AgnewsError: a problem that the user can mend, raised on a worker.
            TrialError: any other failure; names the root cause.
        """
        is_held = data.splits["train"].is_resident
        if ENGINES[trial.variant.engine].needs_held_rows and not is_held:
            wanted = f"a train split that is held, with engine {trial.variant.engine}"
            hint = "raise data.max_resident_mb, or use engine fast"
            raise DataError(f"trial {trial.trial_id}", wanted, "one that is streamed", hint)
        unrecorded, attempt = switched_off(), 0
        while True:
            attempt += 1
            staged = self.store.staging_folder(trial.trial_id)
            try:
                config = self._worker_config(trial, data, staged, started_at, unrecorded)
                summary = self._fit(trial, data, config, attempt)
                break
            except TrainingFailedError as error:
                broken = find(error, RecordingError)
                if broken is not None and unrecorded is None:
                    unrecorded = broken.found
                    self.on_retry(f"trial {trial.trial_id} begins anew, unrecorded: {unrecorded}")
                    continue
                if attempt >= self.max_attempts or not was_lost(error):
                    raise root_error(trial.trial_id, error, self.log_hint) from error
                self.on_retry(f"trial {trial.trial_id} lost a worker or its node, begins anew")
            finally:
                forget_progress(trial.trial_id)
        record = self._record(trial, summary, data.findings)
        self.store.publish(record, staged)
        return record

    def _fit(
        self,
        trial: PlannedTrial,
        data: TrialInputs,
        config: WorkerConfig,
        attempt: int,
    ) -> WorkerSummary:
        # Any: the hints of Ray Train's first version hide the second's keywords.
        make_trainer = without_cleaner(TorchTrainer)
        make_run_config: Any = RunConfig
        make_failure_config: Any = FailureConfig
        trainer = make_trainer(
            train_trial,
            train_loop_config={"config": config},
            scaling_config=self._scaling(trial),
            datasets=self._datasets(trial, data),
            # Unsplit: each worker sees all rows and takes its stride of the global batches.
            dataset_config=DataConfig(
                datasets_to_split=[], execution_options=_in_order(), enable_shard_locality=False
            ),
            run_config=make_run_config(
                name=f"{trial.trial_id}-{attempt}",
                storage_path=self.scratch,
                failure_config=make_failure_config(
                    max_failures=0, controller_failure_limit=self.max_start_failures
                ),
                logging_config=LoggingConfig(log_level="ERROR"),
            ),
        )
        logger.info("%s: data ready after %.1f s", trial.trial_id, time.time() - config.started_at)
        summary: WorkerSummary = trainer.fit().return_value
        return summary

    def progress(self, trial_ids: Iterable[str]) -> list[TrialProgress]:
        """Ask where running trials stand.

        Args:
            trial_ids: whose.

        Returns:
            Of those that have said anything.
        """
        return latest_progress(trial_ids)

    def _worker_config(
        self,
        trial: PlannedTrial,
        data: TrialInputs,
        staged: str,
        started_at: float,
        unrecorded: str | None,
    ) -> WorkerConfig:
        window = self.study.data.stream_window_rows
        return WorkerConfig(
            trial_id=trial.trial_id,
            variant=trial.variant,
            seed=trial.seed,
            recipe=self.study.recipe,
            precision=trial.precision,
            num_steps=trial.num_steps,
            class_names=self.dataset.class_names,
            class_weights=trial.class_weights,
            pickled_tokenizer=pickle.dumps(data.tokenizer),
            threads_per_worker=self.threads_per_worker,
            window_rows={
                name: 0 if split.is_resident else window for name, split in data.splits.items()
            },
            staged=staged,
            facts=ArtifactFacts(
                class_names=self.dataset.class_names,
                max_length_tokens=self.study.data.max_length_tokens,
                text_columns=self.dataset.text_columns,
                label_kind=self.dataset.label_kind,
            ),
            replayed=data.replayed,
            unrecorded=unrecorded,
            started_at=started_at,
        )

    def _scaling(self, trial: PlannedTrial) -> ScalingConfig:
        use_gpu = trial.device == "cuda"
        return ScalingConfig(
            num_workers=self.study.scaling.num_workers,
            use_gpu=use_gpu,
            resources_per_worker={"CPU": self.cpus_per_worker} | ({"GPU": 1} if use_gpu else {}),
        )

    def _datasets(self, trial: PlannedTrial, data: TrialInputs) -> dict[str, ray.data.Dataset]:
        """One dataset a split; a streamed train split has one an epoch, in another order each."""
        train = data.splits["train"]
        epochs = 1 if train.is_resident else self.study.recipe.num_epochs
        datasets = {f"train-{epoch}": train.dataset(trial.seed, epoch) for epoch in range(epochs)}
        others = {name: split for name, split in data.splits.items() if name != "train"}
        return datasets | {name: split.ordered_dataset() for name, split in others.items()}

    def _record(
        self, trial: PlannedTrial, summary: WorkerSummary, findings: Findings | None
    ) -> TrialRecord:
        from agnews_ray.run.scoring import score  # evaluate takes seconds to import

        names = self.dataset.class_names
        return TrialRecord(
            study=self.study.name,
            trial_id=trial.trial_id,
            created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            command=self.command,
            variant=trial.variant,
            seed=trial.seed,
            recipe=self.study.recipe,
            data=self.study.data,
            scaling=self.study.scaling,
            device=trial.device,
            precision=trial.precision,
            model=ModelRecord(
                model_id=load_path(trial.variant),
                revision=loaded_revision(trial.variant),
                parameters=summary.num_parameters,
                size_bytes=summary.size_bytes,
                head=findings.head if findings else None,
                unknown_share=findings.unknown_share if findings else None,
                notes=findings.notes if findings else (),
                artifact_deviation=summary.artifact_deviation,
            ),
            dataset=self.dataset,
            training=summary.training,
            test=score(summary.test.labels, summary.test.predicted, names)
            if summary.diverged is None
            else Scores.none_of(summary.test.labels.size),
            validation=tuple(
                score(epoch.labels, epoch.predicted, names) for epoch in summary.validation
            ),
            environment=summary.environment,
            diverged=summary.diverged,
        )


def _in_order() -> ray.data.ExecutionOptions:
    options = DataConfig.default_ingest_options()
    options.preserve_order = True
    return options
