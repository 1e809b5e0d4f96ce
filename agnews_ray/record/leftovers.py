"""What lies in a study's folder that nothing reads any more; finding it, and removing it safely.

Finished trials, records and the study itself are never part of it.
"""

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agnews_ray.errors import RecordError, StoreError
from agnews_ray.record.checkpoints import CHECKPOINTS
from agnews_ray.record.durable import writing_explained
from agnews_ray.record.finished import ATTEMPT_MARK, DAMAGED, RECORD_FILE, load_record, trial_of
from agnews_ray.record.inside import leads_out
from agnews_ray.record.lease import Lease, has_holder
from agnews_ray.record.storage import Storage, is_uri
from agnews_ray.record.store import STAGING

PARTIAL_PATTERN = re.compile(r"\..+\.partial")
"""The names of ``record.durable`` and ``data.cached`` for what is still being written."""

PARTIAL_AGE_S = 3600.0
"""The time without a write after which a partial file belongs to nobody."""

Kind = Literal["unfinished", "damaged", "partial", "ended checkpoints", "checkpoints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A file or folder that may go."""

    kind: Kind
    name: str
    """Its path inside the study's folder."""
    size_bytes: int


class StudyFolder:
    """The folder of one study, here or in an object store, as a set of files.

    Args:
        location: the folder, or its URI.
    """

    def __init__(self, location: str) -> None:
        uri = location if is_uri(location) else Path(location).absolute().as_uri()
        self._storage = Storage(uri)
        self._folder = self._storage.local_folder

    def is_written_now(self) -> bool:
        """Whether a submit writes into it."""
        return has_holder(self._storage)

    def leftovers(self) -> tuple[Leftover, ...]:
        """Find what may go, as if no submit wrote into the folder.

        Raises:
            StoreError: the folder cannot be read.
        """
        names = self._names()
        sizes: dict[tuple[Kind, str], int] = {}
        finished: dict[str, bool] = {}
        for name, size in names.items():
            found = self._kind_of(name, names)
            if found and found[0] == "checkpoints":
                trial = found[1].split("/")[1]
                if trial not in finished:
                    finished[trial] = self._is_finished(trial, names)
                found = ("ended checkpoints" if finished[trial] else "checkpoints", found[1])
            if found:
                sizes[found] = sizes.get(found, 0) + size
        return tuple(
            Leftover(kind=kind, name=name, size_bytes=size)
            for (kind, name), size in sorted(sizes.items())
        )

    def remove(self, names: Iterable[str]) -> None:
        """Remove files and folders while no other writer can take the study.

        Args:
            names: the names of leftovers.

        Raises:
            StoreError: a submit writes into the folder now, or something cannot be removed.
        """
        with Lease(self._storage, secrets.token_hex(6), lambda _: None).held():
            for name in names:
                if self._folder is None:
                    self._storage.delete(name)
                else:
                    remove_here(self._folder / name, self._folder)
            for name in (STAGING, DAMAGED, CHECKPOINTS):
                if self._folder is not None:
                    with suppress(OSError):  # not empty, or not there
                        (self._folder / name).rmdir()

    def _names(self) -> dict[str, int]:
        if self._folder is None:
            return self._storage.sizes()
        with writing_explained(self._folder):
            return dict(_entries(self._folder))

    def _kind_of(self, name: str, names: Mapping[str, int]) -> tuple[Kind, str] | None:
        top, *rest = name.split("/")
        entry = "/".join([top, *rest[:1]])
        if rest and top in OF_TOP:
            return OF_TOP[top], entry
        if len(rest) > 1 and top == "trials" and ATTEMPT_MARK in rest[0]:
            return None if f"{entry}/{RECORD_FILE}" in names else ("unfinished", entry)
        if self._folder is not None and PARTIAL_PATTERN.fullmatch((top, *rest)[-1]):
            return ("partial", name) if age_s(self._folder / name) > PARTIAL_AGE_S else None
        return None

    def _is_finished(self, trial_id: str, names: Mapping[str, int]) -> bool:
        """Whether a trial has a record that can be read; else it will be run again."""
        return any(
            trial_of(name.split("/")[1]) == trial_id and self._is_readable(name)
            for name in names
            if name.startswith("trials/") and name.endswith(f"/{RECORD_FILE}")
        )

    def _is_readable(self, name: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, RECORD_FILE)
            copy.write_bytes(self._storage.read(name))
            try:
                load_record(copy)
            except RecordError:
                return False
        return True


OF_TOP: dict[str, Kind] = {
    STAGING: "unfinished",
    DAMAGED: "damaged",
    CHECKPOINTS: "checkpoints",
}


def remove_here(path: Path, folder: Path) -> None:
    """Remove a file, a link or a folder of this machine; links are never followed.

    Args:
        path: what to remove; it may be gone already.
        folder: the folder in which it must lie.

    Raises:
        StoreError: a link above it leads out of the folder, or it cannot be removed.
    """
    if leads_out(path.parent, folder):
        hint = "remove that link, or clean the folder that it names"
        raise StoreError(str(path), f"a file in {folder}", "a link out of it", hint)
    with writing_explained(path), suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def size_here(path: Path) -> int:
    """Add up the bytes of a file, or of all files in a folder; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        return _size(path)
    return sum(size for _, size in _entries(path))


def age_s(path: Path) -> float:
    """The seconds since a file, or anything in a folder, was last changed."""
    paths = [path]
    if path.is_dir() and not path.is_symlink():
        paths += [path / name for name, _ in _entries(path)]
    times = []
    for one in paths:
        with suppress(OSError):
            times.append(one.lstat().st_mtime)
    return time.time() - max(times, default=time.time())


def _entries(folder: Path) -> Iterable[tuple[str, int]]:
    """List files, links and empty folders below a folder, by relative path, with their sizes."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in (*files, *links):
            path = Path(place, name)
            yield path.relative_to(folder).as_posix(), _size(path)
        if not files and not folders and Path(place) != folder:
            yield Path(place).relative_to(folder).as_posix(), 0


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # removed since it was listed
        return 0
