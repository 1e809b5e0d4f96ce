"""Studies whose folder is in an object store: a working copy here, the truth there."""

import hashlib
import socket
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from agnews_ray.errors import StoreError
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import Storage, is_uri, user_cache, without_secrets
from agnews_ray.record.store import (
    LOG_FILE,
    RECORD_FILE,
    STAGING,
    StudyStore,
    check_left,
    to_json,
    write_whole,
)
from agnews_ray.spec.study import StudySpec

KEPT = ("study.yaml", "test_rows.parquet")
"""Files of a study beside its trials."""


class RemoteStudyStore(StudyStore):
    """A study in an object store; a trial is there when its record is, which is written last.

    Args:
        runs: where studies lie.
        study_name: one of them.
        scratch: local folder for the working copy.
    """

    def __init__(self, runs: Storage, study_name: str, scratch: Path) -> None:
        super().__init__(scratch, study_name)
        self.location = runs.child(study_name).uri
        self._remote = runs.child(study_name)
        self._pull()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Bring the working copy up to date, and leave log and test rows there in the end."""
        with super().writing():
            self._pull()
            self._remote.delete(STAGING)
            try:
                yield
            finally:
                for path in (self.log_path, self.test_rows_path):
                    if path.is_file():
                        self._remote.write(path.name, path.read_bytes())
                self._remote.delete(STAGING)

    def save_study(self, study: StudySpec) -> None:
        super().save_study(study)
        self._remote.write(self.study_path.name, self.study_path.read_bytes())

    def staging_folder(self, trial_id: str) -> str:
        self._remote.delete(f"trials/{trial_id}")  # without a record: left by an earlier run
        return self._remote.child(f"trials/{trial_id}").uri

    def publish(self, record: TrialRecord, staged: str) -> Path:
        content = to_json(record)
        check_left(staged, Storage(staged).sizes())
        Storage(staged).write(RECORD_FILE, content.encode())
        folder = self.trial_folder(record.trial_id)  # not pulled: other trials end meanwhile
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / RECORD_FILE, content)
        return folder

    def _pull(self) -> None:
        def is_wanted(name: str) -> bool:
            return name in KEPT or (name.startswith("trials/") and name.endswith(f"/{RECORD_FILE}"))

        _forget(self.folder, self._remote.sizes())
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
    _forget(folder, Storage(location).sizes())
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
        return
    scratch.mkdir(parents=True, exist_ok=True)
    yield scratch
    Storage(staged).upload(scratch)


def _digest(location: str) -> str:
    return hashlib.sha256(location.encode()).hexdigest()[:16]


def _forget(folder: Path, names: Container[str]) -> None:
    """Remove from a working copy what its original no longer has, so that it counts no more."""
    for path in (*(folder / name for name in KEPT), *folder.glob(f"trials/*/{RECORD_FILE}")):
        if path.relative_to(folder).as_posix() not in names:
            path.unlink(missing_ok=True)
