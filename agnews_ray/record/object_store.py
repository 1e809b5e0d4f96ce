"""Studies whose folder is in an object store, with a working copy on this machine."""

import hashlib
import re
import socket
import threading
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agnews_ray.errors import StoreError
from agnews_ray.record.durable import free_name, make_folder, sync_tree, write_whole
from agnews_ray.record.finished import ATTEMPT_MARK, DAMAGED, RECORD_FILE, SetAside, to_json
from agnews_ray.record.left_out import LEFT_OUT_FILE
from agnews_ray.record.outputs import TestRows, check_left
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import Storage, is_uri, user_cache, without_secrets
from agnews_ray.record.store import LOG_FILE, STAGING, StudyStore
from agnews_ray.spec.base import NAME_PATTERN
from agnews_ray.spec.study import StudySpec

KEPT = ("study.yaml", "best.yaml", "test_rows.parquet", LEFT_OUT_FILE)
"""The files of a study beside its trials."""


class RemoteStudyStore(StudyStore):
    """A study in an object store; a trial exists if its record does, which is written last.

    Each attempt has its own folder, ``trials/<trial_id>~<attempt>/``, because object stores cannot
    rename; so nothing is ever overwritten. The first attempt with a record is used.

    Args:
        runs: the folder of the studies.
        study_name: the name of one of them.
        scratch: a local folder for the working copy.
    """

    def __init__(self, runs: Storage, study_name: str, scratch: Path) -> None:
        super().__init__(scratch, study_name)
        self.location = runs.child(study_name).uri
        self._remote = runs.child(study_name)
        self._publishing = threading.Lock()
        self._pull(KEPT)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Update the working copy, and upload the log at the end."""
        make_folder(self.folder)
        with self._held(self._remote) as lease:
            living = lease.living()
            self._clear(lambda session: session not in living)
            self._pull(KEPT)
            try:
                yield
            finally:
                self._leave()

    def _leave(self) -> None:
        try:
            self._clear(lambda session: session == self._session)
            self._check_held()
            for path in (self.log_path, self.test_rows_path, self.folder / LEFT_OUT_FILE):
                if path.is_file():
                    self._remote.write(path.name, path.read_bytes())
        except (StoreError, OSError) as error:  # the outcome matters more, and so does its error
            self._notes.append(f"log and test rows were not left in the storage: {error}")

    def _clear(self, is_wanted: Callable[[str], bool]) -> None:
        """Remove the unfinished folders of ended sessions; never a folder with a record."""
        names = self._remote.sizes()
        folders = {"/".join(name.split("/")[:2]) for name in names if name.count("/") > 1}
        for folder in sorted(folders):
            kind, _, name = folder.partition("/")
            session = name.rpartition(ATTEMPT_MARK)[2].partition("-")[0]
            is_unfinished = kind == STAGING or (
                kind == "trials" and f"{folder}/{RECORD_FILE}" not in names
            )
            if is_unfinished and is_wanted(session):
                self._remote.delete(folder)

    def save_study(self, study: StudySpec) -> None:
        super().save_study(study)
        self._remote.write(self.study_path.name, self.study_path.read_bytes())

    def save_best(self, study: StudySpec) -> None:
        super().save_best(study)
        self._remote.write(self.best_path.name, self.best_path.read_bytes())

    def save_test_rows(self, rows: TestRows, fingerprint: str) -> None:
        super().save_test_rows(rows, fingerprint)
        self._remote.write(self.test_rows_path.name, self.test_rows_path.read_bytes())

    def staging_folder(self, trial_id: str) -> str:
        self._check_held()
        self._num_staged += 1
        attempt = f"{trial_id}{ATTEMPT_MARK}{self._session}-{self._num_staged}"
        return self._remote.child(f"trials/{attempt}").uri

    def publish(self, record: TrialRecord, staged: str) -> Path:
        there = Storage(staged)
        check_left(record, without_secrets(staged), there.sizes())
        folder = self._trials / without_secrets(staged).rpartition("/")[2]
        with self._publishing:
            self._check_held()
            self._pull(())
            if not self._make_way(record.trial_id, folder):
                return self.trial_folder(record.trial_id)
            there.write(RECORD_FILE, to_json(record).encode())
            make_folder(folder)
            write_whole(folder / RECORD_FILE, to_json(record))
        return folder

    def place_of(self, trial_id: str, name: str) -> str:
        return self._remote.child(f"trials/{self.trial_folder(trial_id).name}/{name}").uri

    def read_file(self, trial_id: str, name: str) -> Path:
        path = super().read_file(trial_id, name)
        wanted = f"trials/{path.parent.name}/{name}"
        self._remote.download(self.folder, lambda one: one == wanted)
        return path

    def _keep_aside(self, one: SetAside) -> None:
        names = self._remote.sizes()
        taken = {name.split("/")[1] for name in names if name.startswith(f"{DAMAGED}/")}
        target = free_name(one.folder.name, taken.__contains__)
        self._remote.move(f"trials/{one.folder.name}", f"{DAMAGED}/{target}")
        (one.folder / RECORD_FILE).unlink(missing_ok=True)
        self._notes.append(f"the unreadable {one.folder.name} is kept in {DAMAGED}/{target}")

    def _pull(self, kept: Collection[str]) -> None:
        def is_wanted(name: str) -> bool:
            is_record = name.startswith("trials/") and name.endswith(f"/{RECORD_FILE}")
            return name in kept or (is_record and name.count("/") == 2)

        _forget(self.folder, self._remote.sizes(), kept)
        self._remote.download(self.folder, is_wanted)


def open_store(location: str, study_name: str, scratch: Path) -> StudyStore:
    """Open a study for writing, in a folder or at a URI.

    Args:
        location: the runs folder, or its URI.
        study_name: the study's folder inside it.
        scratch: a local folder for a working copy, if one is needed.

    Returns:
        The store.

    Raises:
        StoreError: the location does not answer.
    """
    if is_uri(location):
        return RemoteStudyStore(Storage(location), study_name, scratch / _digest(location))
    return StudyStore(Path(location), study_name)


def local_study(location: str) -> Path:
    """Make a study's folder readable here, without its artifacts.

    Args:
        location: the study's folder, or its URI.

    Returns:
        The folder itself, or an up-to-date copy in the user's cache.

    Raises:
        StoreError: there is no study at that URI, or it does not answer.
    """
    if not is_uri(location):
        return Path(location)
    name = location.partition("?")[0].rstrip("/").rpartition("/")[2]
    if not re.fullmatch(NAME_PATTERN, name):
        hint = "check the URI: it ends with the study's name"
        raise StoreError(without_secrets(location), "a study", f"the name {name[:60]!r}", hint)
    folder = user_cache() / _digest(location) / name
    fetch_study(location, folder, with_artifacts=False)
    _forget(folder, Storage(location).sizes(), KEPT)
    return folder


def fetch_study(location: str, folder: Path, *, with_artifacts: bool) -> list[str]:
    """Copy a study's finished trials from an object store, only what is missing.

    Args:
        location: the study's URI.
        folder: the folder to copy to.
        with_artifacts: whether to copy weights and tokenizers too.

    Returns:
        The relative paths of the copied files.

    Raises:
        StoreError: there is no study at that URI, or it does not answer.
    """
    remote = Storage(location)
    names = remote.sizes()
    if "study.yaml" not in names:
        hint = "check the URI: it ends with the study's name"
        raise StoreError(without_secrets(location), "a study", "no study.yaml there", hint)
    finished = {name.rpartition("/")[0] for name in names if name.endswith(f"/{RECORD_FILE}")}

    def is_wanted(name: str) -> bool:
        if name.startswith("trials/"):
            is_artifact = name.split("/")[2:3] == ["artifact"]
            return "/".join(name.split("/")[:2]) in finished and (with_artifacts or not is_artifact)
        return name in (*KEPT, LOG_FILE)

    return remote.download(folder, is_wanted)


def copy_study(source: Path, folder: Path) -> list[str]:
    """Copy a study from a folder that this machine can read; only missing files are copied.

    Args:
        source: the study's folder.
        folder: the folder to copy to.

    Returns:
        The relative paths of the copied files.
    """
    if folder.resolve() == source.resolve():
        return []
    return fetch_study(source.resolve().as_uri(), folder, with_artifacts=True)


def check_staging(staged: str) -> None:
    """Check, before a trial starts, that its files can be written from this machine.

    Args:
        staged: the result of ``staging_folder``, perhaps from another machine.

    Raises:
        StoreError: this machine cannot reach the storage, or may not write there.
    """
    if is_uri(staged):
        storage = Storage(staged)
        storage.write("probe/file", b"1")
        storage.delete("probe")
    elif not Path(staged).is_dir():
        hint = "with --storage name a folder mounted on each, or s3://BUCKET/FOLDER"
        found = f"not there on {socket.gethostname()}"
        raise StoreError(staged, "the study's folder, on every node", found, hint)


@contextmanager
def leaving_files(staged: str, scratch: Path) -> Iterator[Path]:
    """Yield a folder to write to; its files are then moved to their place.

    Args:
        staged: a folder, or the URI of one.
        scratch: a local folder that collects the files for a URI.

    Yields:
        A local folder that exists.
    """
    if not is_uri(staged):
        yield Path(staged)
        sync_tree(Path(staged))  # on this machine, which wrote it: the driver may run on another
        return
    scratch.mkdir(parents=True, exist_ok=True)
    yield scratch
    Storage(staged).upload(scratch)


def readable_folder(location: str, scratch: Path) -> Path:
    """Make a folder readable on this machine.

    Args:
        location: the folder, or its URI, such as a finished trial's artifact.
        scratch: a local folder that gets a copy of what is behind a URI.

    Returns:
        The folder itself, or the copy.

    Raises:
        StoreError: it is not there, or its storage does not answer.
    """
    folder = scratch if is_uri(location) else Path(location)
    if is_uri(location):
        Storage(location).download(scratch, lambda _: True)
    if not folder.is_dir() or not any(folder.iterdir()):
        wanted, hint = "what another trial left", "delete that trial's folder and submit again"
        raise StoreError(without_secrets(location), wanted, "nothing", hint)
    return folder


def _digest(location: str) -> str:
    return hashlib.sha256(location.encode()).hexdigest()[:16]


def _forget(folder: Path, names: Container[str], kept: Iterable[str]) -> None:
    """Remove from a working copy what its original no longer has, so that it is not used."""
    for path in (*(folder / name for name in kept), *folder.glob(f"trials/*/{RECORD_FILE}")):
        if path.relative_to(folder).as_posix() not in names:
            path.unlink(missing_ok=True)
