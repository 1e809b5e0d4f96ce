"""Names and hashes that are made from the content that they identify."""

import hashlib
import json
import re


def slug(text: str) -> str:
    """Make a name safe for a folder: the last path part, as letters, digits and dashes.

    Args:
        text: any name, hub id or path.

    Returns:
        The safe name: at most 40 characters, never empty.
    """
    tail = text.rstrip("/").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9]+", "-", tail).strip("-").lower()[:40] or "model"


def short_name(text: str) -> str:
    """Shorten a name to the 100 characters that a variant's name may have; its end tells most."""
    return text if len(text) <= 100 else f"…{text[-99:]}"


def content_hash(content: object, length: int) -> str:
    """Hash JSON-ready content, whatever the order of its keys.

    Args:
        content: the content: mappings, lists, strings, numbers.
        length: the number of hexadecimal digits.

    Returns:
        The first digits of a SHA-256.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]
