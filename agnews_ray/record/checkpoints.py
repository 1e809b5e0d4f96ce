"""Checkpoints of trials that train: each is complete or does not count, and is checked when read.

A trial's checkpoints lie in ``<study>/.checkpoints/<trial_id>/``, each in a folder of its own,
``step-<number>~<attempt>``, where every rank has a folder ``rank-<index>`` with its part and,
written after it, the part's size and checksum. When all parts are there, rank 0 writes the marker,
``checkpoint.json``. This order needs no renaming, so it holds in an object store too.
"""

import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import xxhash
from pydantic import ValidationError

from agnews_ray.errors import StoreError
from agnews_ray.fail_points import reach
from agnews_ray.record.durable import make_folder, sync_tree, write_whole
from agnews_ray.record.shape import Record
from agnews_ray.record.storage import Storage, is_uri

FORMAT = 1
CHECKPOINTS = ".checkpoints"
"""The folder of a study with the checkpoints of its unfinished trials."""

MARKER, PART, PART_FACTS = "checkpoint.json", "state.safetensors", "part.json"
NAME = re.compile(r"step-(\d{9})~[A-Za-z0-9-]+")
READ_BYTES = 4 << 20
POLL_S = 0.2
MAX_WAIT_S = 600.0
"""The longest time that rank 0 waits for the parts of the others."""


class PartFacts(Record):
    """What a rank's part must be like."""

    size_bytes: int
    checksum: str
    """The XXH3 checksum of 128 bits, in hexadecimal digits."""


class Marker(Record):
    """The content of the marker, without which there is no checkpoint."""

    format: int = FORMAT
    trial_id: str
    step: int
    """The number of finished updates."""
    parts: tuple[PartFacts, ...]
    """One for each rank that wrote, in their order."""


def checkpoints_of(study: str, trial_id: str) -> str:
    """Return the folder of a trial's checkpoints, or its URI.

    Args:
        study: the study's folder, or its URI.
        trial_id: the trial.
    """
    path, mark, options = study.partition("?") if is_uri(study) else (study, "", "")
    return f"{path.rstrip('/')}/{CHECKPOINTS}/{trial_id}{mark}{options}"


def forget_checkpoints(study: str, trial_ids: Collection[str]) -> None:
    """Delete the checkpoints of trials, which need them no more.

    Args:
        study: the study's folder, or its URI.
        trial_ids: the trials.

    Raises:
        StoreError: they cannot be deleted.
    """
    storage = _storage(study)
    parts = (name.split("/") for name in storage.child(CHECKPOINTS).sizes())
    found = {part[0] for part in parts}
    for trial_id in sorted(found & set(trial_ids)):
        storage.delete(f"{CHECKPOINTS}/{trial_id}")
    if found <= set(trial_ids):
        storage.delete(CHECKPOINTS)  # also if it is empty


def _storage(location: str) -> Storage:
    return Storage(location if is_uri(location) else Path(location).as_uri())


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A complete checkpoint that was read without fault."""

    name: str
    step: int
    parts: tuple[Path, ...]
    """The parts on this machine, in the order of the ranks that wrote them."""


class CheckpointFolder:
    """The checkpoints of one trial, as a rank writes and reads them.

    Args:
        location: the trial's folder of checkpoints, or its URI.
        trial_id: the trial.
        attempt: a text of letters and digits that differs from that of any other attempt at it.
    """

    def __init__(self, location: str, trial_id: str, attempt: str) -> None:
        self._location, self._trial_id, self._attempt = location, trial_id, attempt
        self._storage = _storage(location)

    def name_at(self, step: int) -> str:
        """Return the name of this attempt's checkpoint after a step."""
        return f"step-{step:09d}~{self._attempt}"

    def write_part(self, name: str, index: int, write: Callable[[Path], None]) -> None:
        """Write one rank's part of a checkpoint.

        Args:
            name: the result of ``name_at``, the same on each rank.
            index: the rank.
            write: the function that writes the part to a path.

        Raises:
            StoreError: it cannot be written; without its facts it does not count.
        """
        reach("checkpoint.part")
        with self._leaving(f"{name}/rank-{index}") as folder:
            write(folder / PART)
            with (folder / PART).open("rb") as file:
                facts = PartFacts(
                    size_bytes=(folder / PART).stat().st_size, checksum=_checksum(file.read)
                )
        self._write(f"{name}/rank-{index}/{PART_FACTS}", facts.model_dump_json())

    def complete(self, name: str, step: int, num_parts: int) -> int:
        """Wait for the parts of all ranks and write the marker; rank 0 calls this.

        Args:
            name: the checkpoint.
            step: the number of finished updates.
            num_parts: the number of ranks.

        Returns:
            The bytes of all parts.

        Raises:
            StoreError: a part did not come, or the marker cannot be written.
        """
        deadline = time.monotonic() + MAX_WAIT_S
        wanted = [f"{name}/rank-{index}/{PART_FACTS}" for index in range(num_parts)]
        while missing := wanted - self._storage.sizes().keys():
            if time.monotonic() > deadline:
                found = f"no {min(missing)}"
                raise StoreError(name, "the parts of all workers", found, "see submit.log")
            time.sleep(POLL_S)
        parts = tuple(PartFacts.model_validate_json(self._storage.read(one)) for one in wanted)
        reach("checkpoint.mark")
        marker = Marker(trial_id=self._trial_id, step=step, parts=parts)
        self._write(f"{name}/{MARKER}", marker.model_dump_json())
        return sum(part.size_bytes for part in parts)

    def keep_newest(self, count: int) -> None:
        """Delete all but the newest complete checkpoints, with what unfinished writes left.

        Call it after a checkpoint was completed, while none is being written.
        """
        reach("checkpoint.prune")
        files = self._storage.sizes()
        names = {name.partition("/")[0] for name in files}
        complete = sorted((n for n in names if f"{n}/{MARKER}" in files), reverse=True)
        for name in names - set(complete[:count]):
            if NAME.fullmatch(name):
                # Its marker first: half a checkpoint must not look like a whole one.
                self._storage.remove(f"{name}/{MARKER}")
                self._storage.delete(name)

    @contextmanager
    def newest(
        self, tell: Callable[[str], None], only: str | None = None
    ) -> Iterator[Checkpoint | None]:
        """Find the newest checkpoint that is whole, and make it readable on this machine.

        Args:
            tell: the function that gets a line about each one that is not whole.
            only: the name of the only one that may be used.

        Yields:
            The checkpoint, whose files are there during the block; None if there is none.

        Raises:
            StoreError: the storage does not answer.
        """
        files = self._storage.sizes()
        marked = {name.partition("/")[0] for name in files if name.count("/") == 1}
        names = sorted((n for n in marked if NAME.fullmatch(n)), reverse=True)
        names = [name for name in names if only in (None, name)]
        with tempfile.TemporaryDirectory(prefix="agnews-ray-") as scratch:
            for name in names:
                if f"{name}/{MARKER}" not in files:
                    continue
                fault, found = self._read(name, files, Path(scratch))
                if found is not None:
                    yield found
                    return
                tell(f"checkpoint {name} of {self._trial_id} is not used: {fault}")
            yield None

    def _read(
        self, name: str, files: dict[str, int], scratch: Path
    ) -> tuple[str, Checkpoint | None]:
        """Return what is wrong with a checkpoint, or the checkpoint."""
        try:
            marker = Marker.model_validate_json(self._storage.read(f"{name}/{MARKER}"))
        except ValidationError:
            return "its marker is damaged", None
        if marker.format != FORMAT:
            return f"it has format {marker.format}, and this version reads {FORMAT}", None
        if marker.trial_id != self._trial_id or not name.startswith(f"step-{marker.step:09d}~"):
            return f"it is one of {marker.trial_id} after step {marker.step}", None
        paths = []
        for index, facts in enumerate(marker.parts):
            part = f"{name}/rank-{index}/{PART}"
            size = files.get(part)
            if size != facts.size_bytes:
                return f"{part} has {size or 0} bytes instead of {facts.size_bytes}", None
            path = self._local(part, scratch)
            with path.open("rb") as file:
                if _checksum(file.read) != facts.checksum:
                    return f"{part} has another checksum", None
            paths.append(path)
        return "", Checkpoint(name=name, step=marker.step, parts=tuple(paths))

    def _local(self, name: str, scratch: Path) -> Path:
        if not is_uri(self._location):
            return Path(self._location, name)
        self._storage.download(scratch, lambda one: one == name)
        return scratch / name

    @contextmanager
    def _leaving(self, name: str) -> Iterator[Path]:
        """Yield a folder to write to, whose files are then at their place, synced."""
        if is_uri(self._location):
            with tempfile.TemporaryDirectory(prefix="agnews-ray-") as scratch:
                yield Path(scratch)
                self._storage.child(name).upload(Path(scratch))
            return
        folder = Path(self._location, name)
        make_folder(folder)
        yield folder
        sync_tree(folder)

    def _write(self, name: str, text: str) -> None:
        if is_uri(self._location):
            self._storage.write(name, text.encode())
        else:
            write_whole(Path(self._location, name), text)


def _checksum(read: Callable[[int], bytes]) -> str:
    hasher = xxhash.xxh3_128()
    while content := read(READ_BYTES):
        hasher.update(content)
    return hasher.hexdigest()
