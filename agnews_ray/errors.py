"""Every error that a user can meet.

AgnewsError            where, what was wanted, what was found, what to do
├── SpecError          a job file or a flag is wrong (lists every problem)
├── DataError          a dataset cannot be read, or is not as described
├── ModelError         a model or its tokenizer cannot be loaded
├── HubError           the Hugging Face hub cannot be reached
├── ResourceError      this machine or cluster lacks a requested resource
├── ClusterError       a Ray cluster does not answer, refuses, or does not know a job
├── TrackerError       a tracker is not installed, does not answer, or refuses
├── StoreError         a runs folder cannot be read or written
│   └── RecordError    a record is corrupt, too new, or unlike the others
└── TrialError         a trial failed while it ran
    └── RecordingError a GPU's steps cannot be recorded; it starts again without
"""

from collections.abc import Sequence

MAX_CHARS = 390
"""The longest message, in characters: for any input it is one readable line."""

MIN_CHARS = 60
"""The characters that are kept of each shortened part."""

OFFLINE_WAYS = "go online once to fill the cache, set HF_ENDPOINT to a mirror"
"""What to do if the Hugging Face hub does not answer; each place adds its own ways."""


class AgnewsError(Exception):
    """A problem that the user can fix.

    All fields go to ``super().__init__`` so that the error pickles: it may be raised in a Ray
    worker and read on the driver.

    Args:
        where: the file, flag, section or service with the problem.
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
        """Return one line; ``found`` is shortened first, ``hint`` last."""
        parts = [one_line(part) for part in (self.found, self.wanted, self.where, self.hint)]
        excess = sum(map(len, parts)) + len(": want , found ; ") - MAX_CHARS
        for index, part in enumerate(parts):
            if excess > 0:
                parts[index] = _shortened(part, len(part) - excess, keep_end=index == 2)
                excess -= len(part) - len(parts[index])
        found, wanted, where, hint = parts
        return f"{where}: want {wanted}, found {found}; {hint}"


def printable(text: str) -> str:
    """Write a text so that it cannot control a terminal.

    Names may come from untrusted files: a line break, an escape sequence or half a character is
    written in Python's notation instead of being executed.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def one_line(text: object) -> str:
    """Write a text on one line with single spaces, made ``printable``."""
    return printable(" ".join(str(text).split()))


def _shortened(text: str, size: int, keep_end: bool = False) -> str:
    """Shorten a text to a size of at least ``MIN_CHARS``; of a place, the end is kept."""
    size = max(size, MIN_CHARS)
    if len(text) <= size:
        return text
    return f"…{text[1 - size :]}" if keep_end else f"{text[: size - 1].rstrip(', ')}…"


class SpecError(AgnewsError):
    """A job file or the flags are wrong. The message lists every problem, one per line."""

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        Exception.__init__(self, where, tuple(problems))
        self.where = where
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = (one_line(f"{self.where}: {problem}") for problem in self.problems)
        return "\n".join(_shortened(line, MAX_CHARS) for line in lines)


class DataError(AgnewsError):
    """A dataset cannot be read, or is not as described."""


class ModelError(AgnewsError):
    """A model or its tokenizer cannot be loaded."""


class HubError(AgnewsError):
    """The Hugging Face hub cannot be reached, and its cache lacks the requested files."""


class ResourceError(AgnewsError):
    """This machine or cluster lacks a requested resource."""


class ClusterError(AgnewsError):
    """A Ray cluster does not answer, refuses, or does not know a job."""


class TrackerError(AgnewsError):
    """An experiment tracker is not installed, does not answer, or refuses what it is given."""


class StoreError(AgnewsError):
    """A runs folder cannot be read or written."""


class RecordError(StoreError):
    """A record is corrupt, written by a newer version, or unlike the others of its study."""


class TrialError(AgnewsError):
    """A trial failed while it ran."""

    exit_code = 1


class RecordingError(TrialError):
    """Steps cannot be recorded as CUDA graphs; the trial must start again without."""
