"""Studies on a cluster, from this machine; the cluster itself is made up."""

from pathlib import Path

import pytest

from agnews_ray.app import cluster_jobs
from agnews_ray.app.prepare import read_study
from agnews_ray.cluster.events import read_events
from agnews_ray.cluster.jobs_client import Job
from agnews_ray.errors import ClusterError, StoreError
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.events import TRIALS, a_log
from tests.fakes.studies import a_study

ADDRESS = "http://127.0.0.1:9"
"""An address where nobody answers."""


@pytest.mark.parametrize("storage", ["runs", "./x", "s3://KEY:S3CRET@bucket/x", "nonsense://"])
def test_storage_that_another_machine_could_not_use_is_refused(storage):
    with pytest.raises(StoreError) as caught:
        cluster_jobs.check_storage(storage)
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("storage", [None, "/mnt/runs", "~/runs", "s3://bucket/runs"])
def test_storage_that_it_could_is_not(storage):
    cluster_jobs.check_storage(storage)


def test_data_and_models_of_this_folder_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    study = read_study(None, {"data.source": "data", "models": ["bert"]})
    with pytest.raises(StoreError, match="want data and models that the cluster finds"):
        cluster_jobs.check_paths(study)
    cluster_jobs.check_paths(read_study(None, {"data.source": str(tmp_path / "data")}))


def a_job(job_id="demo-1", study="demo", status="RUNNING", storage=""):
    facts = {"message": "", "started_at": 1.0, "ended_at": None}
    return Job(job_id=job_id, study=study, status=status, storage=storage, **facts)


class Cluster:
    """Stands in for ``JobsClient``: these jobs, all with the same log; keeps what it is told."""

    def __init__(self, *jobs, log=()):
        self.listed = jobs
        self.log = log
        self.address = ADDRESS
        self.submitted = []
        self.stopped = []

    def jobs(self):
        return list(self.listed)

    def job(self, job_id):
        return next(one for one in self.listed if one.job_id == job_id)

    def events(self, job_id):
        return read_events(self.log)

    def stop(self, job_id):
        self.stopped.append(job_id)

    def submit(self, job_id, entrypoint, runtime_environment, metadata):
        folder = Path(runtime_environment["working_dir"])
        sent = sorted(path.name for path in folder.iterdir())
        self.submitted.append((job_id, entrypoint, metadata, sent, folder))


@pytest.fixture
def connect(monkeypatch):
    """Has this cluster answer at every address."""

    def connect(cluster):
        monkeypatch.setattr(cluster_jobs, "JobsClient", lambda address: cluster)
        return cluster

    return connect


def submit(storage=None, name="demo", command="agnews-ray submit"):
    study = read_study(None, {"models": ["bert"], "name": name})
    return cluster_jobs.submit_study(study, ADDRESS, storage, command)


def test_a_study_is_sent_with_its_package_and_the_command_that_runs_it(connect):
    cluster = connect(Cluster())
    found = submit("s3://bucket/runs", command="agnews-ray submit --address http://me:pw@host")
    ((job_id, entrypoint, metadata, sent, folder),) = cluster.submitted
    assert (found.job_id, found.address, found.storage) == (job_id, ADDRESS, "s3://bucket/runs")
    assert job_id.startswith("demo-")
    assert entrypoint == (
        "python -m agnews_ray execute study.yaml "
        "--command 'agnews-ray submit --address http://host' --storage s3://bucket/runs"
    )
    assert metadata == {"agnews_ray_study": "demo", "agnews_ray_storage": "s3://bucket/runs"}
    assert sent == ["agnews_ray", "study.yaml"]
    assert not folder.exists()


def test_two_submits_of_a_study_are_two_jobs(connect):
    connect(Cluster(a_job(status="SUCCEEDED")))
    assert submit().job_id != submit().job_id


def test_a_study_that_is_running_there_is_not_sent_again(connect):
    cluster = connect(Cluster(a_job(storage="s3://bucket/runs")))
    with pytest.raises(ClusterError) as caught:
        submit("s3://bucket/runs")
    assert (caught.value.where, caught.value.found) == ("demo", "job demo-1 running it")
    assert "agnews-ray logs demo-1 --follow" in caught.value.hint
    assert cluster.submitted == []


@pytest.mark.parametrize(
    "running",
    [a_job(status="STOPPED"), a_job(study="another"), a_job(storage="s3://bucket/elsewhere")],
    ids=["ended", "another study", "other storage"],
)
def test_what_else_runs_there_does_not_matter(connect, running):
    cluster = connect(Cluster(running))
    submit()
    assert len(cluster.submitted) == 1


def test_without_an_id_the_latest_job_is_meant(connect):
    connect(Cluster(a_job("latest-2"), a_job("first-1")))
    assert cluster_jobs.job_state(ADDRESS, None).job_id == "latest-2"
    assert cluster_jobs.job_state(ADDRESS, "first-1").job_id == "first-1"


def test_a_cluster_without_jobs_says_how_to_submit_one(connect):
    connect(Cluster())
    with pytest.raises(ClusterError) as caught:
        cluster_jobs.job_state(ADDRESS, None)
    assert (caught.value.where, caught.value.found) == (ADDRESS, "none")
    assert "agnews-ray submit" in caught.value.hint


@pytest.mark.parametrize(("status", "stopped"), [("RUNNING", ["demo-1"]), ("FAILED", [])])
def test_only_a_job_that_has_not_ended_is_stopped(connect, status, stopped):
    cluster = connect(Cluster(a_job(status=status)))
    assert cluster_jobs.stop_job(ADDRESS, "demo-1").status == status
    assert cluster.stopped == stopped


def log_of(location):
    """The log of a job that leaves its results there."""
    return a_log(lambda events: events.study("study", str(location), TRIALS, ()))


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def there(tmp_path):
    """The folder of a finished study that a cluster left on a disk which this machine sees."""
    return a_study(tmp_path / "there", seeds=(1,))


def test_what_is_missing_here_is_fetched_from_a_folder_that_both_see(connect, there, tmp_path):
    connect(Cluster(a_job(study="study"), log=log_of(there)))
    folder, copied = cluster_jobs.fetch_job(ADDRESS, None, tmp_path / "here")
    assert folder == tmp_path / "here" / "study"
    assert files_in(folder) == set(copied) == files_in(there)
    (folder / "trials" / "v0-s1" / "curve.parquet").unlink()
    assert cluster_jobs.fetch_job(ADDRESS, None, tmp_path / "here")[1] == [
        "trials/v0-s1/curve.parquet"
    ]


def test_another_question_is_not_fetched_into_a_study_here(connect, there, tmp_path):
    connect(Cluster(a_job(study="study"), log=log_of(there)))
    here = StudyStore.at(a_study(tmp_path / "here", seeds=(1,)))
    kept = here.load_study()
    here.save_study(kept.model_copy(update={"recipe": RecipeSpec(num_epochs=9)}))
    before = files_in(here.folder)
    with pytest.raises(StoreError) as caught:
        cluster_jobs.fetch_job(ADDRESS, None, tmp_path / "here")
    assert caught.value.where == str(here.folder)
    assert caught.value.found == "recipe.num_epochs: 9 there, 2 asked"
    assert "--runs" in caught.value.hint
    assert files_in(here.folder) == before


def test_a_job_that_has_not_begun_has_nothing_to_fetch(connect, tmp_path):
    connect(Cluster(a_job(status="FAILED"), log=["ModuleNotFoundError: No module named 'torch'"]))
    with pytest.raises(ClusterError) as caught:
        cluster_jobs.fetch_job(ADDRESS, "demo-1", tmp_path)
    assert caught.value.wanted == "a job that has started its study"
    assert caught.value.found == "ModuleNotFoundError: No module named 'torch'"
    assert caught.value.hint == "see: agnews-ray logs demo-1"


def test_storage_that_only_the_cluster_sees_is_told_with_the_ways_to_it(connect, tmp_path):
    connect(Cluster(a_job(), log=log_of("/mnt/only-there/demo")))
    with pytest.raises(StoreError) as caught:
        cluster_jobs.fetch_job(ADDRESS, None, tmp_path)
    assert caught.value.where == "/mnt/only-there/demo"
    assert caught.value.found == "a folder that this machine does not see"
    assert "ray rsync-down cluster.yaml /mnt/only-there/demo" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
