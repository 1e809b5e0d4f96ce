"""The content of a study's ``trials/``: the records that are used, and those left out, and why."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agnews_ray.errors import RecordError
from agnews_ray.record import json_text
from agnews_ray.record.outputs import count_without_class
from agnews_ray.record.schema import (
    FIRST_TO_NAME_DIVERGENCE,
    READABLE_VERSIONS,
    SCHEMA_VERSION,
    TrialRecord,
    without_scores,
)
from agnews_ray.spec.base import NAME_PATTERN

RECORD_FILE = "record.json"
DAMAGED = ".damaged"
"""The folder for trials that were run again because their record was unreadable; it keeps their
other files."""

ATTEMPT_MARK = "~"
"""The mark between a trial's id and its attempt's id in an object store; names cannot have it."""


RUN_AGAIN = f"submit again: the trial is run again, and this folder is kept in {DAMAGED}"


class NewerRecordError(RecordError):
    """A record was written by a newer version: it is complete, but cannot be read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A folder of ``trials/`` that is not used."""

    folder: Path
    trial_id: str
    """The trial's id, from the folder's name."""
    error: RecordError

    def __str__(self) -> str:
        return f"left out: {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The finished trials of a study."""

    records: tuple[TrialRecord, ...]
    """The records in the order of their trial ids; each id occurs once."""
    folders: dict[str, Path]
    """The folder of each record, by trial id."""
    set_aside: tuple[SetAside, ...]


def read_finished(trials: Path, trial_id: str = "") -> Finished:
    """Read every finished trial; a damaged or foreign one does not stop the others from being used.

    Args:
        trials: the folder of a study's trials; it need not exist.
        trial_id: the only trial to read; None for all.

    Returns:
        The records that are used, and the folders that are not.
    """
    attempts: dict[str, list[tuple[TrialRecord, Path]]] = {}
    set_aside = []
    for path in sorted(trials.glob(f"{trial_id}*/{RECORD_FILE}")):
        folder, name = path.parent, trial_of(path.parent.name)
        if trial_id not in ("", name):
            continue
        try:
            _refuse_links(path)
            record = load_record(path)
            _check_name(record, folder)
        except RecordError as error:
            set_aside.append(SetAside(folder=folder, trial_id=name, error=error))
            continue
        attempts.setdefault(name, []).append((record, folder))
    for found in attempts.values():
        found.sort(
            key=lambda one: (one[0].created_at, one[1].name)
        )  # the same order for all readers
        set_aside += [_second(folder, found[0][1].name) for _, folder in found[1:]]
    return Finished(
        records=tuple(attempts[name][0][0] for name in sorted(attempts)),
        folders={name: found[0][1] for name, found in attempts.items()},
        set_aside=tuple(set_aside),
    )


def trial_of(folder_name: str) -> str:
    """Return the id of a folder's trial."""
    return folder_name.partition(ATTEMPT_MARK)[0]


def load_record(path: Path) -> TrialRecord:
    """Read one record.

    Args:
        path: a ``record.json``.

    Returns:
        The checked record.

    Raises:
        NewerRecordError: a newer version wrote it.
        RecordError: it is corrupt.
    """
    content = _load_content(path)
    try:
        if content["schema_version"] < FIRST_TO_NAME_DIVERGENCE:
            content = _look_for_divergence(content, path.parent)
        record = TrialRecord.model_validate(content | {"schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        found = f"{place}: {first['msg'].lower()}"
        raise RecordError(str(path), "a trial record", found, RUN_AGAIN) from error
    except (KeyError, TypeError, AttributeError) as error:
        found = "one without the fields of its version"
        raise RecordError(str(path), "a trial record", found, RUN_AGAIN) from error
    for name in (record.trial_id, record.study):
        if not re.fullmatch(NAME_PATTERN, name):
            found = f"{name[:60]!r}, which is not a name"
            raise RecordError(str(path), "names of a trial and a study", found, RUN_AGAIN)
    return record


def _load_content(path: Path) -> dict[str, Any]:
    """Read the JSON of a record, if its version can be read here."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = content["schema_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        is_empty = path.is_file() and path.stat().st_size == 0
        found = "an empty file" if is_empty else "damaged JSON"
        raise RecordError(str(path), "a trial record", found, RUN_AGAIN) from error
    wanted = f"schema version {SCHEMA_VERSION}"
    if type(version) is not int or version < min(READABLE_VERSIONS):  # True is not 1
        raise RecordError(str(path), wanted, f"version {str(version)[:40]!r}", RUN_AGAIN)
    if version not in READABLE_VERSIONS:
        raise NewerRecordError(str(path), wanted, f"version {version}", "upgrade agnews-ray")
    return content


def _second(folder: Path, counted: str) -> SetAside:
    hint = "nothing to do: two submits trained it at the same time"
    error = RecordError(str(folder), "each trial once", f"{counted} too, which is used", hint)
    return SetAside(folder=folder, trial_id=trial_of(folder.name), error=error)


def _check_name(record: TrialRecord, folder: Path) -> None:
    """Refuse a copy under another name, which is not a second seed."""
    if trial_of(folder.name) != record.trial_id:
        wanted = f"the folder named after its trial ({record.trial_id})"
        hint = "move it out of trials/, or rename it to that"
        raise RecordError(str(folder), wanted, "another name (is it a copy?)", hint)


def _refuse_links(path: Path) -> None:
    """Refuse a trial that lies elsewhere, where later measurements would then be written."""
    for one in (path.parent, path):
        if one.is_symlink():
            hint = "put the trial's own folder in its place"
            raise RecordError(str(one), "a trial's own files", f"a link to {one.readlink()}", hint)


def _look_for_divergence(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Mark older records as diverged by their logits: they count such rows as class 0."""
    num_without = count_without_class(folder)
    if not num_without:
        return content
    return without_scores(content, f"logits of {num_without:,} test rows are not numbers")


def refuse_newer(set_aside: Sequence[SetAside]) -> None:
    """Refuse to run trials again that a newer version has finished.

    Raises:
        NewerRecordError: there is such a trial; the message names the first.
    """
    for one in set_aside:
        if isinstance(one.error, NewerRecordError):
            raise one.error


def to_json(record: TrialRecord) -> str:
    """Write a record in the form of its file."""
    return json_text.to_json(record, sort_keys=True) + "\n"
