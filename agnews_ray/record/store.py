"""The one place that knows file names under a runs folder; whole writes, checked reads."""

import json
import os
import shutil
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from agnews_ray.errors import RecordError, SpecError, StoreError
from agnews_ray.record import json_text
from agnews_ray.record.outputs import count_without_class
from agnews_ray.record.schema import (
    FIRST_TO_NAME_DIVERGENCE,
    READABLE_VERSIONS,
    SCHEMA_VERSION,
    TrialRecord,
    without_scores,
)
from agnews_ray.spec.loader import build_study, read_job_file, to_yaml
from agnews_ray.spec.study import StudySpec

LOG_FILE = "submit.log"
RECORD_FILE = "record.json"
STAGING = ".staging"
"""Of what is not finished, inside a study's folder."""


class StudyStore:
    """The folder of one study: study.yaml, submit.log, test_rows.parquet, trials/<trial_id>/."""

    def __init__(self, runs: Path, study_name: str) -> None:
        self.folder = runs.absolute() / study_name  # workers have another working folder
        self.location = str(self.folder)
        """Where the study lies: its folder, or a URI."""
        self.study_path = self.folder / "study.yaml"
        self.log_path = self.folder / LOG_FILE
        self.test_rows_path = self.folder / "test_rows.parquet"
        self._trials = self.folder / "trials"
        self._staging = self.folder / STAGING

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
        """Hold the study's lock, so that one ``submit`` at a time writes into it.

        Raises:
            StoreError: the folder cannot be written, or another submit holds it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            hint = "choose another folder with --runs"
            reason = error.strerror or str(error)
            raise StoreError(str(self.folder), "a folder to write to", reason, hint) from error
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            hint = "wait for it, or give this study another --name"
            raise StoreError(
                str(self.folder), "no other submit at work", "one is running", hint
            ) from error
        try:
            shutil.rmtree(self._staging, ignore_errors=True)
            yield
        finally:
            shutil.rmtree(self._staging, ignore_errors=True)
            lock.release()

    def save_study(self, study: StudySpec) -> None:
        """Keep the resolved study beside its results.

        Args:
            study: replaces what is there, if anything is.
        """
        write_whole(self.study_path, to_yaml(study))

    def load_study(self) -> StudySpec | None:
        """Read the study kept here.

        Returns:
            The study, or None where the folder is new.

        Raises:
            StoreError: the file is there but is not a study.
        """
        if not self.study_path.is_file():
            return None
        try:
            return build_study(read_job_file(self.study_path), str(self.study_path))
        except SpecError as error:
            found, hint = error.problems[0], "restore it, or choose another --name"
            raise StoreError(str(self.study_path), "a study", found, hint) from error

    @property
    def scratch(self) -> str:
        """Folder, or URI of one, for what a run needs meanwhile; removed after ``writing``."""
        path, mark, options = self.location.partition("?")
        return f"{path}/{STAGING}/ray{mark}{options}"

    def staging_folder(self, trial_id: str) -> str:
        """Make the folder in which a running trial leaves its files.

        Args:
            trial_id: the trial.

        Returns:
            An empty folder on the same file system as the final one, or the URI of one.
        """
        folder = self._staging / trial_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return str(folder)

    def publish(self, record: TrialRecord, staged: str) -> Path:
        """Add the record to a staged trial and move all of it into place in one step.

        Args:
            record: of the finished trial.
            staged: its folder from ``staging_folder``, holding everything but the record.

        Returns:
            The trial's final folder.

        Raises:
            StoreError: nothing was staged.
        """
        check_left(staged, [path.name for path in Path(staged).iterdir()])
        (Path(staged) / RECORD_FILE).write_text(to_json(record), encoding="utf-8")
        final = self._trials / record.trial_id
        final.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(final, ignore_errors=True)  # what a deleted record left
        return Path(staged).replace(final)

    def trial_folder(self, trial_id: str) -> Path:
        """Name the folder of a finished trial (``record.json``, ``artifact/``, Parquet files)."""
        return self._trials / trial_id

    def records(self) -> tuple[TrialRecord, ...]:
        """Read every finished trial, ordered by trial id.

        Returns:
            The records; empty where nothing has finished.

        Raises:
            RecordError: a record is corrupt or was written by a newer version.
        """
        return tuple(load_record(path) for path in sorted(self._trials.glob(f"*/{RECORD_FILE}")))

    def fingerprints(self) -> set[str]:
        """Of the rows that finished trials were trained and scored on; one, if all is well."""
        return {record.dataset.fingerprint for record in self.records()}


def check_left(staged: str, names: Container[str]) -> None:
    """Refuse to call a trial finished whose files are not there.

    Args:
        staged: where its worker was to leave them.
        names: what is there.

    Raises:
        StoreError: the predictions are missing.
    """
    if "predictions.parquet" not in names:
        hint = "use storage that all nodes share, and submit again"
        raise StoreError(staged, "a trained trial's files", "none: they went elsewhere", hint)


def to_json(record: TrialRecord) -> str:
    """Write a record as its file has it."""
    return json_text.to_json(record, sort_keys=True) + "\n"


def load_record(path: Path) -> TrialRecord:
    """Read one record.

    Args:
        path: a ``record.json``.

    Returns:
        The checked record.

    Raises:
        RecordError: it is corrupt, or its schema version is not known here.
    """
    hint = f"delete {path.parent} and submit again to run this trial anew"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(str(path), "a trial record", "damaged JSON", hint) from error
    if version not in READABLE_VERSIONS:
        hint = "upgrade agnews-ray" if str(version) > str(SCHEMA_VERSION) else hint
        wanted = f"schema version {SCHEMA_VERSION}"
        raise RecordError(str(path), wanted, f"version {version!r}", hint)
    try:
        if version < FIRST_TO_NAME_DIVERGENCE:
            content = _look_for_divergence(content, path.parent)
        return TrialRecord.model_validate(content | {"schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        found = f"{place}: {first['msg'].lower()}"
        raise RecordError(str(path), "a trial record", found, hint) from error


def _look_for_divergence(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Older records count rows whose logits are not numbers as class 0; their logits tell."""
    num_without = count_without_class(folder)
    if not num_without:
        return content
    return without_scores(content, f"logits of {num_without:,} test rows are not numbers")


def write_whole(path: Path, text: str) -> None:
    """Write a text file in one step: a reader sees all of it or none of it.

    Args:
        path: the file; its folder exists.
        text: written as UTF-8.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
