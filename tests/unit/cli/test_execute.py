"""What a job runs: its events, its exit code, and where its results go; the training is made up."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from agnews_ray.app import execute_job as module
from agnews_ray.cluster.events import read_events
from agnews_ray.errors import ClusterError
from tests.fakes.command import run


@pytest.fixture(autouse=True)
def _job(tmp_path, monkeypatch):
    """The working folder of a job, with its study; the command leaves it."""
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text("name: demo\nmodels: [bert]\n")


@pytest.fixture
def executed(monkeypatch):
    """Stands in for the training, with an outcome; gives what it was asked for."""
    executed = SimpleNamespace(outcome=SimpleNamespace(notes=(), failed={}), asked=[])

    def execute_job(study, location, command, started_at, events):
        executed.asked.append((study.name, location, command, str(Path.cwd())))
        return executed.outcome

    monkeypatch.setattr(module, "execute_job", execute_job)
    return executed


def execute(*words, **options):
    done = run("execute", "study.yaml", "--command", "agnews-ray submit", *words, **options)
    return list(read_events(done.stdout.splitlines()))


def test_the_study_is_run_away_from_the_folder_that_ray_may_replace(executed):
    execute("--storage", "s3://bucket/runs")
    assert executed.asked == [("demo", "s3://bucket/runs", "agnews-ray submit", "/")]


@pytest.mark.parametrize(
    ("words", "variables", "location"),
    [
        ((), {}, "home/agnews-ray"),
        (("--storage", "~/mine"), {}, "home/mine"),
        ((), {"AGNEWS_RAY_STORAGE": "~/theirs"}, "home/theirs"),
    ],
)
def test_storage_lies_in_the_home_folder_unless_it_is_named(
    executed, tmp_path, words, variables, location
):
    execute(*words, HOME=str(tmp_path / "home"), **variables)
    assert executed.asked[0][1] == str(tmp_path / location)


@pytest.mark.parametrize(("failed", "code"), [({}, 0), ({"t1": ValueError()}, 1)])
def test_notes_and_the_end_are_events_and_a_failed_trial_is_exit_code_1(executed, failed, code):
    executed.outcome = SimpleNamespace(notes=("rows were not kept",), failed=failed)
    note, end = execute(code=code)
    assert (note.event, note.text, end.event) == ("note", "rows were not kept", "end")


def test_an_error_is_an_event_too(executed):
    Path("study.yaml").write_text("models: 5\n")
    (event,) = execute(code=2)
    assert event.event == "error"
    assert "models" in event.error
    assert executed.asked == []


def probe(*words, code=0):
    done = run("probe", "--storage", "s3://bucket/runs", *words, code=code)
    return list(read_events(done.stdout.splitlines()))


@pytest.mark.parametrize(("words", "hub_ids"), [((), []), (("--hub-ids", "a,b/c"), ["a", "b/c"])])
def test_what_doctor_asks_for_is_one_event(monkeypatch, words, hub_ids):
    def probe_job(location, hub_ids):
        return {"storage": location, "asked": hub_ids}

    monkeypatch.setattr(module, "probe_job", probe_job)
    (event,) = probe(*words)
    assert json.loads(event.facts) == {"storage": "s3://bucket/runs", "asked": hub_ids}


def test_a_probe_that_fails_says_why(monkeypatch):
    def probe_job(location, hub_ids):
        raise ClusterError("node 10.0.0.1", "an answer", "none", "check that node")

    monkeypatch.setattr(module, "probe_job", probe_job)
    (event,) = probe(code=2)
    assert event.error == "node 10.0.0.1: want an answer, found none; check that node"
