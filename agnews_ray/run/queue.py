"""The queue of a study's trials, which decides when each of them runs."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agnews_ray.errors import AgnewsError, TrialError
from agnews_ray.plan.graph import Ready
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import TrialRecord
from agnews_ray.run.allowance import Gate, OpenGate
from agnews_ray.run.failures import describe, is_out_of_memory, no_memory, own_error
from agnews_ray.run.inputs import Inputs
from agnews_ray.run.rungs import answer, open_questions
from agnews_ray.run.study_runner import StudyRunner
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress
from agnews_ray.run.trial_source import TrialSource
from agnews_ray.run.watcher import SteadyWatcher, StudyWatcher

POLL_S = 0.5

ASKED_POLL_S = 0.05
"""The same while a trial may ask whether it goes on, because it trains nothing until the answer."""

logger = logging.getLogger(__name__)


class Room(Protocol):
    """The room for trials: how many may run, what one waits for, and which may start at all."""

    @property
    def gate(self) -> Gate:
        """The object that decides whether a trial may start."""

    def num_at_once(self) -> int:
        """The number of trials that may run at the same time now, at least 1."""

    def missing(self) -> str | None:
        """The thing for which a trial without workers waits; None if there is room for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRoom:
    """The room on this machine, which was counted before."""

    count: int
    gate: Gate = field(default_factory=OpenGate)

    def num_at_once(self) -> int:
        return self.count

    def missing(self) -> str | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The results of the trials of one call."""

    finished: tuple[TrialRecord, ...]
    failed: dict[str, AgnewsError] = field(default_factory=dict)
    """The errors by trial id."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Why a trial was not started, by trial id."""


def run_trials(
    source: TrialSource,
    runner: StudyRunner,
    load_data: Callable[[PlannedTrial], Inputs],
    room: Room,
    started_at: float,
    watcher: StudyWatcher,
) -> Outcome:
    """Run trials, several at once if there are GPUs for it, each after those that it waits for.

    A failure stops only those trials that wait for the failed one.

    Args:
        source: where the trials come from.
        runner: the runner of a trial.
        load_data: the function that loads a trial's tokenised data; called in the trials' order.
        room: the room, which says how many trials may run at the same time, and which not at all.
        started_at: the Unix time of ``submit``, for the first trial's seconds to its first step.
        watcher: the watcher that gets each event, until it raises an error.

    Returns:
        The records and errors. An interrupt of the calling thread is raised again.
    """
    watcher = SteadyWatcher(watcher)
    done: queue.Queue[tuple[PlannedTrial, TrialRecord | AgnewsError]] = queue.Queue()
    finished: dict[str, TrialRecord] = {}
    failed: dict[str, AgnewsError] = {}
    left_out: dict[str, str] = {}
    running: dict[str, PlannedTrial] = {}
    said: set[str] = set()
    while True:
        ready = source.ready(finished, failed.keys() | left_out, room.num_at_once())
        _fail_lost(ready, failed, left_out, watcher)
        waiting = [trial for trial in ready.startable if trial.trial_id not in running]
        if not waiting and not running:
            return Outcome(finished=tuple(finished.values()), failed=failed, left_out=left_out)
        if not waiting and not ready.has_more:
            runner.stop_idle(len(running))  # other programs may need the room
        if waiting and len(running) < room.num_at_once():
            trial = waiting[0]
            reason = room.gate.reason_to_leave_out(trial)
            if reason:
                _leave_out(trial, reason, left_out, watcher)
                continue
            since = time.time() if running or finished or failed else started_at
            watcher.started(TrialFacts.of(trial))
            running[trial.trial_id] = trial
            _load_and_start(runner, trial, load_data, since, done)
            continue
        _answer(source, running)
        try:
            trial, result = done.get(timeout=_poll_s(running))
        except queue.Empty:
            latest = runner.progress(running)
            _say_once([one.note for one in latest], said, watcher)
            _tell(latest, running, room, watcher)
            continue
        del running[trial.trial_id]
        if isinstance(result, TrialRecord):
            finished[trial.trial_id] = result
            room.gate.ended(result)
            _say_once([result.training.engine_note], said, watcher)
            watcher.finished(TrialFacts.of(trial), RecordFacts.of(result))
        else:
            failed[trial.trial_id] = result
            watcher.failed(TrialFacts.of(trial), result)


def _fail_lost(
    ready: Ready, failed: dict[str, AgnewsError], left_out: dict[str, str], watcher: StudyWatcher
) -> None:
    """Fail the trials that wait for a failed one; leave out those that wait for one left out."""
    for trial, cause in ready.lost:
        if cause in left_out:
            reason = f"it waits for {cause}, which was left out"
            _leave_out(trial, reason, left_out, watcher)
            continue
        wanted, hint = f"trial {cause} finished first", "fix its cause and submit again"
        error = TrialError(f"trial {trial.trial_id}", wanted, "that it failed", hint)
        failed[trial.trial_id] = error
        watcher.failed(TrialFacts.of(trial), error)


def _leave_out(
    trial: PlannedTrial, reason: str, left_out: dict[str, str], watcher: StudyWatcher
) -> None:
    left_out[trial.trial_id] = reason
    watcher.note(f"left out {trial.trial_id}: {reason}")


def _asking(running: dict[str, PlannedTrial]) -> list[str]:
    return [trial_id for trial_id, trial in running.items() if trial.rungs]


def _poll_s(running: dict[str, PlannedTrial]) -> float:
    return ASKED_POLL_S if _asking(running) else POLL_S


def _answer(source: TrialSource, running: dict[str, PlannedTrial]) -> None:
    """Answer the trials that ask whether they go on."""
    for question in open_questions(_asking(running)):
        goes_on = source.goes_on(running[question.trial_id], question.score)
        answer(question.trial_id, question.score.step, goes_on)


def _say_once(notes: Sequence[str | None], said: set[str], watcher: StudyWatcher) -> None:
    """Pass the notes of trials to the watcher, each once in a study."""
    for note in (line for text in notes for line in (text or "").splitlines()):
        if note not in said:
            said.add(note)
            watcher.note(f"note  {note}")


def _tell(
    latest: Sequence[TrialProgress],
    running: dict[str, PlannedTrial],
    room: Room,
    watcher: StudyWatcher,
) -> None:
    for progress in latest:
        watcher.progress(progress)
    without_workers = running.keys() - {progress.trial_id for progress in latest}
    missing = room.missing() if without_workers else None
    if missing:
        for trial_id in sorted(without_workers):
            watcher.waiting(TrialFacts.of(running[trial_id]), missing)


def _load_and_start(
    runner: StudyRunner,
    trial: PlannedTrial,
    load_data: Callable[[PlannedTrial], Inputs],
    started_at: float,
    done: "queue.Queue[tuple[PlannedTrial, TrialRecord | AgnewsError]]",
) -> None:
    try:
        inputs = load_data(trial)
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001  # other trials continue
        done.put((trial, _ours(trial, error)))
    else:
        _start(runner, trial, inputs, started_at, done)


def _start(
    runner: StudyRunner,
    trial: PlannedTrial,
    data: Inputs,
    started_at: float,
    done: "queue.Queue[tuple[PlannedTrial, TrialRecord | AgnewsError]]",
) -> None:
    """Run a trial in a daemon thread: an interrupt must not wait for it."""

    def target() -> None:
        try:
            result: TrialRecord | AgnewsError = runner.run(trial, data, started_at)
        except BaseException as error:  # noqa: BLE001  # else the study waits without end
            result = _ours(trial, error)
        done.put((trial, result))

    threading.Thread(target=target, name=trial.trial_id, daemon=True).start()


def _ours(trial: PlannedTrial, error: BaseException) -> AgnewsError:
    """Return our own error unchanged, and any other as a ``TrialError`` that names it."""
    ours = own_error(error)
    if ours is not None:
        return ours
    logger.error("trial %s failed", trial.trial_id, exc_info=error)
    if is_out_of_memory(error):
        return no_memory(f"trial {trial.trial_id}")
    found = describe(error)
    hint = "read Ray's log, fix the cause and submit again"
    return TrialError(f"trial {trial.trial_id}", "a finished run", found, hint)
