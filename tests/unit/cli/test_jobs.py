"""The address of a command: --address, RAY_ADDRESS, and options that exclude them."""

import pytest
from click.testing import CliRunner

from agnews_ray.cli.main import main

CLUSTER = "http://127.0.0.1:9"
"""An address where nobody answers."""


def error(*words, **variables):
    done = CliRunner(env=variables).invoke(main, words)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


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
    done = CliRunner(env={"RAY_ADDRESS": CLUSTER}).invoke(main, words)
    assert done.exit_code == 0, done.output


VERBS = [
    SUBMIT,
    ("jobs",),
    ("status",),
    ("logs",),
    ("stop", "a-b"),
    ("fetch",),
    ("doctor",),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize("address", ["auto", "ray://10.0.0.1:10001", "10.0.0.1:6379", "x y"])
def test_what_is_no_dashboards_address_is_one_line_that_names_the_variable(verb, address):
    assert error(*verb, RAY_ADDRESS=address) == (
        "error: RAY_ADDRESS: want a dashboard's address, such as http://127.0.0.1:8265, "
        f"found {address!r}; give that, or --address local for this machine"
    )


def test_or_the_flag():
    assert error("jobs", "--address", "auto").startswith("error: --address: want a dashboard's")


@pytest.mark.parametrize("verb", VERBS[1:-1], ids=lambda verb: verb[0])
@pytest.mark.parametrize("variables", [{"RAY_ADDRESS": "local"}, {"RAY_ADDRESS": ""}, {}])
def test_without_an_address_verbs_about_clusters_ask_for_one(verb, variables):
    variables |= {"RAY_API_SERVER_ADDRESS": CLUSTER}  # which is Ray's own, and not looked at
    assert error(*verb, **variables).startswith("error: --address: want the address")


@pytest.mark.parametrize(
    "variables",
    [
        {"RAY_AUTH_MODE": "nonsense"},
        {"RAY_AUTH_TOKEN": "a\nb"},
        {"RAY_AUTH_TOKEN_PATH": "/nowhere"},
        {"RAY_API_SERVER_ADDRESS": "nonsense"},
        {"RAY_JOB_HEADERS": "nonsense"},
        {"HTTP_PROXY": "nonsense"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_other_variables_change_nothing_about_where_it_goes(variables):
    assert "127.0.0.1:9" in error("jobs", "--address", CLUSTER, **variables)
