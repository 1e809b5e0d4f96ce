"""The events of a study that runs as a job: each is a line of JSON in the job's log.

The process that runs the study writes them; programs that follow it need no other line of the log.
"""

import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any, TextIO

from agnews_ray.record.json_text import as_json, to_json

PREFIX = "@agnews-ray "
"""The start of an event's line; other lines are from Ray or a library."""

MIN_INTERVAL_S = 2.0
"""The shortest time between two progress lines of one trial."""


class EventWriter:
    """A ``StudyWatcher`` that writes events.

    Args:
        stream: the output; each event is one write, flushed.
    """

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._count = 0
        self._last: dict[str, float] = {}
        self._said: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def study(self, name: str, location: str, trials: Iterable[Any], finished: set[str]) -> None:
        """Write what will run, once, at the start.

        Args:
            name: the study's name.
            location: the place of its results.
            trials: all ``PlannedTrial``s.
            finished: the ids of those that already have a record.
        """
        planned = [_facts(trial) | {"is_done": trial.trial_id in finished} for trial in trials]
        self._write("study", name=name, location=location, trials=planned)

    def note(self, text: str) -> None:
        """Write a note about the whole study."""
        self._write("note", text=text)

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        if done == total or self._is_due(f"{variant} {split}"):
            self._write("tokenised", variant=variant, split=split, done=done, total=total)

    def started(self, trial: Any) -> None:
        self._write("started", trial=_facts(trial))

    def waiting(self, trial: Any, reason: str) -> None:
        if self._is_due(trial.trial_id):
            self._write("waiting", trial=_facts(trial), reason=reason)

    def progress(self, progress: Any) -> None:
        if progress.phase != "training" or self._is_due(progress.trial_id):
            names = progress.__slots__
            values = as_json({name: getattr(progress, name) for name in names})
            if self._said.get(progress.trial_id) != values:
                self._said[progress.trial_id] = values
                self._write("progress", progress=values)

    def finished(self, trial: Any, record: Any) -> None:
        training, test = record.training, record.test
        self._write(
            "finished",
            trial=_facts(trial),
            record={
                "training": {
                    "train_seconds": training.train_seconds,
                    "samples_per_second": training.samples_per_second,
                },
                "test": {"accuracy": test.accuracy, "macro_f1": test.macro_f1},
                "diverged": record.diverged,
            },
        )

    def failed(self, trial: Any, error: Exception) -> None:
        self._write("failed", trial=_facts(trial), error=str(error))

    def error(self, error: Exception) -> None:
        """Write why the whole study ended."""
        self._write("error", error=str(error))

    def probe(self, facts: dict[str, Any]) -> None:
        """Write the facts that ``doctor`` requested."""
        self._write("probe", facts=to_json(facts, indent=None))

    def end(self) -> None:
        """Write that every trial has ended."""
        self._write("end")

    def _is_due(self, key: str) -> bool:
        is_due = time.monotonic() - self._last.get(key, -math.inf) >= MIN_INTERVAL_S
        if is_due:
            self._last[key] = time.monotonic()
        return is_due

    def _write(self, event: str, **values: Any) -> None:
        with self._lock:  # trials run in threads
            self._count += 1
            facts = {"number": self._count, "time": round(time.time(), 1), "event": event}
            self._stream.write(f"{PREFIX}{to_json(facts | values, indent=None)}\n")
            self._stream.flush()


def read_events(lines: Iterable[str]) -> Iterator[Any]:
    """Find the events in a log.

    Args:
        lines: the lines of a job's log, from its start; a line may be repeated after a
            reconnection.

    Yields:
        Each event once, in order, with the attributes from ``EventWriter``; and other
        lines as text.
    """
    seen = 0
    for line in lines:
        if not line.startswith(PREFIX):
            yield line
            continue
        try:
            event = json.loads(
                line.removeprefix(PREFIX), object_hook=lambda d: SimpleNamespace(**d)
            )
        except ValueError:
            continue  # the line is still being written
        if event.number > seen:
            seen = event.number
            yield event


def show_event(event: Any, screen: Any) -> None:
    """Show an event in the same way as an event of a local run.

    Args:
        event: an event from ``read_events``.
        screen: a screen of ``cli.screen``.
    """
    if event.event == "progress":
        event.progress.seconds_left = _number(event.progress.seconds_left)
        event.progress.loss = _number(event.progress.loss)
    calls: dict[str, Callable[[], None]] = {
        "note": lambda: screen.note(event.text),
        "error": lambda: screen.note(f"error: {event.error}"),
        "tokenised": lambda: screen.tokenised(event.variant, event.split, event.done, event.total),
        "started": lambda: screen.started(event.trial),
        "waiting": lambda: screen.waiting(event.trial, event.reason),
        "progress": lambda: screen.progress(event.progress),
        "finished": lambda: screen.finished(event.trial, event.record),
        "failed": lambda: screen.failed(event.trial, event.error),
    }
    if event.event in calls:
        calls[event.event]()


def _facts(trial: Any) -> dict[str, Any]:
    return {
        "trial_id": trial.trial_id,
        "variant": {"name": trial.variant.name},
        "seed": trial.seed,
        "num_steps": trial.num_steps,
        "precision": trial.precision,
        "device": trial.device,
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value
