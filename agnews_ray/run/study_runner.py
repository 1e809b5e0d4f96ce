"""Trials of every kind: fine-tuning goes to a group of workers, a linear model to a Ray task."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from agnews_ray.data.rows import SplitRows
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.checkpoints import forget_checkpoints
from agnews_ray.record.schema import TrialRecord
from agnews_ray.run.inputs import Inputs, LinearInputs
from agnews_ray.run.progress import ProgressReporter, save_now
from agnews_ray.run.retries import Retries
from agnews_ray.run.told import TrialProgress
from agnews_ray.run.trainer import TrialRunner
from agnews_ray.run.worker_config import LinearConfig, WorkerSummary

SAVE_S = 12.0
"""The longest time that an interrupted study waits for its last checkpoints, in seconds; less than
the patience of `cli.interrupts`."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRunner:
    """The object that runs the trials of one study."""

    trainer: TrialRunner
    """The runner of trials that fine-tune, which also knows the study."""
    running: set[str] = field(default_factory=set)
    """The ids of the trials that workers run now."""
    texts: dict[tuple[str, int], Any] = field(default_factory=dict)
    """The texts of each split in Ray's shared memory, by its name and number of rows; read once for
    all trials."""

    def run(self, trial: PlannedTrial, inputs: Inputs, started_at: float) -> TrialRecord:
        """Run and record one trial.

        Args:
            trial: a trial that is not finished.
            inputs: its inputs.
            started_at: the Unix time from which the seconds to the first step count.

        Returns:
            The record, which is already in its folder.

        Raises:
            AgnewsError: a problem that the user can fix.
            TrialError: any other failure of fine-tuning; it names the root cause.
        """
        if not isinstance(inputs, LinearInputs):
            self.running.add(trial.trial_id)
            try:
                return self.trainer.run(trial, inputs, started_at)
            finally:
                self.running.discard(trial.trial_id)
        predicted = self.trainer.predict(trial, started_at)

        def attempt() -> tuple[WorkerSummary, str]:
            staged = self.trainer.store.staging_folder(trial.trial_id)
            config = self._config(trial, inputs, staged, started_at)
            try:
                return self._fit(config, inputs.splits), staged
            except ray.exceptions.RayError:
                self.texts.clear()  # a lost node may have held some
                raise

        retries = Retries(max_failures=self.trainer.max_failures)
        with self.trainer.attempts_at(trial.trial_id, retries) as loop:
            summary, staged = loop.run(attempt)
        record = self.trainer.recorder.record_of(trial, summary, inputs.findings).model_copy(
            update={
                "predicted": predicted,
                "total_seconds": time.time() - started_at,
                "attempts": loop.log.attempts,
            }
        )
        self.trainer.store.publish(record, staged)
        forget_checkpoints(self.trainer.store.location, [trial.trial_id])
        return record

    def _fit(self, config: LinearConfig, splits: Mapping[str, SplitRows]) -> WorkerSummary:
        """Run a task on any node that has a CPU left; the texts come from this one."""
        # Shares of the train rows are nested, so that their number says which they are.
        keys = [(name, split.num_rows) for name, split in splits.items()]
        for key, split in zip(keys, splits.values(), strict=True):
            if key not in self.texts:
                self.texts[key] = _remote(_read_texts, num_cpus=0, **_here()).remote(split)
        task = _remote(_run_linear, num_cpus=1)
        summary: WorkerSummary = ray.get(
            task.remote(config, list(splits), *(self.texts[key] for key in keys))
        )
        return summary

    def _config(
        self, trial: PlannedTrial, inputs: LinearInputs, staged: str, started_at: float
    ) -> LinearConfig:
        return LinearConfig(
            trial_id=trial.trial_id,
            variant=trial.variant,
            seed=trial.seed,
            class_weights=trial.class_weights,
            scores_test=trial.scores_test,
            keeps_artifact=trial.keeps_artifact,
            num_threads=self.trainer.threads_per_worker,
            staged=staged,
            facts=self.trainer.recorder.artifact_facts,
            replayed=inputs.replayed,
            started_at=started_at,
        )

    def stop_idle(self, num_trials: int) -> None:
        """Make the workers exit that none of the ``num_trials`` running trials needs."""
        self.trainer.stop_idle(num_trials)

    @contextmanager
    def saving_at_an_interrupt(self, tell: Callable[[str], None]) -> Iterator[None]:
        """Return a context at whose interrupt running trials are saved, before Ray is ended.

        Args:
            tell: the function that gets a line for the user.
        """
        try:
            yield
        except KeyboardInterrupt:
            if self.running:
                saved = save_now(list(self.running), SAVE_S)
                tell(f"saved a checkpoint of {', '.join(saved)}" if saved else "nothing to save")
            self.trainer.note_interrupt()
            raise

    def progress(self, trial_ids: Iterable[str]) -> list[TrialProgress]:
        """Read the progress of running trials; see ``TrialRunner.progress``."""
        return self.trainer.progress(trial_ids)


def _remote(function: Any, **options: Any) -> Any:
    make_remote: Any = ray.remote  # Ray's type hints lack options of this kind
    # Tried again here, if at all: Ray would also try again what fills the memory.
    return make_remote(max_retries=0, **options)(function)


def _here() -> dict[str, Any]:
    here = ray.get_runtime_context().get_node_id()  # other nodes may not have the files
    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(here, soft=False)}


def _read_texts(split: SplitRows) -> pa.Table:
    return split.table()


def _run_linear(config: LinearConfig, names: list[str], *splits: pa.Table) -> WorkerSummary:
    # Importing scikit-learn and torch takes seconds, and only the task needs them.
    from agnews_ray.run.linear_task import run_linear

    logging.getLogger().setLevel(logging.WARNING)
    reporter = ProgressReporter(config.trial_id, 0, 1, does_tell=True)
    try:
        return run_linear(config, dict(zip(names, splits, strict=True)), reporter.phase)
    finally:
        reporter.close()
