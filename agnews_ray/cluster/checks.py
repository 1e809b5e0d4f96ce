"""One finding of `doctor` or `cluster check`: what was checked, the result, what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A finding: a line for a person, a mapping for a script."""

    name: str
    level: Level
    found: str
    hint: str = ""
    """What to do; empty if all is well."""


def passed(name: str, found: str) -> Check:
    """Report that a check has passed."""
    return Check(name=name, level="ok", found=found)


def warned(name: str, found: str, hint: str) -> Check:
    """Report a problem that may matter later."""
    return Check(name=name, level="warning", found=found, hint=hint)


def failed(name: str, found: str, hint: str) -> Check:
    """Report a problem that will make a run fail."""
    return Check(name=name, level="error", found=found, hint=hint)
