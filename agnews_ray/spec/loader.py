"""Job files and flags to a checked ``StudySpec``; reports all problems at once."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agnews_ray.errors import SpecError
from agnews_ray.spec.study import StudySpec

PREFIX_OF_PLAIN_ERRORS = "Value error, "


def read_job_file(path: Path) -> dict[str, Any]:
    """Read a job file into plain mappings.

    Args:
        path: a YAML file holding one mapping; ``models`` may list plain names.

    Returns:
        The mapping, unchecked.

    Raises:
        SpecError: the file is missing, is not YAML, or is not a mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        found = f"want a readable job file, found {type(error).__name__}; see jobs/ for examples"
        raise SpecError(str(path), [found]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SpecError(str(path), [f"want YAML, found a syntax error{place}; mend it"]) from error
    if not isinstance(content, dict):
        found = f"want a mapping with keys such as models, found {type(content).__name__}"
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
        SpecError: lists every problem, each with the dotted path and what was found.
    """
    content = dict(content)
    if isinstance(content.get("models"), list | tuple):
        content["models"] = [
            {"model": item} if isinstance(item, str) else item for item in content["models"]
        ]
    try:
        return StudySpec.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        inner = {details["loc"][:-1] for details in found if len(details["loc"]) > 1}
        # A list with a bad item is also reported as too short, which would only confuse.
        problems = [_describe(details) for details in found if details["loc"] not in inner]
        raise SpecError(where, problems) from error


def override(content: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """Lay flags over a job file's content.

    Args:
        content: what the job file says.
        flags: dotted path to value, for instance ``{"recipe.num_epochs": 1}``; None is skipped.

    Returns:
        A new mapping; the arguments stay as they are.

    Raises:
        SpecError: a flag goes into a section that the job file did not write as a mapping.
    """
    merged = dict(content)
    for dotted, value in flags.items():
        if value is None:
            continue
        section, _, key = dotted.rpartition(".")
        if not section:
            merged[key] = value
            continue
        below = merged.get(section) or {}
        if not isinstance(below, Mapping):
            found = f"{section}: want a mapping, found {type(below).__name__}; indent its keys"
            raise SpecError("job file", [found])
        merged[section] = {**below, key: value}
    return merged


def to_yaml(study: StudySpec) -> str:
    """Write a study as the job file that would make it again.

    Args:
        study: the resolved study.

    Returns:
        YAML text with every default spelled out and unset values left away.
    """
    content = study.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _describe(details: ErrorDetails) -> str:
    path = ".".join(str(part) for part in details["loc"])
    message = details["msg"].removeprefix(PREFIX_OF_PLAIN_ERRORS)
    if details["type"] == "extra_forbidden":
        return f"{path}: unknown key; {_nearest_key(details['loc'])}"
    if details["type"] == "value_error":
        return f"{path}: {message}" if path else message
    message = message[:1].lower() + message[1:]
    message = message.removeprefix("input should be ")
    return f"{path}: want {message}, found {details['input']!r}; change it"


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
