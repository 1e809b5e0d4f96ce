"""Whether a trial starts again after a failure, and what is changed then; by cause."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["preempted", "lost worker", "full memory", "full GPU", "recording", "ours", "error"]
"""The causes of a failure: ``full memory`` is that of a machine, on which Ray ended a process;
``recording`` that a GPU's steps cannot be recorded; ``ours`` what the user must change first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed attempt."""

    kind: Kind
    text: str
    """The error in a line."""
    step: int = 0
    """The last step that is known."""
    phase: str = "training"
    """What the trial did, as its progress says."""

    def is_like(self, other: "Failure") -> bool:
        """Whether another attempt failed in the same way, at the same step.

        A lost worker leaves no error of its own; losing two at the start says nothing.
        """
        if (self.kind, self.step) != (other.kind, other.step):
            return False
        return self.step > 0 if self.kind == "lost worker" else self.text == other.text


@dataclass(slots=True, kw_only=True)
class Retries:
    """What is decided about the attempts at one trial.

    A preempted trial always starts again; one that lost a worker, or failed for a reason that is
    not known, ``max_failures`` times, unless it fails in the same way at the same step again; one
    that fills its GPU with half the rows per pass; all others not at all.
    """

    max_failures: int
    max_passes: int = 1
    """The largest number of passes: that of a rank's rows; 1 if steps cannot be cut."""
    passes: int = 1
    """The number of passes per step of the next attempt."""
    unrecorded: str | None = None
    """Why the next attempt's steps must not be recorded; None if they may be."""
    num_failures: int = 0
    """The failures so far that count."""
    latest: Failure | None = None

    def starts_again(self, failure: Failure) -> str | None:
        """Decide after a failed attempt.

        Args:
            failure: the failure.

        Returns:
            What happened and what is changed, in words that follow the trial's name; None if the
            trial has failed.
        """
        before, self.latest = self.latest, failure
        match failure.kind:
            case "preempted":
                return "was preempted, starts again"
            case "recording" if self.unrecorded is None:
                self.unrecorded = failure.text
                return f"starts again, unrecorded: {failure.text}"
            case "full GPU":
                return self._with_more_passes(failure)
            case "lost worker" | "error":
                return self._counted(failure, before)
        return None

    def _with_more_passes(self, failure: Failure) -> str | None:
        if self.passes >= self.max_passes or failure.phase in ("scoring", "saving"):
            return None
        self.passes = min(2 * self.passes, self.max_passes)
        return f"ran out of GPU memory, starts again with {self.passes} passes per step"

    def _counted(self, failure: Failure, before: Failure | None) -> str | None:
        if self.num_failures >= self.max_failures or (before and failure.is_like(before)):
            return None
        self.num_failures += 1
        if failure.kind == "lost worker":
            return "lost a worker or its node, starts again"
        return f"failed, starts again: {failure.text}"
