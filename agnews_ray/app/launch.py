"""Use case: run the trials of a prepared study, on this process's own Ray or on a joined one."""

import dataclasses
import importlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agnews_ray.app.afford import allowance_of, in_order, left_out_trials
from agnews_ray.app.daemon_call import call_beside
from agnews_ray.app.model_check import look_at_models
from agnews_ray.app.prepare import PreparedStudy, finished_of
from agnews_ray.app.study_places import with_places
from agnews_ray.data.audit import audit_test_rows
from agnews_ray.errors import AgnewsError, StoreError
from agnews_ray.record.checkpoints import forget_checkpoints
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.record.left_out import LeftOutTrial, save_left_out
from agnews_ray.record.outputs import load_test_rows
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import without_keys
from agnews_ray.run.watcher import SteadyWatcher, StudyWatcher
from agnews_ray.spec.linear_models import is_linear

if TYPE_CHECKING:  # they import Ray or transformers
    from agnews_ray.run.queue import Outcome
    from agnews_ray.run.trial_source import TrialSource
    from agnews_ray.run.worker_group import WorkerGroups

logger = logging.getLogger(__name__)

MAX_START_FAILURES = 2
"""The number of times that a trial's workers may fail to start on this machine, on which the room
for them was counted before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutcome:
    """The result of a call of ``execute_study``."""

    prepared: PreparedStudy
    records: tuple[TrialRecord, ...]
    """The records of all planned trials that are finished, now or before, in planned order."""
    failed: dict[str, Exception]
    """The errors by trial id."""
    left_out: tuple[LeftOutTrial, ...] = ()
    """The trials that the study's budget left out."""
    notes: tuple[str, ...] = ()
    """Lines for the user about the files that were kept, and those that were not."""


class Work(Protocol):
    """What is to be run of a study."""

    def is_done(self, prepared: PreparedStudy) -> bool:
        """Whether no trial is left, so that Ray need not start; Ray is not imported to find out."""

    def source(self, prepared: PreparedStudy, tell: Callable[[str], None]) -> "TrialSource":
        """Return the source of the trials; ``tell`` gets lines for the user."""


class PlannedWork:
    """The planned trials that have no record."""

    def is_done(self, prepared: PreparedStudy) -> bool:
        return not prepared.todo

    def source(self, prepared: PreparedStudy, tell: Callable[[str], None]) -> "TrialSource":  # noqa: ARG002
        from agnews_ray.run.trial_source import PlannedTrials

        return PlannedTrials(in_order(prepared))


PLANNED = PlannedWork()


class RunTrials(Protocol):
    """A function that runs the trials of a study that have no record."""

    def __call__(
        self,
        prepared: PreparedStudy,
        command: str,
        started_at: float,
        watcher: StudyWatcher,
        work: Work,
    ) -> tuple[PreparedStudy, "Outcome"]:
        """Return the study as it was finally planned, and the results of its trials."""


def execute_study(
    prepared: PreparedStudy,
    command: str,
    started_at: float,
    watcher: StudyWatcher,
    run: RunTrials | None = None,
    work: Work = PLANNED,
) -> StudyOutcome:
    """Run the trials that have no record yet.

    Args:
        prepared: the result of ``prepare_study``.
        command: the command line, for the records.
        started_at: the Unix time of ``submit``.
        watcher: the watcher that gets each event, until it fails.
        run: the function that runs the trials; None runs them on this process's own Ray.
        work: what is to be run.

    Returns:
        The records of all finished trials, and the errors of those that failed.

    Raises:
        AgnewsError: the study cannot be started; finished trials are kept.
        KeyboardInterrupt: the user interrupts; Ray is stopped and finished trials are kept.
    """
    watcher = SteadyWatcher(watcher)
    failed: dict[str, Exception] = {}
    left_out: tuple[LeftOutTrial, ...] = ()
    store, command = prepared.store, without_keys(command)
    with store.writing():
        # Read again, now that no other submit writes: another one may have finished some trials.
        finished = finished_of(store, prepared.trials)
        prepared = dataclasses.replace(prepared, finished=finished)
        done = dict(finished)
        store.save_study(with_places(prepared.study))
        forget_checkpoints(store.location, finished)  # of a submit that ended at this moment
        for line in (*store.take_notes(), *map(str, store.finished().set_aside)):
            watcher.note(f"note  {line}")
        if not work.is_done(prepared):
            run = run or _run_embedded
            prepared, outcome = run(prepared, command, started_at, watcher, work)
            done |= prepared.finished
            done |= {record.trial_id: record for record in outcome.finished}
            failed |= outcome.failed
            left_out = left_out_trials(prepared, outcome.left_out)
            done |= finished_of(store, prepared.trials)  # the first record of a trial counts
        save_left_out(store.folder, left_out)
        notes = _keep_test_rows(prepared)
    records = tuple(done[t.trial_id] for t in prepared.trials if t.trial_id in done)
    notes = (*store.take_notes(), *notes)
    return StudyOutcome(
        prepared=prepared, records=records, failed=failed, left_out=left_out, notes=notes
    )


def _keep_test_rows(prepared: PreparedStudy) -> tuple[str, ...]:
    """Save texts and duplicates beside the records, because reports are made without the source.

    A failure only gives a note: the results of the expensive training are worth more.
    """
    store, fingerprint = prepared.store, prepared.scanned.record.fingerprint
    num_rows = prepared.scanned.test.num_rows
    try:
        with suppress(StoreError):  # damaged: made again
            if load_test_rows(store.test_rows_path, fingerprint, num_rows) is not None:
                return ()
        store.save_test_rows(audit_test_rows(prepared.scanned), fingerprint)
    except AgnewsError as error:
        return (f"the test rows, which reports need, were not kept: {error}",)
    return ()


def _run_embedded(
    prepared: PreparedStudy,
    command: str,
    started_at: float,
    watcher: StudyWatcher,
    work: Work,
) -> tuple[PreparedStudy, "Outcome"]:
    from agnews_ray.run.session import configure_ray_data, embedded_ray, start_actors

    num_at_once = max(1, prepared.num_gpus // prepared.study.scaling.num_workers)
    num_workers = num_at_once * prepared.study.scaling.num_workers
    allowance = allowance_of(prepared, started_at)
    with embedded_ray(prepared.store.log_path, prepared.num_gpus, num_workers) as session:
        # The first step waits for Ray, its controller and a worker, one after the other. What is
        # not needed for the next of these comes later: two cores have no time for both.
        session.load()
        importing = call_beside(importlib.import_module, "agnews_ray.run.fit")
        session.start()
        importing.result()
        configure_ray_data()
        logger.info("Ray started %.1f s after the start", time.time() - started_at)
        with _worker_groups(prepared, str(session.folder / "train")) as groups:
            first = (prepared.todo or prepared.trials)[0]
            if not is_linear(first.variant.model):  # whose fit is timed undisturbed
                groups.start_one()  # its workers import their modules while models are checked
            loading = call_beside(look_at_models, prepared, watcher, prepared.device)
            looked_at = loading.result()
            call_beside(start_actors)  # the worker would wait for them at its first row
            logger.info("models looked at %.1f s after the start", time.time() - started_at)
            prepared = looked_at.tell(watcher)

            from agnews_ray.run.queue import OwnRoom, run_trials
            from agnews_ray.run.recording import Recorder
            from agnews_ray.run.study_runner import StudyRunner
            from agnews_ray.run.trainer import TrialRunner

            trainer = TrialRunner(
                recorder=Recorder(
                    study=prepared.study,
                    dataset=prepared.scanned.record,
                    command=command,
                    transfers=prepared.sources.known.transfers,
                ),
                store=prepared.store,
                groups=groups,
                log_hint=f"read {os.path.relpath(prepared.store.log_path)}",
                threads_per_worker=max(1, num_usable_cpus() // num_workers),
                max_failures=prepared.study.recovery.max_failures,
                on_retry=watcher.retried,
                predict=allowance.predict,
            )
            room = OwnRoom(count=num_at_once, gate=allowance)
            load = looked_at.data.load
            runner, source = StudyRunner(trainer=trainer), work.source(prepared, watcher.note)
            with runner.saving_at_an_interrupt(watcher.note):
                return prepared, run_trials(source, runner, load, room, started_at, watcher)


@contextmanager
def _worker_groups(prepared: PreparedStudy, scratch: str) -> "Iterator[WorkerGroups]":
    """Make groups of workers on this machine; at the end they exit, unless the user interrupts."""
    from agnews_ray.run.fit import TrainerFit
    from agnews_ray.run.worker_group import WorkerGroups

    fit = TrainerFit(
        num_workers=prepared.study.scaling.num_workers,
        device=prepared.device,
        has_autoscaler=False,
        scratch=scratch,
        max_start_failures=MAX_START_FAILURES,
    )
    groups = WorkerGroups(fit)
    try:
        yield groups
    except Exception:
        groups.close()
        raise
    groups.close()
