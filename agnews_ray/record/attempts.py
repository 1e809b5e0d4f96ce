"""The attempts at a trial: when each ended, why, and how much of it had to be made again.

While a trial is unfinished they lie beside its checkpoints, so that they outlive the process that
runs the study; then they are part of its record.
"""

import datetime
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from pydantic import ValidationError

from agnews_ray.errors import AgnewsError
from agnews_ray.record.durable import make_folder, write_whole
from agnews_ray.record.json_text import to_json
from agnews_ray.record.shape import Record
from agnews_ray.record.storage import Storage, is_uri

ATTEMPTS_FILE = "attempts.json"

WRITE_EVERY_S, UPLOAD_EVERY_S = 2.0, 10.0
"""The time between two writes while an attempt runs, to a folder and to an object store."""

NO_WORD = "the driver ended"
"""What is said of an attempt at whose end nobody could write."""

Cause = Literal["finished", "preempted", "lost worker", "out of memory", "interrupted", "error"]
"""Why an attempt ended: ``interrupted`` by its user, or with the process that ran the study."""

logger = logging.getLogger(__name__)


class AttemptRecord(Record):
    """One attempt at a trial."""

    started_at: str
    """The time of its start, in UTC, ISO 8601."""
    seconds: float
    """Its wall time, as far as it is known."""
    startup_seconds: float
    """The part of it before its first known step."""
    machine: str
    """The host name of rank 0's machine; empty if it is not known."""
    from_step: int
    """The number of steps that earlier attempts had made, and that it did not repeat."""
    last_step: int
    """The last step of which the driver knows."""
    cause: Cause
    text: str
    """The error, or what is known of the end; empty if the trial was finished."""


class Attempts(Record):
    """The content of the file."""

    attempts: tuple[AttemptRecord, ...] = ()


class Ended(Protocol):
    """What the sums need of an attempt."""

    @property
    def seconds(self) -> float: ...
    @property
    def startup_seconds(self) -> float: ...
    @property
    def from_step(self) -> int: ...
    @property
    def last_step(self) -> int: ...


class Repeated(NamedTuple):
    """What was made again in a trial."""

    steps: int
    seconds: float
    """The time of attempts of which nothing is left: their starts, and steps made again."""


def repeated(attempts: Sequence[Ended]) -> Repeated:
    """Add up what was made again.

    Args:
        attempts: the attempts at one trial, in order; the last one is not made again.
    """
    steps, seconds = 0, sum(one.seconds for one in attempts[:-1])
    made = [one for one in attempts[:-1] if one.last_step > one.from_step]
    for one, following in pairwise([*made, *attempts[-1:]]):
        num_made = one.last_step - one.from_step
        num_kept = min(max(0, following.from_step - one.from_step), num_made)
        steps += num_made - num_kept
        seconds -= (one.seconds - one.startup_seconds) * num_kept / num_made
    return Repeated(steps, seconds)


class AttemptLog:
    """The attempts at one trial, as the driver notes them; it is the only writer.

    The file always says what would be true if this process ended now. A file that cannot be written
    or read ends no trial.

    Args:
        location: the trial's folder of checkpoints, or its URI.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._ended = _load(location)
        self._running: AttemptRecord | None = None
        self._start = self._written_at = 0.0

    @property
    def attempts(self) -> tuple[AttemptRecord, ...]:
        """All attempts, of earlier submits too; one that runs counts as interrupted."""
        return (*self._ended, *([self._running] if self._running else []))

    def begin(self) -> None:
        """Note that an attempt begins."""
        self._start = time.monotonic()
        self._running = AttemptRecord(
            started_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=0.0,
            startup_seconds=0.0,
            machine="",
            from_step=0,
            last_step=0,
            cause="interrupted",
            text=NO_WORD,
        )
        self._write()

    def saw(self, step: int, from_step: int, machine: str) -> None:
        """Note how far the running attempt is; this writes now and then.

        Args:
            step: its latest known step.
            from_step: the number of steps of earlier attempts from which it went on.
            machine: the host name of rank 0's machine.
        """
        one = self._running
        if one is None:
            return
        seconds = time.monotonic() - self._start
        from_step = max(from_step, one.from_step)
        last_step = max(step, from_step, one.last_step)
        is_starting = last_step == from_step
        update = {
            "seconds": seconds,
            "startup_seconds": seconds if is_starting else one.startup_seconds or seconds,
            "machine": machine or one.machine,
            "from_step": from_step,
            "last_step": last_step,
        }
        if not is_starting and one.last_step > one.from_step:
            update["startup_seconds"] = one.startup_seconds
        self._running = one.model_copy(update=update)
        pause_s = UPLOAD_EVERY_S if is_uri(self._location) else WRITE_EVERY_S
        if time.monotonic() - self._written_at >= pause_s:
            self._write()

    def end(self, cause: Cause, text: str = "") -> None:
        """Note that the running attempt has ended; without one, nothing happens.

        Args:
            cause: why.
            text: the error; empty if there is none.
        """
        if self._running is None:
            return
        seconds = time.monotonic() - self._start
        update = {"cause": cause, "text": text, "seconds": seconds}
        self._ended = (*self._ended, self._running.model_copy(update=update))
        self._running = None
        if cause != "finished":  # it then goes into the record
            self._write()

    def ended_from(self, from_step: int, last_step: int) -> None:
        """Correct the steps of the finished attempt, which its workers know best."""
        update = {"from_step": from_step, "last_step": last_step}
        self._ended = (*self._ended[:-1], self._ended[-1].model_copy(update=update))

    def _write(self) -> None:
        self._written_at = time.monotonic()
        content = to_json(Attempts(attempts=self.attempts)) + "\n"
        try:
            if is_uri(self._location):
                Storage(self._location).write(ATTEMPTS_FILE, content.encode())
            else:
                make_folder(Path(self._location))
                write_whole(Path(self._location, ATTEMPTS_FILE), content)
        except (AgnewsError, OSError) as error:
            logger.warning("the attempts at a trial were not noted: %s", error)


def _load(location: str) -> tuple[AttemptRecord, ...]:
    """Read the attempts of earlier submits; none if there is no file, or a damaged one."""
    with suppress(AgnewsError, OSError, ValidationError):
        if is_uri(location):
            storage = Storage(location)
            if ATTEMPTS_FILE not in storage.sizes():
                return ()
            return Attempts.model_validate_json(storage.read(ATTEMPTS_FILE)).attempts
        return Attempts.model_validate_json(Path(location, ATTEMPTS_FILE).read_bytes()).attempts
    return ()
