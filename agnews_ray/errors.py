"""Every error that a user can meet.

AgnewsError            where, what was wanted, what was found, what to do
├── SpecError          a job file or a flag is wrong (lists every problem)
├── DataError          a dataset cannot be read, or is not what was said
├── ModelError         a model or its tokenizer cannot be loaded
├── HubError           the Hugging Face hub cannot be reached
├── ResourceError      this machine or cluster has not got what was asked
├── ClusterError       a Ray cluster does not answer, refuses, or does not know a job
├── StoreError         a runs folder cannot be read or written
│   └── RecordError    a record is corrupt, too new, or unlike the others
└── TrialError         a trial failed while it ran
    └── RecordingError a GPU's steps cannot be recorded; it begins again without
"""

from collections.abc import Sequence

MAX_CHARS = 390
"""Of a message: whatever the input, it is one line that can be read."""

MIN_CHARS = 60
"""Kept of each part that is shortened."""


class AgnewsError(Exception):
    """A problem that the user can mend.

    All fields go to ``super().__init__`` so that the error pickles: it may be raised in a Ray
    worker and read on the driver.

    Args:
        where: the file, flag, section or service at fault.
        wanted: what would have been right.
        found: what was there instead.
        hint: what to do next, in the imperative.
    """

    exit_code = 2

    def __init__(self, where: str, wanted: str, found: str, hint: str) -> None:
        super().__init__(where, wanted, found, hint)
        self.where = where
        self.wanted = wanted
        self.found = found
        self.hint = hint

    def __str__(self) -> str:
        """One line; what was found is shortened first, what to do last."""
        parts = [one_line(part) for part in (self.found, self.wanted, self.where, self.hint)]
        excess = sum(map(len, parts)) + len(": want , found ; ") - MAX_CHARS
        for index, part in enumerate(parts):
            if excess > 0:
                parts[index] = _shortened(part, len(part) - excess, keep_end=index == 2)
                excess -= len(part) - len(parts[index])
        found, wanted, where, hint = parts
        return f"{where}: want {wanted}, found {found}; {hint}"


def printable(text: str) -> str:
    """Write a text so that it does nothing to a terminal.

    Names come from files of strangers: a line break, an escape sequence or half a character in one
    is written as Python would write it, not carried out.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def one_line(text: object) -> str:
    """Write a text in one line of single spaces, made ``printable``."""
    return printable(" ".join(str(text).split()))


def _shortened(text: str, size: int, keep_end: bool = False) -> str:
    """Cut a text to a size, though never below ``MIN_CHARS``; a place's end says the most."""
    size = max(size, MIN_CHARS)
    if len(text) <= size:
        return text
    return f"…{text[1 - size :]}" if keep_end else f"{text[: size - 1].rstrip(', ')}…"


class SpecError(AgnewsError):
    """A job file or the flags are wrong. Lists every problem at once, one per line."""

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        Exception.__init__(self, where, tuple(problems))
        self.where = where
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = (one_line(f"{self.where}: {problem}") for problem in self.problems)
        return "\n".join(_shortened(line, MAX_CHARS) for line in lines)


class DataError(AgnewsError):
    """A dataset cannot be read, or is not what was said of it."""


class ModelError(AgnewsError):
    """A model or its tokenizer cannot be loaded."""


class HubError(AgnewsError):
    """The Hugging Face hub cannot be reached and its cache lacks what was asked."""


class ResourceError(AgnewsError):
    """This machine or cluster has not got what was asked."""


class ClusterError(AgnewsError):
    """A Ray cluster does not answer, refuses, or does not know a job."""


class StoreError(AgnewsError):
    """A runs folder cannot be read or written."""


class RecordError(StoreError):
    """A record is corrupt, written by a newer version, or unlike the ones beside it."""


class TrialError(AgnewsError):
    """A trial failed while it ran."""

    exit_code = 1


class RecordingError(TrialError):
    """Steps cannot be recorded as CUDA graphs; the trial is to begin again without."""
