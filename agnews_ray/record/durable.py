"""The only way in which this package writes lasting files: they survive a machine that fails.

The rule: the content is synced first, then the folder that lists it, then the name under which
others look for it, then the folder of that name. A reader who finds the name finds all of it.
"""

import errno
import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agnews_ray.errors import StoreError
from agnews_ray.fail_points import reach

UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM, errno.EISDIR)
"""The errors of systems that cannot sync a folder: Windows cannot open one, some network mounts
refuse. There the system decides when a name is on the disk; the content was synced before."""

HINTS = {
    errno.ENOSPC: "make room on that disk, or choose another folder",
    errno.EDQUOT: "make room in your quota, or choose another folder",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
}
HINT = "make it writable, or choose another folder"


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one step: a reader always sees all of it or none.

    Args:
        path: the file; its folder exists.
        content: bytes, or text, which is written as UTF-8.

    Raises:
        StoreError: it cannot be written; the earlier file is still there.
    """
    with whole_file(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name to write to; at the end that file is synced and replaces the right one.

    Args:
        path: the file; its folder exists. Two writers at the same time do not disturb each other.

    Yields:
        A path beside it, which is removed if the block fails.

    Raises:
        StoreError: it cannot be written; the earlier file is still there.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        with writing_explained(path):
            yield partial
            reach("write")
            _sync_file(partial)
            partial.replace(path)
            _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they survive a machine that fails.

    Args:
        folder: the folder; it may exist.

    Raises:
        StoreError: the folder cannot be made.
    """
    with writing_explained(folder):
        missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
        folder.mkdir(parents=True, exist_ok=True)
        for part in reversed(missing):
            _sync_folder(part.parent)


def sync_tree(folder: Path) -> None:
    """Sync a folder with all that it holds; links are not followed.

    Args:
        folder: an existing folder.

    Raises:
        StoreError: the disk is full or fails, or a file cannot be read.
    """
    with writing_explained(folder):
        reach("write")
        for place, folders, files in os.walk(folder, topdown=False):
            for name in (*files, *folders):
                path = Path(place, name)
                if path.is_file() and not path.is_symlink():
                    _sync_file(path)
            _sync_folder(Path(place))


def move_into_place(folder: Path, final: Path) -> Path:
    """Give a finished folder its final name, in one step, after all of it was synced.

    Args:
        folder: the folder, on the same file system.
        final: the new name; nothing has it, or only an empty folder.

    Returns:
        The folder under its new name.

    Raises:
        StoreError: it cannot be moved, or the name is taken.
    """
    sync_tree(folder)
    make_folder(final.parent)
    with writing_explained(final):
        folder.rename(final)
        _sync_folder(final.parent)
        _sync_folder(folder.parent)
    return final


@contextmanager
def writing_explained(place: Path | str) -> Iterator[None]:
    """Turn the system's error about a write into one line.

    Args:
        place: file or folder that is written.

    Raises:
        StoreError: instead of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        hint = HINTS.get(error.errno or 0, HINT)
        raise StoreError(str(place), "a place to write to", reason, hint) from error


@contextmanager
def full_disk_explained(place: Path | str) -> Iterator[None]:
    """Turn the error of a full disk into one line, for a block that reads and writes.

    Args:
        place: file or folder that is written.

    Raises:
        StoreError: instead of an ``OSError`` that only a write can raise; others pass.
    """
    try:
        yield
    except OSError as error:
        if not is_full_disk(error):
            raise
        with writing_explained(place):
            raise


def is_full_disk(error: BaseException) -> bool:
    """Whether there was no space for a write, or no permission to use it."""
    return isinstance(error, OSError) and error.errno in HINTS


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """Add a number to a name so that it is free."""
    numbered = (f"{name}-{number}" for number in itertools.count(1))
    return next(one for one in numbered if not is_taken(one))


def _sync_file(path: Path) -> None:
    with path.open("r+b" if os.name == "nt" else "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)
