"""Every verb against a real cluster on this machine: `ray start --head`, and two nodes."""

import json
import os
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from tests.integration.clusters import RAY, Nodes, Proxy, free_ports, short_folder, wait_for
from tests.integration.conftest import ROOT, a_job

pytestmark = pytest.mark.integration

LONG = {"name": "long", "recipe": {"num_epochs": 2000}}


@pytest.fixture(scope="module")
def cluster(workplace):
    nodes = Nodes(workplace("cluster"), num_cpus=4)
    yield nodes
    nodes.end()
    shutil.rmtree(short_folder(nodes.folder), ignore_errors=True)


@pytest.fixture(scope="module")
def followed(cluster):
    """The tiny study, handed over and followed to its end; the connection breaks on the way."""
    proxy = Proxy(cluster.address)
    done = cluster.place.start("submit", "--follow", "--address", proxy.address, job=a_job())
    done.out = ""
    while "start second" not in done.out:
        done.out += done.stdout.readline() or pytest.fail(done.out + done.stderr.read())
    proxy.cut()
    rest, done.err = done.communicate(timeout=300)
    done.out += rest
    proxy.end()
    assert done.returncode == 0, done.err + done.out
    done.job_id = done.out.split()[1]
    return done


def predictions(folder):
    paths = sorted(folder.glob("trials/*/predictions.parquet"))
    return {path.parent.name: pq.read_table(path) for path in paths}


def test_doctor_finds_nothing_wrong(cluster):
    job = a_job()
    found = cluster.place.run("doctor", "--json", job=job)
    checks = {one["name"]: one for one in json.loads(found.out)}
    assert found.returncode == 0, found.out
    assert checks["token"]["found"] == "required, and accepted"
    assert "seen from every node" in checks["storage"]["found"]
    assert [name for name in checks if name.endswith(": Python")]


def test_following_shows_what_a_local_run_shows(followed):
    assert "done  first-s1-" in followed.out
    assert "Macro-F1" in followed.out
    assert f"{followed.job_id}: SUCCEEDED" in followed.out


def test_a_broken_connection_is_taken_up_again_and_nothing_comes_twice(followed):
    assert "connection lost" in followed.err
    for line in ("start first-", "start second-", "done  first-", "done  second-"):
        assert followed.out.count(line) == 1


def test_predictions_are_those_of_a_local_run(cluster, followed, finished):
    fetched = cluster.place.run("fetch", followed.job_id, "--runs", "home", "--json")
    copied = json.loads(fetched.out)["copied"]
    assert sum(name.endswith("record.json") for name in copied) == 2
    assert any(name.endswith("artifact/model.safetensors") for name in copied)
    local = predictions(finished.folder / "runs" / "tiny")
    assert len(local) == 2
    assert predictions(cluster.folder / "home" / "tiny") == local


def test_fetching_again_copies_only_what_is_missing(cluster, followed):
    cluster.place.run("fetch", "--runs", "again")
    lost = next((cluster.folder / "again").rglob("curve.parquet"))
    lost.unlink()
    fetched = json.loads(cluster.place.run("fetch", "--runs", "again", "--json").out)
    assert fetched["copied"] == [str(lost.relative_to(cluster.folder / "again" / "tiny"))]


def test_jobs_status_and_logs_speak_of_trials(cluster, followed):
    listed = json.loads(cluster.place.run("jobs", "--json").out)
    assert followed.job_id in [job["job_id"] for job in listed]
    assert "doctor" not in [job["study"] for job in listed]
    state = json.loads(cluster.place.run("status", followed.job_id, "--json").out)
    assert state["status"] == "SUCCEEDED"
    assert [(t["model"], t["state"]) for t in state["trials"]] == [
        ("first", "done"),
        ("second", "done"),
    ]
    lines = cluster.place.run("logs", followed.job_id, "--trial", "second").out.splitlines()
    assert lines
    assert all("second-s1-" in line for line in lines)
    shown = cluster.place.run("status", followed.job_id).out
    assert f"accuracy {state['trials'][0]['accuracy']:.4f}" in shown


def test_a_second_submit_runs_nothing_again(cluster, followed):
    again = cluster.place.run("submit", "--follow", job=a_job())
    assert again.returncode == 0
    assert "start" not in again.out
    assert "Macro-F1" in again.out


def test_stop_half_way(cluster):
    sent = json.loads(cluster.place.run("submit", "--json", job=a_job(**LONG)).out)
    place, job_id = cluster.place, sent["job_id"]
    wait_for(place, lambda s: any(t["state"] == "training" for t in s["trials"]), job_id)
    twice = cluster.place.run("submit", job=a_job(**LONG))
    assert twice.returncode == 2
    assert f"job {sent['job_id']} running it" in twice.err
    assert cluster.place.run("stop", sent["job_id"]).returncode == 0
    state = wait_for(place, lambda s: s["status"] == "STOPPED", job_id)
    assert {trial["state"] for trial in state["trials"]} == {"stopped"}


def test_a_failed_trial_tells_its_own_error_first(cluster):
    job = a_job(name="wrong", models=[{"name": "none", "model": str(cluster.folder / "nothing")}])
    failed = cluster.place.run("submit", "--follow", job=job)
    assert failed.returncode in (1, 2)
    assert "nothing" in failed.out + failed.err
    assert "Traceback" not in failed.out + failed.err


@pytest.mark.parametrize("token", [None, "0" * 64])
def test_strangers_are_refused(cluster, tmp_path, token):
    kept = tmp_path / "token"
    if token:
        kept.write_text(token)
    before = cluster.place.extra
    cluster.place.extra = before | {"RAY_AUTH_TOKEN_PATH": str(kept)}
    refused = cluster.place.run("jobs")
    cluster.place.extra = before
    assert refused.returncode == 2
    assert "want the cluster's token" in refused.err
    assert "set RAY_AUTH_TOKEN_PATH" in refused.err
    assert "Traceback" not in refused.err


def test_the_token_is_nowhere_written(cluster, followed):
    token = cluster.token()
    assert token not in cluster.place.run("logs", followed.job_id, "--all").out
    places = [cluster.folder, short_folder(cluster.folder)]
    for file in [f for place in places for f in place.rglob("*") if f.is_file()]:
        if file.name != "token":
            assert token.encode() not in file.read_bytes(), file


def test_an_id_that_is_none(cluster):
    refused = cluster.place.run("status", "../../x")
    assert refused.returncode == 2
    assert "want a job's id" in refused.err


class TwoNodes:
    """A head without CPUs and two nodes with three each."""

    def __init__(self, place):
        (dashboard,) = free_ports(1)
        self.place = place
        place.extra = {
            "RAY_ADDRESS": f"http://127.0.0.1:{dashboard}",
            "RAY_AUTH_MODE": "disabled",
            "GOMP_SPINCOUNT": "0",  # two trials share the cores: none may wait by spinning
            "PATH": f"{RAY.parent}:{os.environ['PATH']}",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.two_nodes", str(dashboard)],
            cwd=ROOT,
            env=place.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout.readline() == "up\n"

    def lose_one(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "removed\n"

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def two_nodes(workplace):
    nodes = TwoNodes(workplace("two"))
    yield nodes
    nodes.end()


def test_a_node_is_lost_in_the_middle_and_nothing_else(two_nodes):
    place = two_nodes.place
    job = a_job(name="lossy", recipe={"num_epochs": 40})
    done = place.run("submit", "--json", "--storage", str(place.folder / "storage"), job=job)
    assert done.returncode == 0, done.err
    sent = json.loads(done.out)

    def both_train(state):
        return [t["state"] for t in state["trials"]] == ["training", "training"]

    wait_for(place, both_train, sent["job_id"])
    two_nodes.lose_one()
    state = wait_for(place, lambda s: s["status"] in ("SUCCEEDED", "FAILED"), sent["job_id"])
    assert [trial["state"] for trial in state["trials"]] == ["done", "done"], state
    starts = json.loads(
        "[" + ",".join(place.run("logs", sent["job_id"], "--json").out.splitlines()) + "]"
    )
    assert any(e["event"] == "note" and "starts again" in e["text"] for e in starts)
