"""Cached folders: each is checked before it is used, and made again if it is damaged.

Everything that the project itself keeps below ``.cache`` goes through here. Each folder holds a
list of its files, ``.made.json``, which is written last; the folder gets its name in one step. A
folder that differs from its list is never used: it is made again, with a note.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from agnews_ray.errors import StoreError
from agnews_ray.plan.names import content_hash
from agnews_ray.record.durable import (
    full_disk_explained,
    make_folder,
    move_into_place,
    write_whole,
    writing_explained,
)
from agnews_ray.record.json_text import to_json
from agnews_ray.record.lease import this_place

LIST_NAME = ".made.json"
"""The name of the list; hidden, so that a folder of data does not read it as data."""

LIST_VERSION = 1
"""The version of the list's format; raised when its fields change."""


def cache_key(content: object, algorithm: int, libraries: Sequence[str] = ()) -> str:
    """Make a name from all that a folder's content depends on.

    Args:
        content: everything that determines it; mappings, lists, strings, numbers.
        algorithm: version of our own code that makes it.
        libraries: distributions whose output is kept; their versions are part of the name.

    Returns:
        20 hexadecimal digits.
    """
    versions = {name: version(name) for name in libraries}
    return content_hash([content, algorithm, versions], 20)


def kept_folder(
    final: Path,
    make: Callable[[Path], None],
    say: Callable[[str], None],
    num_rows: Mapping[str, int] | None = None,
) -> Path:
    """Return a folder that was made before, if it is still complete, or make it.

    Several processes may do so at once: each makes its own folder, and the first to finish gives it
    the name. Every byte is checked: 1.3 s per GB, from memory, on a busy core of 2026.

    Args:
        final: the folder; its name identifies all that its content depends on.
        make: a function that fills an empty folder.
        say: called with one line when the existing folder cannot be used.
        num_rows: the number of rows from which each file must have been made, by file name.

    Returns:
        ``final``, which is complete.

    Raises:
        StoreError: the folder cannot be written, for example on a full disk.
    """
    rows = dict(num_rows or {})
    fault = find_fault(final, rows)
    if fault is None:
        return final
    if os.path.lexists(final):
        say(f"{final}: {fault}; it is made again")
    make_folder(final.parent)
    _remove_stale(final)
    partial = _beside(final)
    try:
        with writing_explained(partial):
            partial.mkdir()
        with full_disk_explained(final):
            make(partial)
        facts = {"version": LIST_VERSION, "rows": rows, "files": dict(_look(partial))}
        write_whole(partial / LIST_NAME, to_json(facts))
        _give_name(partial, final, rows)
    finally:
        _remove(partial)
    return final


def find_fault(folder: Path, num_rows: Mapping[str, int]) -> str | None:
    """Compare a folder with its list of files, including all contents.

    Args:
        folder: may not exist.
        num_rows: the numbers of rows that the list must also have.

    Returns:
        What is wrong, in a few words; None if nothing has changed.
    """
    try:
        told = json.loads((folder / LIST_NAME).read_bytes())
        if told["version"] != LIST_VERSION:
            return f"{LIST_NAME} is of another version"
        if told["rows"] != dict(num_rows):
            return f"made of other rows: {told['rows']}, not {dict(num_rows)}"
        return _difference(told["files"], dict(_look(folder)))
    except FileNotFoundError:
        return f"{LIST_NAME} is missing"
    except OSError as error:
        return f"it cannot be read ({os.strerror(error.errno) if error.errno else error})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{LIST_NAME} is damaged"


def _difference(told: dict[str, Any], found: dict[str, Any]) -> str | None:
    for name in told:
        if name not in found:
            return f"{name} is missing"
        if told[name] != found[name]:
            before, now = told[name].get("size"), found[name].get("size")
            if before != now:
                return f"{name} has {now} bytes, not {before}"
            return f"{name} was altered"
    more = next((name for name in found if name not in told and not _is_hidden(name)), None)
    return f"{more} was added" if more else None


def _look(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the facts of each file, by its path inside the folder; links are not followed."""
    for place, folders, files in os.walk(folder, onerror=_raise):
        for name in (*files, *folders):
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                yield inside, {"link": str(path.readlink())}
            elif name in files and inside != LIST_NAME:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                yield inside, {"size": path.stat().st_size, "sha256": digest}


def _raise(error: OSError) -> None:
    raise error


def _is_hidden(name: str) -> bool:
    """Whether a file was left by the system, such as ``.DS_Store`` or ``.nfs0001``."""
    return name.rpartition("/")[2].startswith(".")


def _give_name(partial: Path, final: Path, num_rows: Mapping[str, int]) -> None:
    """Move a new folder to its name, where a damaged one or another process's good one may be."""
    if find_fault(final, num_rows) is None:
        return
    damaged = _beside(final)
    try:
        with writing_explained(final), suppress(FileNotFoundError):
            final.rename(damaged)
        move_into_place(partial, final)
    except StoreError:
        if find_fault(final, num_rows) is not None:  # otherwise another process finished first
            raise
    finally:
        _remove(damaged)


def _beside(final: Path) -> Path:
    """A name beside the folder that no other process uses, on any machine; it names this one."""
    own = f"{_this_place()}-{os.getpid()}-{secrets.token_hex(8)}"
    return final.with_name(f".{final.name}.{own}.partial")


def _remove_stale(final: Path) -> None:
    """Remove what processes of this machine that were killed have left beside the folder."""
    for path in final.parent.glob(f".{final.name}.{_this_place()}-*-*.partial"):
        pid = path.name.split("-")[-2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            _remove(path)


def _this_place() -> str:
    return hashlib.sha256(this_place().encode()).hexdigest()[:12]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
