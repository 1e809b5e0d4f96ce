"""Folders that can be made again: looked at each time before they are used, or else made anew.

Whatever the project keeps below ``.cache`` for itself goes through here. Each folder holds a list
of its files, ``.made.json``, written last and named together with them in one step. A folder that
is not as its list says is never used: it is made again, and that is said.
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

LIST_NAME = ".made.json"
"""A hidden file: where the folder holds a dataset, it is none of its data."""

LIST_VERSION = 1
"""Of the list itself; raised when its fields change."""


def cache_key(content: object, algorithm: int, libraries: Sequence[str] = ()) -> str:
    """Name what a folder's content depends on.

    Args:
        content: all that goes into it; mappings, lists, strings, numbers.
        algorithm: version of our own code that makes it.
        libraries: distributions whose output is kept; their versions count.

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
    """Give a folder as it was made before, if it is still whole, or make it.

    Several processes may do so at once: each makes a folder of its own, and the first that is done
    gives it the name. Every byte is read: 1.3 s a GB, from memory, on a busy core of 2026.

    Args:
        final: the folder; its name says all that its content depends on.
        make: fills an empty folder.
        say: told in a line when what was there cannot be used.
        num_rows: rows that each of its files must have been made with, by file name.

    Returns:
        ``final``, whole.

    Raises:
        StoreError: it cannot be written, as on a full disk.
    """
    rows = dict(num_rows or {})
    fault = find_fault(final, rows)
    if fault is None:
        return final
    if os.path.lexists(final):
        say(f"{final}: {fault}; it is made again")
    make_folder(final.parent)
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
    """Hold a folder against its list of files, whole contents included.

    Args:
        folder: may not exist.
        num_rows: what its list must say, too.

    Returns:
        What is wrong in a few words; None where all is as it was made.
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
    """Give the facts of each file, by its path inside the folder; links are not followed."""
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
    """What systems leave in folders that are looked at: ``.DS_Store``, ``.nfs0001``."""
    return name.rpartition("/")[2].startswith(".")


def _give_name(partial: Path, final: Path, num_rows: Mapping[str, int]) -> None:
    """Move a new folder to where a damaged one may be, or another process's good one by now."""
    if find_fault(final, num_rows) is None:
        return
    damaged = _beside(final)
    try:
        with writing_explained(final), suppress(FileNotFoundError):
            final.rename(damaged)
        move_into_place(partial, final)
    except StoreError:
        if find_fault(final, num_rows) is not None:  # else another was as fast
            raise
    finally:
        _remove(damaged)


def _beside(final: Path) -> Path:
    """A name that no other process takes, on this machine or another."""
    return final.with_name(f".{final.name}.{secrets.token_hex(8)}.partial")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
