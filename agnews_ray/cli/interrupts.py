"""Ctrl-C and SIGTERM: one line, exit code 130 or 143, and an end within seconds."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

import click

PATIENCE_S = 20.0
"""How long a clean end may take; afterwards this process just goes, and its watchdog cleans up."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, as Kubernetes and spot machines send it; handled like Ctrl-C."""


def catch_signals() -> None:
    """Let Ctrl-C and SIGTERM interrupt the main thread, and a second one end it at once."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Give the code by which a shell knows the signal."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def leave(interrupt: KeyboardInterrupt, line: str = "interrupted") -> NoReturn:
    """Say a line on standard error and end; threads of libraries are not waited for.

    Args:
        interrupt: what was caught.
        line: what became of the work.
    """
    click.echo(f"\n{line}" if sys.stderr.isatty() else line, err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code(interrupt))


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _end_at_once)
    # Some library may swallow the exception, or its clean-up hang.
    end = threading.Timer(PATIENCE_S, os._exit, [128 + number])
    end.daemon = True
    end.start()
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _end_at_once(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    os._exit(128 + number)
