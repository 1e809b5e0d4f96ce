import asyncio
import os
import signal
import threading
from types import SimpleNamespace

import pytest

from agnews_ray.cluster import jobs_client
from agnews_ray.cluster.jobs_client import JobsClient, check_id
from agnews_ray.errors import ClusterError


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


@pytest.mark.parametrize("log", ["one\ntwo\nthree\n", "one\ntwo\nthree"])
def test_what_a_tail_misses_at_a_jobs_end_is_read_from_its_log(monkeypatch, log):
    monkeypatch.setattr(jobs_client, "SILENCE_S", 0.05)
    client = object.__new__(JobsClient)
    client._client = Tail()
    client._client.get_job_logs = lambda job_id: log
    monkeypatch.setattr(client, "job", lambda job_id: SimpleNamespace(has_ended=True))
    assert list(client.follow("j", pytest.fail)) == ["one", "two", "three"]


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
