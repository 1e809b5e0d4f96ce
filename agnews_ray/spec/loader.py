"""From job files and flags to a checked ``StudySpec``; all problems are reported at once."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agnews_ray.errors import SpecError
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.yaml_text import read_yaml, write_yaml

PREFIX_OF_PLAIN_ERRORS = "Value error, "
WANTED = {
    "string_type": ("text", "quote it"),
    "bool_type": ("true or false", "change it, without quotes"),
    "int_type": ("a whole number", "write it in decimal digits, without quotes"),
    "int_from_float": ("a whole number", "change it"),
    "float_type": ("a number", "write it in decimal digits, without quotes"),
    "tuple_type": ("a list", "write it in brackets: [a, b]"),
    "model_type": ("a mapping", "indent its keys"),
    "dict_type": ("a mapping", "indent its keys"),
    "too_short": ("at least one", "name one"),
}
"""What was wanted and what to do, by the type of pydantic's error."""


def read_job_file(path: Path) -> dict[str, Any]:
    """Read a job file into plain mappings.

    Args:
        path: a YAML file with one mapping; ``models`` may list plain names.

    Returns:
        The mapping, unchecked.

    Raises:
        SpecError: the file is missing, is not YAML, is not a mapping, has a key twice, or a word
            that YAML readers understand differently.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        kind = {type(None): "nothing", list: "a list"}.get(type(content), "a single value")
        found = f"want a mapping with keys such as models, found {kind}"
        raise SpecError(str(path), [f"{found}; see jobs/ for examples"])
    return content


def build_study(content: Mapping[str, Any], where: str) -> StudySpec:
    """Check a mapping and turn it into a study.

    Args:
        content: the keys of ``StudySpec``, as read from a job file and overridden by flags.
        where: the job file's path or "flags", for messages.

    Returns:
        The checked study.

    Raises:
        SpecError: there are problems; all are listed, each with the dotted path and what was found.
    """
    content = dict(content)
    if isinstance(content.get("models"), list | tuple):
        content["models"] = [
            item if isinstance(item, dict | list) else {"model": item} for item in content["models"]
        ]
    try:
        # As JSON, so that a list is accepted as a tuple; strictly, so that true is not 1.
        document = json.dumps(content, ensure_ascii=False).encode()
        return StudySpec.model_validate_json(document, strict=True)
    except UnicodeEncodeError as error:
        before = error.object[max(0, error.start - 20) : error.start]
        half = f"half a character (or a byte that is not UTF-8) after {before!r}"
        raise SpecError(where, [f"want text, found {half}; write it anew"]) from error
    except ValidationError as error:
        found = error.errors(include_url=False)
        above = {one["loc"][:depth] for one in found for depth in range(1, len(one["loc"]))}
        # A list with a bad item is also reported as too short, which would be confusing.
        problems = [_describe(details) for details in found if details["loc"] not in above]
        raise SpecError(where, problems) from error


def override(content: Mapping[str, Any], flags: Mapping[str, object]) -> dict[str, Any]:
    """Lay flags over a job file's content.

    Args:
        content: the content of the job file.
        flags: dotted path to value, for instance ``{"recipe.num_epochs": 1}``; None is skipped.

    Returns:
        A new mapping; the arguments are not changed.

    Raises:
        SpecError: a flag belongs to a section that is not a mapping in the job file.
    """
    merged = dict(content)
    for dotted, value in flags.items():
        if value is None:
            continue
        *sections, key = dotted.split(".")
        target = merged
        for depth, section in enumerate(sections, start=1):
            below = target.get(section) or {}
            if not isinstance(below, Mapping):
                path = ".".join(sections[:depth])
                found = f"{path}: want a mapping, found {type(below).__name__}; indent its keys"
                raise SpecError("job file", [found])
            target[section] = target = dict(below)
        target[key] = value
    return merged


def to_yaml(study: StudySpec) -> str:
    """Write a study as a job file that repeats it.

    Args:
        study: the resolved study.

    Returns:
        YAML text with every default, and without unset values.
    """
    content = study.model_dump(mode="json", exclude_none=True)
    return write_yaml(content)


def _describe(details: ErrorDetails) -> str:
    path = ".".join(str(part) for part in details["loc"])
    message = details["msg"].removeprefix(PREFIX_OF_PLAIN_ERRORS)
    if details["type"] == "extra_forbidden":
        return f"{path}: unknown key; {_nearest_key(details['loc'])}"
    if details["type"] == "missing":
        return f"{path}: want a value, found nothing; write it"
    if details["type"] == "value_error":
        return f"{path}: {message}" if path else message
    wanted, hint = WANTED.get(details["type"], ("", "change it"))
    wanted = wanted or (message[:1].lower() + message[1:]).removeprefix("input should be ")
    found = details["input"]
    if found is None:
        return f"{path}: want {wanted}, found nothing; write it, or leave the key out"
    shown = repr(found) if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return f"{path}: want {wanted}, found {shown}; {hint}"


def _nearest_key(location: tuple[int | str, ...]) -> str:
    known = _fields_at(location[:-1])
    close = get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """Walk from ``StudySpec`` along a path of field names and list positions."""
    current: type[BaseModel] = StudySpec
    for part in location:
        if isinstance(part, str) and part in current.model_fields:
            annotation = current.model_fields[part].annotation
            inner = [annotation, *get_args(annotation)]
            specs = [t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)]
            current = specs[0] if specs else current
    return list(current.model_fields)
