"""Runs in MLflow: in a store of SQLite, and on a real local server, asked by its REST API."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.error import URLError

import pytest

from agnews_ray.errors import TrackerError
from agnews_ray.track.mlflow_tracker import MAX_METRICS
from agnews_ray.track.tracked_trial import TrackedStudy
from agnews_ray.track.tracker import open_tracker
from tests.fakes.tracked import a_curve, a_tracked_trial, measured_later

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of SQLAlchemy, to MLflow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of an MLflow server of our own."""
    pytest.importorskip("flask", reason="MLflow's server needs flask")
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["server", "--backend-store-uri", f"sqlite:///{folder}/server.db", "--workers", "1"]
    words += ["--artifacts-destination", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                "MLFLOW_DISABLE_TELEMETRY": "1",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            },
        )
    address = f"http://127.0.0.1:{port}"
    try:
        while not answers(address):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address):
    try:
        with urllib.request.urlopen(f"{address}/health") as answer:
            return answer.status == 200
    except (URLError, ConnectionError):
        return False


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture(params=["store", "server"])
def uri(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def study(request):
    """A name of its own for each test: a new store takes seconds."""
    return f"news-{abs(hash(request.node.name))}"


@pytest.fixture
def tracker(uri, tmp_path):
    return open_tracker("mlflow", uri, tmp_path)


def runs_of(uri, study):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(study)
    return client, client.search_runs([experiment.experiment_id])


def history(client, run, name):
    found = client.get_metric_history(run.info.run_id, name)
    return sorted((one.step, one.value) for one in found)


def test_a_trial_is_a_run_with_all_that_is_known(tracker, uri, study):
    assert tracker.export(a_tracked_trial(study=study)) == "new"
    client, (run,) = runs_of(uri, study)
    assert run.data.tags["trial_id"] == "one-s1"
    assert run.data.tags["artifact"] == "/runs/news/trials/one-s1/artifact"
    assert run.data.params["recipe.learning_rate"] == "2e-05"
    assert run.data.metrics["test/accuracy_low"] == 0.8
    assert history(client, run, "train/loss") == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert (run.info.status, run.info.run_name) == ("FINISHED", "one · seed 1")
    assert run.info.start_time == 1_000_000_000_000


def test_a_second_export_changes_nothing(tracker, uri, study, tmp_path):
    tracker.export(a_tracked_trial(study=study))
    again = open_tracker("mlflow", uri, tmp_path)
    assert again.export(a_tracked_trial(study=study)) == "unchanged"
    client, (run,) = runs_of(uri, study)
    assert len(history(client, run, "train/loss")) == 3


def test_a_measured_cost_is_added_to_the_same_run(tracker, uri, study):
    trial = a_tracked_trial(study=study)
    tracker.export(trial)
    _, (before,) = runs_of(uri, study)
    assert tracker.export(measured_later(trial)) == "updated"
    client, (run,) = runs_of(uri, study)
    assert run.info.run_id == before.info.run_id
    assert run.data.metrics["cost/cpu/latency_p50_ms"] == 12.5
    assert history(client, run, "train/loss") == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert history(client, run, "test/accuracy") == [(0, 0.9)]


def test_other_settings_than_a_runs_give_another_run(tracker, uri, study):
    tracker.export(a_tracked_trial(study=study))
    changed = a_tracked_trial(study=study, parameters={"seed": 1, "recipe.learning_rate": 1e-4})
    assert tracker.export(changed) == "updated"
    _, (run,) = runs_of(uri, study)
    assert run.data.params["recipe.learning_rate"] == "0.0001"


def test_what_a_killed_export_left_is_completed(tracker, uri, study):
    trial = a_tracked_trial(study=study)
    tracker.export(trial)
    client, (run,) = runs_of(uri, study)
    client.delete_tag(run.info.run_id, "agnews_ray.digest")  # written last
    tracker.export(trial)
    client, (again,) = runs_of(uri, study)
    assert again.info.run_id == run.info.run_id
    assert len(history(client, again, "train/loss")) == 3
    assert tracker.export(trial) == "unchanged"


def test_a_users_own_run_with_that_tag_is_left_alone(tracker, uri, study):
    tracker.export(a_tracked_trial(study=study))
    client, (run,) = runs_of(uri, study)
    client.create_run(run.info.experiment_id, tags={"trial_id": "one-s1"})
    tracker.export(measured_later(a_tracked_trial(study=study)))
    assert len(runs_of(uri, study)[1]) == 2


def test_a_diverged_trial_is_a_failed_run(tracker, uri, study):
    tracker.export(a_tracked_trial(study=study, diverged="loss is not a number"))
    _, (run,) = runs_of(uri, study)
    assert run.info.status == "FAILED"
    assert "loss is not a number" in run.data.tags["mlflow.note.content"]


def test_limits_and_names_of_mlflow_are_kept(tracker, uri, study):
    trial = a_tracked_trial(
        study=study,
        parameters={f"p{number}": "x" * 7000 for number in range(120)},
        tags={"trial_id": "one-s1", "command": "y" * 9000},
        scores={"test/f1/Sci&Tech": 0.5, "test/f1/Sci+Tech": 0.6, "test/f1/../x": 0.7},
        curves={"train/loss": a_curve([1.0] * (2 * MAX_METRICS + 1))},
    )
    tracker.export(trial)
    client, (run,) = runs_of(uri, study)
    assert len(run.data.params) == 120
    assert {len(value) for value in run.data.params.values()} == {6000}
    assert len(run.data.tags["command"]) == 8000
    assert run.data.metrics["test/f1/Sci_Tech"] == 0.5
    assert run.data.metrics["test/f1/Sci_Tech 2"] == 0.6
    assert run.data.metrics["test/f1/__/x"] == 0.7
    assert len(history(client, run, "train/loss")) == 2 * MAX_METRICS + 1


def test_a_live_run_is_replaced_by_the_export(tracker, uri, study):
    tracker.live_start(study, "one-s1", "one · seed 1")
    tracker.live_point("one-s1", 2, {"train/loss": 0.4})
    client, (live,) = runs_of(uri, study)
    assert (live.info.status, history(client, live, "train/loss")) == ("RUNNING", [(2, 0.4)])
    assert tracker.export(a_tracked_trial(study=study)) == "new"
    client, (run,) = runs_of(uri, study)
    assert history(client, run, "train/loss") == [(1, 1.0), (2, 0.5), (3, 0.25)]


def test_what_a_killed_attempt_left_goes_when_the_trial_starts_again(tracker, uri, study, tmp_path):
    tracker.live_start(study, "one-s1", "one · seed 1")
    again = open_tracker("mlflow", uri, tmp_path)
    again.live_start(study, "one-s1", "one · seed 1")
    again.live_end("one-s1", "interrupted")
    _, (run,) = runs_of(uri, study)
    assert run.info.status == "KILLED"


def test_the_experiment_says_what_was_found(tracker, uri, study):
    facts = {"accuracy of one": "0.9000 [0.8000, 0.9500]"}
    whole = TrackedStudy(
        name=study, question="Which?", findings=("one is best.",), scores=facts, table="| a |"
    )
    tracker.describe(whole)
    tracker.describe(whole)
    from mlflow import MlflowClient

    tags = MlflowClient(tracking_uri=uri).get_experiment_by_name(study).tags
    assert tags["verdict"] == "one is best."
    assert tags["accuracy of one"] == "0.9000 [0.8000, 0.9500]"
    assert tags["mlflow.note.content"] == "Which?\n\n- one is best.\n\n| a |"


def test_the_pages_of_the_server_can_ask_for_runs_and_curves(server, study, tmp_path):
    tracker = open_tracker("mlflow", server, tmp_path)
    tracker.export(a_tracked_trial(study=study))
    api = f"{server}/ajax-api/2.0/mlflow"
    found = ask(f"{api}/experiments/get-by-name?experiment_name={study}")
    query = {
        "experiment_ids": [found["experiment"]["experiment_id"]],
        "filter": "tags.trial_id = 'one-s1'",
    }
    (run,) = ask(f"{api}/runs/search", query)["runs"]
    curve = ask(f"{api}/metrics/get-history?metric_key=train/loss&run_id={run['info']['run_id']}")
    assert [point["value"] for point in curve["metrics"]] == [1.0, 0.5, 0.25]
    assert tracker.how_to_look(study).startswith(f"{server}/#/experiments/")


def ask(url, content=None):
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_a_deleted_experiment_says_how_to_get_it_back(store, study, tmp_path):
    tracker = open_tracker("mlflow", store, tmp_path)
    tracker.export(a_tracked_trial(study=study))
    client, (run,) = runs_of(store, study)
    client.delete_experiment(run.info.experiment_id)
    with pytest.raises(TrackerError, match="mlflow experiments restore --experiment-id"):
        open_tracker("mlflow", store, tmp_path).export(a_tracked_trial(study=study))


def test_the_users_address_is_used(store, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    tracker = open_tracker("mlflow", None, tmp_path / "runs")
    assert tracker.destination == store
    assert not (tmp_path / "runs").exists()


def test_a_server_that_is_not_there_is_found_when_it_is_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackerError, match=r"at http://127\.0\.0\.1:9"):
        open_tracker("mlflow", "http://127.0.0.1:9", tmp_path)


def test_a_folder_which_mlflow_no_longer_takes_is_refused(tmp_path):
    with pytest.raises(TrackerError, match=r"sqlite:///FILE\.db"):
        open_tracker("mlflow", "mlruns", tmp_path)
