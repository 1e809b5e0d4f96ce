"""Where a study runs: which flags go together, and what a cluster is handed."""

import json

import pytest
import yaml

from agnews_ray.app import cluster_jobs
from agnews_ray.app.cluster_jobs import Submission
from tests.fakes.command import error, run

CLUSTER = "http://127.0.0.1:9"
"""An address where nobody answers."""

SUBMIT = ("submit", "--dataset", "synthetic:", "--init", "random")


@pytest.mark.parametrize(
    ("option", "instead"),
    [(("--quiet",), "leave --quiet out"), (("--runs", "here"), "use --storage instead")],
)
def test_the_variable_that_made_it_a_cluster_run_is_named(option, instead):
    assert error(*SUBMIT, *option, RAY_ADDRESS=CLUSTER) == (
        f"Error: {option[0]} is only for runs on this machine, but RAY_ADDRESS={CLUSTER} makes "
        f"this a run on a cluster; add --address local to run here, or {instead}"
    )


def test_so_is_the_flag():
    assert error(*SUBMIT, "--quiet", "--address", CLUSTER) == (
        "Error: --quiet is only for runs on this machine, but --address makes this a run "
        "on a cluster; leave --address out to run here, or leave --quiet out"
    )


def test_two_places_are_refused():
    text = error(*SUBMIT, "--runs", "a", "--storage", "b")
    assert (
        text == "Error: --runs and --storage both name the folder of the studies; give one of them"
    )


def test_address_local_is_stronger_than_the_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = (*SUBMIT, "--address", "local", "--quiet", "--runs", "r", "--dry-run")
    run(*words, RAY_ADDRESS=CLUSTER)


def test_following_is_for_clusters():
    assert error(*SUBMIT, "--follow") == (
        "Error: --follow goes with --address; a local run is always shown"
    )


def test_a_dry_run_for_a_cluster_asks_nobody():
    words = (*SUBMIT, "--seeds", "1,2", "--address", CLUSTER, "--dry-run")
    plan = yaml.safe_load(run(*words).stdout)
    assert (plan["data"]["source"], plan["seeds"]) == ("synthetic:", [1, 2])
    assert json.loads(run(*words, "--json").stdout)["seeds"] == [1, 2]


def test_a_dry_run_for_a_cluster_refuses_storage_that_only_this_machine_has():
    text = error(*SUBMIT, "--address", CLUSTER, "--dry-run", "--storage", "runs")
    assert text.startswith("error: --storage: want an absolute folder or a URI, found 'runs'; ")


@pytest.fixture
def hand_over(monkeypatch):
    """Hands a study to a cluster that takes everything."""

    def submit_study(study, address, storage, command, is_search):
        return Submission(job_id=f"{study.name}-1a2b3c", address=address, storage=storage)

    monkeypatch.setattr(cluster_jobs, "submit_study", submit_study)
    return lambda *words: run(*SUBMIT, "--name", "demo", "--address", CLUSTER, *words).stdout


@pytest.mark.parametrize(
    ("words", "place"),
    [(("--storage", "s3://b/runs"), "s3://b/runs"), ((), "the cluster's own storage")],
)
def test_a_study_that_was_handed_over_says_its_job_and_what_to_do_next(hand_over, words, place):
    assert hand_over(*words).splitlines() == [
        f"job   demo-1a2b3c on {CLUSTER}, results to {place}",
        "next: agnews-ray logs demo-1a2b3c --follow, or status, stop, fetch",
    ]


def test_a_study_that_was_handed_over_is_one_document_for_a_script(hand_over):
    assert json.loads(hand_over("--json")) == {
        "job_id": "demo-1a2b3c",
        "address": CLUSTER,
        "storage": None,
    }
