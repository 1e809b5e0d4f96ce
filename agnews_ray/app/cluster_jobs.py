"""Use cases about studies on a cluster, from this machine; `execute_job` is the cluster's side."""

import secrets
import shlex
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.app.study_places import other_places
from agnews_ray.cluster.event_kinds import Event
from agnews_ray.cluster.events import read_events
from agnews_ray.cluster.job_state import JobState, fold, state_of
from agnews_ray.cluster.jobs_client import Job, JobsClient
from agnews_ray.cluster.package import STUDY_FILE, pack, runtime_environment
from agnews_ray.errors import ClusterError, StoreError
from agnews_ray.plan.names import slug
from agnews_ray.plan.trials import same_question
from agnews_ray.record.object_store import copy_study, fetch_study, local_study
from agnews_ray.record.storage import check_uri, is_uri, without_keys
from agnews_ray.record.store import StudyStore
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.spec.linear_models import weights_name
from agnews_ray.spec.study import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A study that was submitted to a cluster."""

    job_id: str
    address: str
    storage: str | None
    """The storage; None: the cluster's own (AGNEWS_RAY_STORAGE there),
    else a folder on its head node."""


def submit_study(
    study: StudySpec, address: str, storage: str | None, command: str, *, is_search: bool = False
) -> Submission:
    """Submit a study to a cluster, as one job.

    Args:
        study: the study from ``read_study``.
        address: the address of the cluster's dashboard.
        storage: the folder that all nodes share, or its URI; None for the cluster's own.
        command: the command line, for the records.
        is_search: whether the study's best settings are searched.

    Returns:
        The job's id, address and storage.

    Raises:
        ClusterError: there is no answer, the token is wrong, or the study is already running there.
        StoreError: the storage is a relative path, which has no meaning on other machines.
    """
    check_storage(storage)
    check_paths(study)
    client = JobsClient(address)
    for job in client.jobs():
        if job.study == study.name and job.storage == (storage or "") and not job.has_ended:
            found = f"job {job.job_id} running it"
            hint = f"follow it: agnews-ray logs {job.job_id} --follow; or give another --name"
            raise ClusterError(study.name, "a study that is not running", found, hint)
    job_id = f"{slug(study.name)}-{secrets.token_hex(3)}"
    words = ["python", "-m", "agnews_ray", "execute", STUDY_FILE]
    words += ["--tune"] if is_search else []
    words += ["--command", without_keys(command), *(["--storage", storage] if storage else [])]
    with tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch:
        pack(study, Path(scratch))
        client.submit(
            job_id,
            shlex.join(words),
            runtime_environment(Path(scratch)),
            {"agnews_ray_study": study.name, "agnews_ray_storage": storage or ""},
        )
    return Submission(job_id=job_id, address=client.address, storage=storage)


def check_storage(storage: str | None) -> None:
    """Refuse storage that other machines could not find, or that would reveal a secret.

    Raises:
        StoreError: a relative path, not a URI, or a URI with keys.
    """
    if storage and is_uri(storage):
        check_uri(storage)
    elif storage and not storage.startswith(("/", "~")):
        hint = "write it from / or ~, or use s3://BUCKET/FOLDER or gs://BUCKET/FOLDER"
        raise StoreError("--storage", "an absolute folder or a URI", repr(storage), hint)


def check_paths(study: StudySpec) -> None:
    """Refuse paths of data and models that have a meaning only on this machine.

    Raises:
        StoreError: a relative path that exists here.
    """
    files = (study.data.source, study.data.test_source, study.data.validation_source)
    names = {one.name for one in study.models}
    others = [path for one in study.models for path in other_places(one) if path not in names]
    named = [*files, *(weights_name(one.model) for one in study.models), *others]
    for path in named:
        if path and not path.startswith(("/", "~")) and Path(path).exists():
            hint = "put it where the cluster sees it and write the path from /, or use a hub id"
            raise StoreError(path, "data and models that the cluster finds", "a path here", hint)


def list_jobs(address: str) -> list[JobState]:
    """List the studies that were submitted to a cluster, the latest first, without their trials."""
    return [state_of(job) for job in JobsClient(address).jobs()]


def job_state(address: str, job_id: str | None) -> JobState:
    """Return the state of a job and of each trial.

    Args:
        address: of the cluster's dashboard.
        job_id: the job; None for the latest.

    Raises:
        ClusterError: there is no such job.
    """
    client = JobsClient(address)
    job = _find(client, job_id)
    return fold(state_of(job), client.events(job.job_id))


def follow(address: str, job_id: str, on_trouble: Callable[[str], None]) -> Iterator[Event | str]:
    """Watch a job until it ends.

    Args:
        address: of the cluster's dashboard.
        job_id: the job.
        on_trouble: called with one line when the connection breaks.

    Yields:
        Events of ``cluster.events``, from the first one, and other lines as text.
    """
    return read_events(JobsClient(address).follow(job_id, on_trouble))


def read_log(address: str, job_id: str | None) -> list[Event | str]:
    """Read a job's output so far: events of ``cluster.events``, and other lines as text."""
    client = JobsClient(address)
    return list(client.events(_find(client, job_id).job_id))


def stop_job(address: str, job_id: str) -> Job:
    """Stop a job; finished trials are kept.

    Returns:
        The job's state before.

    Raises:
        ClusterError: there is no such job.
    """
    client = JobsClient(address)
    job = client.job(job_id)
    if not job.has_ended:
        client.stop(job_id)
    return job


def fetch_job(address: str, job_id: str | None, runs: Path) -> tuple[Path, list[str]]:
    """Copy a job's missing records, predictions and artifacts to this machine.

    Args:
        address: of the cluster's dashboard.
        job_id: the job; None for the latest.
        runs: the runs folder here.

    Returns:
        The study's folder here, and the copied files.

    Raises:
        ClusterError: there is no such job, or it has not started.
        StoreError: its storage cannot be read from here.
    """
    state = job_state(address, job_id)
    if state.location is None:
        found = state.error or f"status {state.status}"
        hint = f"see: agnews-ray logs {state.job_id}"
        raise ClusterError(state.job_id, "a job that has started its study", found, hint)
    folder = runs / state.study
    if is_uri(state.location):
        _check_same_study(local_study(state.location), folder)
        return folder, fetch_study(state.location, folder, with_artifacts=True)
    if not (Path(state.location) / "study.yaml").is_file():
        found = "a folder that this machine does not see"
        hint = (
            f"copy it (ray rsync-down cluster.yaml {state.location} {runs}), "
            "or submit with --storage s3://BUCKET/FOLDER"
        )
        raise StoreError(state.location, "storage that can be read from here", found, hint)
    _check_same_study(Path(state.location), folder)
    return folder, copy_study(Path(state.location), folder)


def _check_same_study(there: Path, here: Path) -> None:
    """Refuse to fetch another question into a study's folder, as the two could not be compared."""
    ours, theirs = StudyStore(here.parent, here.name), StudyStore.at(there)
    kept, brought = ours.load_study(), theirs.load_study()
    differing = same_question(kept, brought) if kept and brought else []
    if kept and brought and differing and ours.fingerprints() & theirs.fingerprints():
        differing = same_question(kept, brought, has_same_rows=True)
    if differing:
        hint = "fetch it into another folder with --runs"
        wanted = "the same data and recipe as the study kept there"
        raise StoreError(str(here), wanted, "; ".join(differing[:3]), hint)


def _find(client: JobsClient, job_id: str | None) -> Job:
    if job_id:
        return client.job(job_id)
    jobs = client.jobs()
    if not jobs:
        hint = "submit one: agnews-ray submit ... --address ADDRESS"
        raise ClusterError(client.address, "a job of agnews-ray", "none", hint)
    return jobs[0]
