"""Standard output and error that may close at any time: what nobody reads is not written."""

import os
import sys
from typing import Any, TextIO


class LenientStream:
    """A text stream whose reader may go away: from then on it is silent.

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
        # What is still buffered, and what libraries write, goes where nothing fails.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def make_lenient() -> None:
    """Let standard output and error of this process close without harm, or be closed already."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Or the next file that is opened would get this number, and others' words.
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        setattr(sys, name, LenientStream(stream))
    # Its own: while Ray runs, what C++ writes to number 2 goes to a log.
    own = open(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: PTH123, SIM115
    sys.stderr = LenientStream(own)


def is_unread() -> bool:
    """Whether nobody reads standard output any more."""
    return isinstance(getattr(sys.stdout, "error", None), BrokenPipeError)


def write_error() -> OSError | None:
    """Say why standard output was not written whole; None where its reader merely left."""
    error: OSError | None = getattr(sys.stdout, "error", None)
    return None if isinstance(error, BrokenPipeError) else error
