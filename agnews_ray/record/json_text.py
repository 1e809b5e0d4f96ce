"""The only way in which this package writes JSON: NaN and infinities become null.

JSON has neither NaN nor infinity (RFC 8259, section 6). Python's writer prints them anyway, and
then other programs cannot read the document.
"""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from pydantic import BaseModel


def to_json(content: object, *, indent: int | None = 2, sort_keys: bool = False) -> str:
    """Write a JSON document.

    Args:
        content: mappings, sequences, pydantic models, text, numbers.
        indent: spaces per level; None for a single line.
        sort_keys: whether mappings are written in the order of their keys.

    Returns:
        The document, without a line break at its end.
    """
    return json.dumps(as_json(content), indent=indent, sort_keys=sort_keys, allow_nan=False)


def as_json(content: object) -> Any:
    """Turn content into JSON values; NaN and infinities become null.

    Returns:
        As Python's ``json`` gives it, which types it as Any too.
    """
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json")
    if isinstance(content, Mapping):
        return {key: as_json(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [as_json(value) for value in content]
    return None if isinstance(content, float) and not isfinite(content) else content
