"""Studies whose folder is in an object store: a working copy here, the truth there."""

import hashlib
import socket
import threading
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agnews_ray.errors import StoreError
from agnews_ray.record.durable import make_folder, sync_tree, write_whole
from agnews_ray.record.finished import ATTEMPT_MARK, DAMAGED, RECORD_FILE, SetAside
from agnews_ray.record.outputs import TestRows
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import Storage, is_uri, user_cache, without_secrets
from agnews_ray.record.store import LOG_FILE, STAGING, StudyStore, check_left, free_name, to_json
from agnews_ray.spec.study import StudySpec

KEPT = ("study.yaml", "test_rows.parquet")
"""Files of a study beside its trials."""


class RemoteStudyStore(StudyStore):
    """A study in an object store; a trial is there when its record is, which is written last.

    Each attempt has a folder of its own, ``trials/<trial_id>~<attempt>/``: object stores know no
    renaming, and so nothing that is there is ever written over. The first with a record counts.

    Args:
        runs: where studies lie.
        study_name: one of them.
        scratch: local folder for the working copy.
    """

    def __init__(self, runs: Storage, study_name: str, scratch: Path) -> None:
        super().__init__(scratch, study_name)
        self.location = runs.child(study_name).uri
        self._remote = runs.child(study_name)
        self._publishing = threading.Lock()
        self._pull(KEPT)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Bring the working copy up to date, and leave the log there in the end."""
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
            for path in (self.log_path, self.test_rows_path):
                if path.is_file():
                    self._remote.write(path.name, path.read_bytes())
        except (StoreError, OSError) as error:  # the outcome is worth more, and so is its error
            self._notes.append(f"log and test rows were not left in the storage: {error}")

    def _clear(self, is_wanted: Callable[[str], bool]) -> None:
        """Remove what sessions left unfinished; never a folder with a record in it."""
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
    """Open a study for writing, wherever it lies.

    Args:
        location: the runs folder, or its URI.
        study_name: folder inside.
        scratch: local folder for a working copy, where one is needed.

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
        The folder itself, or that of a copy in the user's cache, brought up to date.

    Raises:
        StoreError: there is no study at that URI, or it does not answer.
    """
    if not is_uri(location):
        return Path(location)
    name = location.partition("?")[0].rstrip("/").rpartition("/")[2]
    folder = user_cache() / _digest(location) / name
    fetch_study(location, folder, with_artifacts=False)
    _forget(folder, Storage(location).sizes(), KEPT)
    return folder


def fetch_study(location: str, folder: Path, *, with_artifacts: bool) -> list[str]:
    """Copy a study's finished trials from an object store, only what is missing.

    Args:
        location: the study's URI.
        folder: where it is to lie.
        with_artifacts: weights and tokenizers too.

    Returns:
        Relative paths of what was copied.

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
    """Copy a study from a folder that this machine sees, only what is missing.

    Args:
        source: the study's folder.
        folder: where it is to lie.

    Returns:
        Relative paths of what was copied.
    """
    if folder.resolve() == source.resolve():
        return []
    return fetch_study(source.resolve().as_uri(), folder, with_artifacts=True)


def check_staging(staged: str) -> None:
    """Make sure, before a trial costs anything, that its files can be left from this machine.

    Args:
        staged: from ``staging_folder``, called on another machine perhaps.

    Raises:
        StoreError: this machine does not see the storage, or may not write there.
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
    """Give a folder to write to, whose files end where they are to be.

    Args:
        staged: a folder, or the URI of one.
        scratch: local folder in which to collect what goes to a URI.

    Yields:
        A local folder that exists.
    """
    if not is_uri(staged):
        yield Path(staged)
        sync_tree(Path(staged))  # here, where it was written: the driver may be elsewhere
        return
    scratch.mkdir(parents=True, exist_ok=True)
    yield scratch
    Storage(staged).upload(scratch)


def _digest(location: str) -> str:
    return hashlib.sha256(location.encode()).hexdigest()[:16]


def _forget(folder: Path, names: Container[str], kept: Iterable[str]) -> None:
    """Remove from a working copy what its original no longer has, so that it counts no more."""
    for path in (*(folder / name for name in kept), *folder.glob(f"trials/*/{RECORD_FILE}")):
        if path.relative_to(folder).as_posix() not in names:
            path.unlink(missing_ok=True)
