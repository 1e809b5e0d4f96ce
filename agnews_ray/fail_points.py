"""Named points in the code at which something can be made to fail, for tests and `chaos`.

They are off unless ``AGNEWS_RAY_FAIL`` names some, with what happens there, as in
``checkpoint.part=kill@3; write=sleep(2)@1`` (the third time that a process reaches the
first point it is killed; the first write takes two seconds longer). What happened is written to the
file ``AGNEWS_RAY_FAIL_LOG``, a line each; with such a file each entry happens once in all
processes, and each test can check that it did.
"""

import copyreg
import errno
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType

VARIABLE, LOG_VARIABLE = "AGNEWS_RAY_FAIL", "AGNEWS_RAY_FAIL_LOG"
ENTRY = re.compile(
    r"(?P<point>[a-z.-]+)=(?P<action>[a-z-]+)(\((?P<value>[-+.\d]+)\))?(@(?P<n>\d+))?"
)

POINTS = (
    "worker.load",  # a rank begins a trial
    "worker.step",  # a training step was made
    "worker.score",  # the test split is about to be scored
    "worker.save",  # the trained model's files are about to be written
    "checkpoint.part",  # a rank's part is about to be written
    "checkpoint.mark",  # all parts are written; the marker that makes them count is not
    "checkpoint.prune",  # a new checkpoint counts; older ones are about to be deleted
    "driver.start",  # a trial is about to be given to workers
    "driver.publish",  # a trial's record is about to be written
    "driver.published",  # a trial is finished; its checkpoints are about to be deleted
    "write",  # a file that lasts is about to be synced
)
"""All points, each where its comment says."""


@dataclass(slots=True)
class _Entry:
    number: int
    action: str
    value: float
    at: int
    count: int = 0


_entries: dict[str, list[_Entry]] = {}
_moved_s = 0.0
_real_time = time.time


def set_up(text: str) -> None:
    """Replace what happens at the points.

    Args:
        text: the entries, separated by semicolons; empty: nothing happens.

    Raises:
        ValueError: an entry, a point or an action is unknown.
    """
    _entries.clear()
    parts = [part.strip() for part in text.split(";") if part.strip()]
    for number, part in enumerate(parts):
        found = ENTRY.fullmatch(part)
        if found is None or found["point"] not in POINTS or found["action"] not in ACTIONS:
            known = f"POINT=ACTION(VALUE)@N with points {POINTS} and actions {tuple(ACTIONS)}"
            raise ValueError(f"{VARIABLE}: want {known}, found {part!r}")
        entry = _Entry(number, found["action"], float(found["value"] or 0), int(found["n"] or 1))
        _entries.setdefault(found["point"], []).append(entry)


def reach(point: str) -> None:
    """Fail here, if that is wanted now; otherwise this costs a look into an empty dictionary.

    Args:
        point: one of ``POINTS``.
    """
    if not _entries:
        return
    for entry in _entries.get(point, ()):
        entry.count += 1
        if entry.count == entry.at and _is_first(entry, point):
            ACTIONS[entry.action](entry.value)


def _is_first(entry: _Entry, point: str) -> bool:
    """Log that an entry happens; False if it did in another process."""
    log = os.environ.get(LOG_VARIABLE)
    if not log:
        return True
    try:
        Path(f"{log}.{entry.number}").touch(exist_ok=False)
    except FileExistsError:
        return False
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{point} {entry.action} {os.getpid()} {_real_time():.3f}\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def _kill(_: float) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the signal comes at once, but perhaps in another thread


def _kill_parent(_: float) -> None:
    os.kill(os.getppid(), signal.SIGKILL)  # of a worker, its node's raylet


def _terminate(_: float) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _full(_: float) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fail(_: float) -> None:
    raise RuntimeError("a failure that was asked for")


def _out_of_memory(_: float) -> None:
    raise sys.modules["torch"].OutOfMemoryError("CUDA out of memory, which was asked for")


def _move_clock(seconds: float) -> None:
    global _moved_s  # a process has one clock
    _moved_s += seconds
    time.time = _moved_time
    # pickle wants a function to be what its module has under its name.
    copyreg.pickle(type(_real_time), _reduced)  # type: ignore[arg-type]  # any function of C


def _moved_time() -> float:
    return _real_time() + _moved_s


def _reduced(function: BuiltinFunctionType) -> object:
    return (_clock, ()) if function is _real_time else function.__reduce__()


def _clock() -> Callable[[], float]:
    """Return the clock of the process that reads a pickle."""
    return time.time


ACTIONS: dict[str, Callable[[float], None]] = {
    "kill": _kill,
    "kill-parent": _kill_parent,
    "terminate": _terminate,
    "full": _full,
    "error": _fail,
    "out-of-memory": _out_of_memory,
    "sleep": time.sleep,
    "clock": _move_clock,
}
"""What can happen: this process or its parent ends, a write or anything fails, time passes, or the
clock moves by so many seconds."""

set_up(os.environ.get(VARIABLE, ""))
