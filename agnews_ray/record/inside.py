"""What stays inside a folder: neither ``..`` in a name nor a link may lead out of it."""

import os
from collections.abc import Iterable
from pathlib import Path

from agnews_ray.errors import StoreError


def stays_inside(name: str) -> bool:
    """Whether a path stays below its folder, as names in a bucket or a file may be anything."""
    return not name.startswith("/") and ".." not in name.split("/") and "\0" not in name


def leads_out(path: Path, folder: Path) -> bool:
    """Whether a path that is written as one below a folder is, by ``..`` or a link, outside it."""
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name that cannot be one
        return True


def files_below(folder: Path) -> list[str]:
    """List a folder's files without following links, which may lead out of it or in a circle.

    Args:
        folder: the folder, which may be a link itself, or missing.

    Returns:
        The paths of plain files; a link is none.

    Raises:
        OSError: a folder below cannot be read.
    """
    found = []
    for place, _, names in os.walk(folder, onerror=_raise):
        paths = (os.path.join(place, name) for name in names)  # noqa: PTH118  # thousands of them
        found += [path for path in paths if not os.path.islink(path)]  # noqa: PTH114
    return found


def refuse_links(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which one of our own names is a link, before anything is written there.

    What is written, moved or removed below such a name would be so somewhere else.

    Raises:
        StoreError: names the link.
    """
    for name in names:
        path = folder / name
        if path.is_symlink():
            hint = "put the content in its place, or link the whole runs folder instead"
            found = f"a link to {path.readlink()}"
            raise StoreError(str(path), "a folder or file of the study's own", found, hint)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # missing, or removed since it was listed
        raise error
