"""What holds for every input: it is read, or refused in lines that help; nothing hangs."""

import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from agnews_ray.errors import MAX_CHARS, AgnewsError

Value = TypeVar("Value")

HANGS_AFTER_S = 60
"""Inputs are at most some hundred kilobytes; one that takes so long would never end."""


class HangError(BaseException):
    """Reading did not end; not an ``Exception``, so that no handler takes it."""


@dataclass(slots=True)
class Tally:
    """What came of the inputs of one kind."""

    num_read: int = 0
    num_refused: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0


TALLIES: dict[str, Tally] = defaultdict(Tally)
"""What came of the inputs so far, by their kind."""


def read_or_refused(kind: str, read: Callable[[], Value]) -> Value | None:
    """Read an input once.

    Args:
        kind: what the input is, for the long form's table.
        read: reads it.

    Returns:
        What was read; None if it was refused.
    """
    tally, start = TALLIES[kind], time.perf_counter()
    try:
        with _no_hang():
            value = read()
    except AgnewsError as error:
        _need_helpful(error)
        tally.num_refused += 1
        return None
    else:
        tally.num_read += 1
        return value
    finally:
        seconds = time.perf_counter() - start
        tally.seconds += seconds
        tally.slowest_s = max(tally.slowest_s, seconds)


def _need_helpful(error: AgnewsError) -> None:
    """Check the form of a refusal: printable lines of limited length, never empty."""
    lines = str(error).split("\n")
    assert all(line.strip() for line in lines)
    assert all(line.isprintable() for line in lines), repr(str(error))
    assert max(map(len, lines)) <= MAX_CHARS, repr(str(error))
    assert len(lines) == len(getattr(error, "problems", [""]))


@contextmanager
def _no_hang() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
