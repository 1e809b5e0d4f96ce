"""Ctrl-C and SIGTERM: one line, exit code 130 or 143, and an exit within seconds."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

import click

PATIENCE_S = 20.0
"""The time for a clean exit; after it this process exits at once, and its watchdog cleans up."""


class Terminated(KeyboardInterrupt):
    """The exception for SIGTERM, which Kubernetes and spot machines send; handled like Ctrl-C."""


def catch_signals() -> None:
    """Let Ctrl-C and SIGTERM interrupt the main thread; a second one ends it at once."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code that stands for the signal in a shell."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def leave(interrupt: KeyboardInterrupt, line: str = "interrupted") -> NoReturn:
    """Print a line on standard error and exit, without waiting for threads of libraries.

    Args:
        interrupt: the exception.
        line: the line about the state of the work.
    """
    click.echo(f"\n{line}" if sys.stderr.isatty() else line, err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code(interrupt))


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _end_at_once)
    # A library may ignore the exception, or hang in its clean-up.
    end = threading.Timer(PATIENCE_S, os._exit, [128 + number])
    end.daemon = True
    end.start()
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _end_at_once(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    os._exit(128 + number)
