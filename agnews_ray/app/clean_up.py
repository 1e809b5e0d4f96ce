"""Use case: find leftovers and caches, and remove them; without Ray and torch.

Found first, removed later by the same list: what a user was shown is what goes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agnews_ray.data.cached import LIST_NAME
from agnews_ray.errors import AgnewsError, StoreError
from agnews_ray.record.leftovers import (
    PARTIAL_AGE_S,
    PARTIAL_PATTERN,
    Kind,
    Leftover,
    StudyFolder,
    age_s,
    remove_here,
    size_here,
)
from agnews_ray.record.storage import (
    CACHE_FOLDER,
    COPIES_FOLDER,
    Storage,
    cache_folder,
    is_uri,
    user_cache,
)
from agnews_ray.run.cleanup import private_paths, remove_private

OF_STUDIES: dict[Kind, tuple[str, str]] = {
    "unfinished": ("unfinished files", "their submit has ended without finishing the trial"),
    "damaged": ("damaged trials", "their record could not be read; the trials were run again"),
    "partial": ("partial files", "their writer has ended"),
    "ended checkpoints": ("checkpoints", "their trials have finished"),
    "checkpoints": ("checkpoints", "their trials would start again from the first step"),
}
"""By kind: what it is, and why it may go, or what is lost."""

OF_CACHES = {
    "hub": "downloaded again from the Hugging Face hub or its own cache",
    "converted": "unpacked or converted again from the user's files",
    "synthetic": "generated again",
    "tokenizers": "trained again",
    "tokenised": "tokenised again",
    "probes": "measured again by the next plan",
}
"""By the folder's name: how its content comes back."""

DIGEST_PATTERN = re.compile(r"[0-9a-f]{16}")
"""The names of the folders of working copies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """Some files or folders that may go for one reason."""

    what: str
    where: str
    """A place; of several, the first one and the number of the others."""
    size_bytes: int
    why: str
    study: str | None
    """The location of the study that they belong to; None: of no study, and on this machine."""
    names: tuple[str, ...]
    """Their paths inside the study, or absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What may go, and what was left alone."""

    removable: tuple[Removable, ...]
    notes: tuple[str, ...]
    """What was left alone, and why."""

    @property
    def size_bytes(self) -> int:
        """The size of all that may go."""
        return sum(one.size_bytes for one in self.removable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What came of a removal."""

    num_removed: int
    freed_bytes: int
    problems: tuple[str, ...]
    """Why something is still there; one line each."""


@dataclass(slots=True)
class _Search:
    """What was found so far."""

    removable: list[Removable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_running: bool = False
    """Whether a study runs on this machine, or writes into the runs folder."""

    def add(
        self, what: str, why: str, paths: Iterable[Path], size_bytes: int | None = None
    ) -> None:
        """Add paths of this machine as one thing."""
        names = tuple(str(path) for path in sorted(paths))
        if names:
            size = sum(map(size_here, map(Path, names))) if size_bytes is None else size_bytes
            where = _several(names)
            one = Removable(
                what=what, where=where, size_bytes=size, why=why, study=None, names=names
            )
            self.removable.append(one)


def find_removable(location: str, *, caches: bool, checkpoints: bool) -> Found:
    """Find what may go; nothing is changed.

    Args:
        location: the runs folder, or its URI.
        caches: whether caches are wanted too, which are made again when they are needed.
        checkpoints: whether checkpoints of unfinished trials are wanted too.

    Returns:
        What may go. A study into which a submit writes is left alone, and so are all caches then.

    Raises:
        StoreError: the runs folder is missing, or does not answer.
    """
    search = _Search(is_running=bool(private_paths(of_living=True)))
    for study in _studies(location):
        _look_into(study, checkpoints, search)
    search.add("temporary files", "their process has ended", private_paths(of_living=False))
    roots = {cache_folder(location), user_cache() / CACHE_FOLDER}
    for root in sorted(roots):
        _look_for_partial(root, search)
        if caches and not search.is_running:
            _look_into_cache(root, search)
    if caches and search.is_running:
        search.notes.append("caches: left alone, because a study is running")
    elif caches:
        _look_into_user_cache(search)
    return Found(removable=tuple(search.removable), notes=tuple(search.notes))


def remove(found: Found) -> Removed:
    """Remove what was found; what cannot be removed does not stop the rest.

    Args:
        found: from ``find_removable``.

    Returns:
        What was removed, and why something was not.
    """
    num_removed, freed_bytes, problems = 0, 0, []
    for one in found.removable:
        try:
            _remove(one)
        except AgnewsError as error:
            problems.append(str(error))
        else:
            num_removed += 1
            freed_bytes += one.size_bytes
    return Removed(num_removed=num_removed, freed_bytes=freed_bytes, problems=tuple(problems))


def _remove(one: Removable) -> None:
    if one.study is not None:
        StudyFolder(one.study).remove(one.names)
        return
    private = set(private_paths(of_living=False))
    for path in map(Path, one.names):
        if path in private:
            remove_private(path)
        else:
            remove_here(path, path.parent)


def _studies(location: str) -> Iterator[str]:
    """List the studies of a runs folder, by location."""
    if is_uri(location):
        storage = Storage(location)
        files = [name.split("/") for name in storage.sizes()]
        for name in sorted(parts[0] for parts in files if parts[1:] == ["study.yaml"]):
            yield storage.child(name).uri
        return
    runs = Path(location)
    if not runs.is_dir():
        hint = "give the folder that submit's --runs or --storage named"
        raise StoreError(location, "a runs folder", "no such folder", hint)
    for path in sorted(runs.glob("*/study.yaml")):
        yield str(path.parent)


def _look_into(study: str, checkpoints: bool, search: _Search) -> None:
    if not is_uri(study) and Path(study).is_symlink():
        search.notes.append(f"{study}: left alone, because it is a link")
        return
    folder = StudyFolder(study)
    if folder.is_written_now():
        search.is_running = True
        search.notes.append(f"{_shown(study)}: left alone, because a submit writes into it")
        return
    of_kind: dict[Kind, list[Leftover]] = {}
    for leftover in folder.leftovers():
        of_kind.setdefault(leftover.kind, []).append(leftover)
    if not checkpoints and (kept := of_kind.pop("checkpoints", [])):
        search.notes.append(
            f"{_shown(study)}: kept the checkpoints of {len(kept)} unfinished trial(s), from which "
            "submit goes on; --checkpoints removes them"
        )
    for kind, some in of_kind.items():
        what, why = OF_STUDIES[kind]
        names = tuple(one.name for one in some)
        one = Removable(
            what=what,
            where=f"{_shown(study)}/{_several(names)}",
            size_bytes=sum(one.size_bytes for one in some),
            why=why,
            study=study,
            names=names,
        )
        search.removable.append(one)


def _look_for_partial(root: Path, search: _Search) -> None:
    partial = [
        path
        for kind in _folders_of(root, search)
        for path in kind.iterdir()
        if PARTIAL_PATTERN.fullmatch(path.name) and age_s(path) > PARTIAL_AGE_S
    ]
    search.add("partial files", "their writer has ended", partial)


def _look_into_cache(root: Path, search: _Search) -> None:
    """Find what ``data.cached`` has made: nothing else, as the folder may hold other programs'."""
    for kind in _folders_of(root, _Search()):
        made = [path for path in kind.iterdir() if _is_made(path)]
        search.add(f"cache: {kind.name}", OF_CACHES[kind.name], made)


def _is_made(path: Path) -> bool:
    return not path.is_symlink() and (path / LIST_NAME).is_file()


def _folders_of(root: Path, search: _Search) -> list[Path]:
    folders = [root / name for name in OF_CACHES if (root / name).is_dir()]
    linked = [path for path in (root, *folders) if path.is_symlink()]
    for path in linked:
        search.notes.append(f"{path}: left alone, because it is a link")
    return [] if root in linked else [path for path in folders if path not in linked]


def _look_into_user_cache(search: _Search) -> None:
    cache = user_cache()
    copies = [*_copies(cache), *_copies(cache / CACHE_FOLDER / COPIES_FOLDER)]
    search.add("working copies", "copied again from the studies' storage", copies)
    proofs = [path for path in (cache / "proofs").glob("*.json") if not path.is_symlink()]
    search.add("proofs of GPUs", "a minute's check is done again on each GPU", proofs)


def _copies(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if DIGEST_PATTERN.fullmatch(path.name)]
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def _shown(study: str) -> str:
    return study.partition("?")[0]


def _several(names: tuple[str, ...]) -> str:
    more = len(names) - 1
    return f"{names[0]} and {more:,} more" if more else names[0]
