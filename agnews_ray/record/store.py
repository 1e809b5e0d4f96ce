"""The only place that knows file names under a runs folder; writes are complete, reads checked."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agnews_ray.errors import SpecError, StoreError
from agnews_ray.record.durable import (
    free_name,
    make_folder,
    move_into_place,
    write_whole,
    writing_explained,
)
from agnews_ray.record.finished import (
    DAMAGED,
    RECORD_FILE,
    Finished,
    SetAside,
    read_finished,
    refuse_newer,
    to_json,
)
from agnews_ray.record.inside import refuse_links
from agnews_ray.record.lease import Lease, has_holder
from agnews_ray.record.outputs import TestRows, check_left, save_test_rows
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import Storage
from agnews_ray.spec.loader import build_study, read_job_file, to_yaml
from agnews_ray.spec.study import StudySpec

LOG_FILE = "submit.log"
STAGING = ".staging"
"""The folder for unfinished files of a study; each writer has its own folder there."""
OWN_NAMES = ("trials", STAGING, DAMAGED, ".checkpoints", ".lease", LOG_FILE)


class StudyStore:
    """The folder of one study: study.yaml, submit.log, test_rows.parquet, trials/<trial_id>/."""

    def __init__(self, runs: Path, study_name: str) -> None:
        self.folder = runs.absolute() / study_name  # workers have another working directory
        self.location = str(self.folder)
        """The study's folder, or its URI."""
        self.study_path = self.folder / "study.yaml"
        self.log_path = self.folder / LOG_FILE
        self.best_path = self.folder / "best.yaml"
        self.test_rows_path = self.folder / "test_rows.parquet"
        self._trials = self.folder / "trials"
        self._session = secrets.token_hex(6)
        """The id that separates this writer's unfinished folders from those of others."""
        self._num_staged = 0
        self._lease: Lease | None = None
        self._notes: list[str] = []

    @classmethod
    def at(cls, folder: Path) -> "StudyStore":
        """Open an existing study folder.

        Args:
            folder: ``runs/<study>``.

        Returns:
            The store.

        Raises:
            StoreError: there is no study in that folder.
        """
        store = cls(folder.absolute().parent, folder.absolute().name)
        if not store.study_path.is_file():
            found = "no study.yaml in it" if folder.is_dir() else "no such folder"
            hint = "pass the folder that `agnews-ray submit` named, such as runs/demo"
            raise StoreError(str(folder), "the folder of a study", found, hint)
        return store

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the study, so that only one ``submit`` at a time, on any machine, writes into it.

        Raises:
            StoreError: the folder cannot be written, or another submit holds it.
        """
        try:
            make_folder(self.folder)
            refuse_links(self.folder, OWN_NAMES)
            with writing_explained(self.folder), tempfile.TemporaryFile(dir=self.folder) as file:
                file.write(b"1")
        except StoreError as error:
            hint = "choose another folder with --runs"
            raise StoreError(error.where, "a folder to write to", error.found, hint) from error
        with self._held(Storage(self.folder.as_uri())) as lease:
            try:
                self._clear_staging(lease)
                yield
            finally:
                shutil.rmtree(self.folder / STAGING / self._session, ignore_errors=True)
                with suppress(OSError):  # not empty: another writer uses it
                    (self.folder / STAGING).rmdir()

    def is_written_now(self) -> bool:
        """Whether a submit, on this machine or another, writes into the folder."""
        return has_holder(Storage(self.folder.as_uri()))

    @contextmanager
    def _held(self, storage: Storage) -> Iterator[Lease]:
        lease = Lease(storage, self._session, self._notes.append)
        with lease.held():
            self._lease = lease
            try:
                yield lease
            finally:
                self._lease = None

    def _check_held(self) -> None:
        """Check, before a change, that no other writer has the study now."""
        if self._lease is not None:
            self._lease.check()

    def _clear_staging(self, lease: Lease) -> None:
        """Remove the unfinished folders of writers that have ended; those of live writers stay."""
        staging = self.folder / STAGING
        if staging.is_dir():
            living = lease.living()
            for folder in staging.iterdir():
                if folder.name not in living:
                    shutil.rmtree(folder, ignore_errors=True)

    def take_notes(self) -> list[str]:
        """Return the notes for the user about what was done here, each once."""
        taken, self._notes[:] = list(self._notes), []
        return taken

    def save_study(self, study: StudySpec) -> None:
        """Keep the resolved study beside its results.

        Args:
            study: the study; it replaces an earlier one.

        Raises:
            StoreError: the file cannot be written.
        """
        self._check_held()
        write_whole(self.study_path, to_yaml(study))

    def save_best(self, study: StudySpec) -> None:
        """Keep the study of a search's winners; as ``save_study``."""
        self._check_held()
        write_whole(self.best_path, to_yaml(study))

    def load_study(self) -> StudySpec | None:
        """Read the study kept here.

        Returns:
            The study, or None if the folder is new.

        Raises:
            StoreError: the file exists but is not a study.
        """
        if not self.study_path.is_file():
            return None
        try:
            return build_study(read_job_file(self.study_path), str(self.study_path))
        except SpecError as error:
            found, hint = error.problems[0], "restore it, or choose another --name"
            raise StoreError(str(self.study_path), "a study", found, hint) from error

    def save_test_rows(self, rows: TestRows, fingerprint: str) -> None:
        """Keep the test rows beside the records.

        Args:
            rows: texts and duplicates.
            fingerprint: the dataset's fingerprint.

        Raises:
            StoreError: they cannot be written; no partial file is left.
        """
        self._check_held()
        save_test_rows(self.test_rows_path, rows, fingerprint)

    @property
    def scratch(self) -> str:
        """A folder, or its URI, for temporary files of a run; it is removed after ``writing``."""
        path, mark, options = self.location.partition("?")
        return f"{path}/{STAGING}/{self._session}/ray{mark}{options}"

    def staging_folder(self, trial_id: str) -> str:
        """Make the folder to which one attempt at a trial writes its files.

        Args:
            trial_id: the trial.

        Returns:
            An empty folder on the same file system as the final one, or its URI; each call makes
            another.

        Raises:
            StoreError: another writer has the study now.
        """
        self._check_held()
        folder = self.folder / STAGING / self._session / self._attempt(trial_id)
        make_folder(folder)
        return str(folder)

    def _attempt(self, trial_id: str) -> str:
        self._num_staged += 1
        return f"{trial_id}.{self._num_staged}"

    def publish(self, record: TrialRecord, staged: str) -> Path:
        """Add the record to a staged trial and move all of it into place in one step.

        Args:
            record: the record of the finished trial.
            staged: its folder from ``staging_folder``, with all files except the record.

        Returns:
            The trial's final folder. If it already has a record, that one is kept.

        Raises:
            StoreError: nothing staged, a full disk, or another writer has the study now.
        """
        with writing_explained(staged):
            check_left(record, staged, [path.name for path in Path(staged).iterdir()])
        write_whole(Path(staged) / RECORD_FILE, to_json(record))
        self._check_held()
        final = self._trials / record.trial_id
        if not self._make_way(record.trial_id, final):
            return self.trial_folder(record.trial_id)
        return move_into_place(Path(staged), final)

    def _make_way(self, trial_id: str, final: Path) -> bool:
        """Whether a trial may be published; an unreadable folder in its way is moved aside."""
        found = read_finished(self._trials, trial_id)
        if trial_id in found.folders:
            self._notes.append(
                f"{trial_id} was already finished by another submit, whose result is kept"
            )
            return False
        refuse_newer(found.set_aside)
        for one in found.set_aside:
            self._keep_aside(one)
        if final.exists():  # the rest of a folder whose record was deleted
            remains = self.folder / STAGING / self._session / self._attempt(f"remains-{trial_id}")
            make_folder(remains.parent)
            move_into_place(final, remains)
            if (remains / RECORD_FILE).exists():  # published by another writer at this moment
                move_into_place(remains, final)
                return False
        return True

    def _keep_aside(self, one: SetAside) -> None:
        target = free_name(one.folder.name, lambda name: (self.folder / DAMAGED / name).exists())
        move_into_place(one.folder, self.folder / DAMAGED / target)
        self._notes.append(f"the unreadable {one.folder.name} is kept in {DAMAGED}/{target}")

    def trial_folder(self, trial_id: str) -> Path:
        """Return the folder of a finished trial (``record.json``, ``artifact/``, Parquet files)."""
        if (plain := self._trials / trial_id).joinpath(RECORD_FILE).is_file():
            return plain
        return read_finished(self._trials, trial_id).folders.get(trial_id, plain)

    def place_of(self, trial_id: str, name: str) -> str:
        """Return the place of a finished trial's file or folder: a path, or a URI."""
        return str(self.trial_folder(trial_id) / name)

    def read_file(self, trial_id: str, name: str) -> Path:
        """Make a file of a finished trial readable here.

        Args:
            trial_id: the trial.
            name: the file, such as ``soft_labels.parquet``.

        Raises:
            StoreError: its storage does not answer.
        """
        return self.trial_folder(trial_id) / name

    def finished(self) -> Finished:
        """Read every finished trial; unreadable ones are listed beside those that are used."""
        return read_finished(self._trials)

    def records(self) -> tuple[TrialRecord, ...]:
        """Read every finished trial that is used, in the order of trial ids.

        Returns:
            The records; empty if nothing has finished.

        Raises:
            RecordError: there are records, but none can be read.
        """
        found = self.finished()
        if found.set_aside and not found.records:
            raise found.set_aside[0].error
        return found.records

    def fingerprints(self) -> set[str]:
        """The fingerprints of the finished trials' data; normally there is one."""
        return {record.dataset.fingerprint for record in self.finished().records}
