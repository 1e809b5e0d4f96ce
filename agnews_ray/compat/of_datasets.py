"""What is used of datasets that is not public."""

from typing import Any


def fingerprint(split: Any) -> str:
    """What datasets itself names a split's cache by: it changes with the rows."""
    return str(split._fingerprint)
