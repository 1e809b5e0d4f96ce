"""The events of a study that runs as a job: each is a line of JSON in the job's log.

The process that runs the study writes them; programs that follow it need no other line of the log.
"""

import math
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, TextIO

from pydantic import Field, TypeAdapter, ValidationError

from agnews_ray.cluster import event_kinds as kinds
from agnews_ray.cluster.event_kinds import Event
from agnews_ray.record.json_text import to_json
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress, TrialRetry
from agnews_ray.run.watcher import StudyWatcher

PREFIX = "@agnews-ray "
"""The start of an event's line; other lines are from Ray or a library."""

MIN_INTERVAL_S = 2.0
"""The shortest time between two progress lines of one trial."""

EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


class EventWriter:
    """A ``StudyWatcher`` that writes events.

    Args:
        stream: the output; each event is one write, flushed. None: standard output as it is now.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._count = 0
        self._last: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._lock = threading.Lock()

    def study(
        self, name: str, location: str, trials: Sequence[TrialFacts], finished: Collection[str]
    ) -> None:
        """Say what will run: at the start, and when it is planned again.

        Args:
            name: of the study.
            location: where its results are left.
            trials: all of them.
            finished: ids of those that have a record already.
        """
        planned = tuple(
            kinds.PlannedFacts(**dict(trial), is_done=trial.trial_id in finished)
            for trial in trials
        )
        self._write(kinds.StudyPlanned(name=name, location=location, trials=planned))

    def note(self, text: str) -> None:
        """Say something about the whole study."""
        self._write(kinds.Noted(text=text))

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        if done == total or self._is_due(f"{variant} {split}"):
            self._write(kinds.Tokenised(variant=variant, split=split, done=done, total=total))

    def started(self, trial: TrialFacts) -> None:
        self._write(kinds.Started(trial=trial))

    def waiting(self, trial: TrialFacts, reason: str) -> None:
        if self._is_due(trial.trial_id):
            self._write(kinds.Waiting(trial=trial, reason=reason))

    def progress(self, progress: TrialProgress) -> None:
        if progress.phase != "training" or self._is_due(progress.trial_id):
            said = repr(progress)  # two that are alike may hold NaN, which equals nothing
            if self._said.get(progress.trial_id) != said:
                self._said[progress.trial_id] = said
                self._write(kinds.Progressed(progress=progress))

    def retried(self, retry: TrialRetry) -> None:
        self.note(retry.text)  # this is what is shown, by older versions too
        self._write(kinds.Retried(retry=retry))

    def finished(self, trial: TrialFacts, record: RecordFacts) -> None:
        self._write(kinds.Finished(trial=trial, record=record))

    def failed(self, trial: TrialFacts, error: Exception | str) -> None:
        self._write(kinds.Failed(trial=trial, error=str(error)))

    def error(self, error: Exception) -> None:
        """Say why the whole study ended."""
        self._write(kinds.Errored(error=str(error)))

    def probe(self, facts: Mapping[str, object]) -> None:
        """Say what ``doctor`` asked for."""
        self._write(kinds.Probed(facts=to_json(facts, indent=None)))

    def end(self) -> None:
        """Say that every trial has ended."""
        self._write(kinds.Ended())

    def _is_due(self, key: str) -> bool:
        is_due = time.monotonic() - self._last.get(key, -math.inf) >= MIN_INTERVAL_S
        if is_due:
            self._last[key] = time.monotonic()
        return is_due

    def _write(self, event: Event) -> None:
        with self._lock:  # trials run in threads
            self._count += 1
            numbered = event.model_copy(
                update={"number": self._count, "time": round(time.time(), 1)}
            )
            self._stream.write(f"{PREFIX}{to_json(numbered, indent=None)}\n")
            self._stream.flush()


def read_events(lines: Iterable[str]) -> Iterator[Event | str]:
    """Find the events in a log.

    Args:
        lines: the lines of a job's log, from its start; a line may be repeated after a
            reconnection.

    Yields:
        Each event once, in order; and other lines as text. Events that only a newer version knows
        are left out.
    """
    seen = 0
    for line in lines:
        if not line.startswith(PREFIX):
            yield line
            continue
        try:
            event = EVENT.validate_json(line.removeprefix(PREFIX))
        except ValidationError:
            continue  # the line is still being written, or a newer version's
        if event.number > seen:
            seen = event.number
            yield event


def show_event(event: Event, screen: StudyWatcher) -> None:
    """Show an event as if it had happened here.

    Args:
        event: from ``read_events``.
        screen: shows it.
    """
    match event:
        case kinds.Noted():
            screen.note(event.text)
        case kinds.Errored():
            screen.note(f"error: {event.error}")
        case kinds.Tokenised():
            screen.tokenised(event.variant, event.split, event.done, event.total)
        case _:
            _show_trial(event, screen)


def _show_trial(event: Event, screen: StudyWatcher) -> None:
    match event:
        case kinds.Started():
            screen.started(event.trial)
        case kinds.Waiting():
            screen.waiting(event.trial, event.reason)
        case kinds.Progressed():
            screen.progress(event.progress)
        case kinds.Finished():
            screen.finished(event.trial, event.record)
        case kinds.Failed():
            screen.failed(event.trial, event.error)
