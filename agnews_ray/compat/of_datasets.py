"""The parts of datasets that are used but not public."""

from typing import Any


def fingerprint(split: Any) -> str:
    """Return the name that datasets uses for a split's cache, which changes with the rows."""
    return str(split._fingerprint)
