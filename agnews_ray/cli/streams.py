"""Standard output and error that may close at any time; after that, nothing is written."""

import os
import sys
from typing import Any, TextIO


class LenientStream:
    """A text stream whose reader may exit; after that it writes nothing.

    Args:
        stream: standard output or error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write, unless that has failed before."""
        if self.error is None:
            try:
                return self._stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush, unless writing has failed before."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: OSError) -> None:
        self.error = error
        # Buffered text and the output of libraries go to the null device.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def make_lenient() -> None:
    """Allow standard output and error of this process to close, or to be closed already."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Else the next opened file would get this number, and the output of others.
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        setattr(sys, name, LenientStream(stream))
    # A separate stream: while Ray runs, C++ output to number 2 goes to a log.
    own = open(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: PTH123, SIM115
    sys.stderr = LenientStream(own)


def is_unread() -> bool:
    """Whether the reader of standard output has exited."""
    return isinstance(getattr(sys.stdout, "error", None), BrokenPipeError)


def write_error() -> OSError | None:
    """Return why standard output was not completely written; None if only its reader exited."""
    error: OSError | None = getattr(sys.stdout, "error", None)
    return None if isinstance(error, BrokenPipeError) else error
