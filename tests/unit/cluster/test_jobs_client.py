import asyncio
import os
import signal
import threading
from types import SimpleNamespace

import pytest
import yaml

from agnews_ray.app import cluster_jobs
from agnews_ray.app.prepare import read_study
from agnews_ray.cluster import jobs_client
from agnews_ray.cluster.jobs_client import JobsClient, check_id
from agnews_ray.cluster.package import STUDY_FILE, pack, runtime_environment
from agnews_ray.errors import ClusterError, StoreError
from agnews_ray.run.process_setup import WAITING


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8265", "ray://h:10001", "http://h:8265/x?y", "http://h; rm -rf", ""]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ClusterError, match=r"--address http://127\.0\.0\.1:8265"):
        JobsClient(address)


def test_where_nobody_answers_it_says_so(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(ClusterError, match="found nobody there"):
        JobsClient("http://127.0.0.1:9")


@pytest.mark.parametrize("job_id", ["../x", "a b", "x;y", "", "-x", "a/b", "a" * 101])
def test_what_is_no_id_is_refused(job_id):
    with pytest.raises(ClusterError, match="want a job's id"):
        check_id(job_id)


def test_the_package_and_the_study_are_sent_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.env").write_text("x")
    folder = tmp_path / "sent"
    folder.mkdir()
    study = read_study(None, {"models": ["bert"]})
    size = pack(study, folder)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {STUDY_FILE, "agnews_ray/cli/main.py", "agnews_ray/report/templates/report.css"} <= names
    assert all(name == STUDY_FILE or name.startswith("agnews_ray/") for name in names)
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)
    assert read_study(folder / STUDY_FILE, {}) == study
    assert size < 2_000_000


def test_the_same_is_sent_twice(tmp_path):
    def content(name):
        (tmp_path / name).mkdir()
        pack(read_study(None, {}), tmp_path / name)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        return [(p.relative_to(tmp_path / name), p.read_bytes()) for p in files]

    assert content("a") == content("b")


def test_no_secret_of_this_machine_goes_with_it(monkeypatch):
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "RAY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "s3cret")
    assert "s3cret" not in yaml.safe_dump(runtime_environment(None))


def test_the_switch_of_recorded_steps_goes_with_a_job(monkeypatch):
    monkeypatch.delenv("AGNEWS_RAY_CUDA_GRAPHS", raising=False)
    assert "AGNEWS_RAY_CUDA_GRAPHS" not in runtime_environment(None)["env_vars"]
    monkeypatch.setenv("AGNEWS_RAY_CUDA_GRAPHS", "0")
    assert runtime_environment(None)["env_vars"]["AGNEWS_RAY_CUDA_GRAPHS"] == "0"


def test_how_threads_wait_goes_with_a_job(monkeypatch):
    for name in WAITING:
        monkeypatch.delenv(name, raising=False)
    assert runtime_environment(None)["env_vars"].items() >= WAITING.items()
    monkeypatch.setenv("GOMP_SPINCOUNT", "300000")  # on a cluster that does nothing else
    assert runtime_environment(None)["env_vars"]["GOMP_SPINCOUNT"] == "300000"


@pytest.mark.parametrize("storage", ["runs", "./x", "s3://KEY:S3CRET@bucket/x", "nonsense://"])
def test_storage_that_another_machine_could_not_use_is_refused(storage):
    with pytest.raises(StoreError) as caught:
        cluster_jobs.check_storage(storage)
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("storage", [None, "/mnt/runs", "~/runs", "s3://bucket/runs"])
def test_storage_that_it_could_is_not(storage):
    cluster_jobs.check_storage(storage)


class Tail:
    """A cluster's log that says a line and then nothing."""

    def __init__(self, lines=("one",)):
        self.lines = lines
        self.is_closed = False

    async def tail_job_logs(self, job_id):
        try:
            for line in self.lines:
                yield f"{line}\n"
            await asyncio.sleep(60)
        finally:
            self.is_closed = True


def test_a_silent_connection_is_closed_and_asked_again(monkeypatch):
    monkeypatch.setattr(jobs_client, "SILENCE_S", 0.05)
    client = object.__new__(JobsClient)
    client._client = Tail()
    assert list(client._tail("j")) == ["one"]
    assert client._client.is_closed


def test_ctrl_c_while_following_goes_through():
    client = object.__new__(JobsClient)
    client._client = Tail()
    lines = client._tail("j")
    assert next(lines) == "one"
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        next(lines)
    timer.join()
    assert client._client.is_closed


def test_data_and_models_of_this_folder_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    study = read_study(None, {"data.source": "data", "models": ["bert"]})
    with pytest.raises(StoreError, match="want data and models that the cluster finds"):
        cluster_jobs.check_paths(study)
    cluster_jobs.check_paths(read_study(None, {"data.source": str(tmp_path / "data")}))


@pytest.mark.parametrize("name", ["../../.ssh", "a/b", "", "-x"])
def test_a_name_from_a_cluster_becomes_no_path(name):
    details = SimpleNamespace(metadata={"agnews_ray_study": name})
    assert not jobs_client._is_ours(details)


def test_a_job_of_doctor_is_none_of_the_users():
    def details(**metadata):
        about = {"status": "SUCCEEDED", "message": "", "start_time": 0, "end_time": 0}
        return SimpleNamespace(submission_id="j", metadata=metadata, **about)

    client = object.__new__(JobsClient)
    listed = [
        details(agnews_ray_study="demo"),
        details(agnews_ray_study="doctor", agnews_ray_probe="1"),
    ]
    client._client = SimpleNamespace(list_jobs=lambda: listed)
    assert [job.study for job in client.jobs()] == ["demo"]
