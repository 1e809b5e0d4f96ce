"""One finding of `doctor` or `cluster check`: what was looked at, how it stands, what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A line for a person, a mapping for a script."""

    name: str
    level: Level
    found: str
    hint: str = ""
    """What to do; nothing where all is well."""


def passed(name: str, found: str) -> Check:
    """Report that something is as it should be."""
    return Check(name=name, level="ok", found=found)


def warned(name: str, found: str, hint: str) -> Check:
    """Report what may hurt later."""
    return Check(name=name, level="warning", found=found, hint=hint)


def failed(name: str, found: str, hint: str) -> Check:
    """Report what will not work."""
    return Check(name=name, level="error", found=found, hint=hint)
