"""``agnews-ray doctor`` and ``cluster check``: what they print, and their exit codes."""

import json

import pytest

from agnews_ray.app import diagnose
from agnews_ray.cluster.checks import failed, passed, warned
from tests.fakes.command import error, run

CLUSTER = "http://127.0.0.1:9"
"""An address where nobody answers."""

FINE, DOUBT = passed("disk", "9 GiB"), warned("hub", "cache", "go on")
TROUBLE = failed("a", "b", "c")


@pytest.fixture
def find(monkeypatch):
    """Has this machine's examination end in these findings; gives what was examined."""
    examined = []

    def find(*checks):
        def examine(study, location):
            examined.append((study.name, location))
            return list(checks)

        monkeypatch.setattr(diagnose, "examine_here", examine)
        return examined

    return find


@pytest.mark.parametrize(
    ("checks", "code"),
    [((FINE,), 0), ((FINE, DOUBT), 0), ((DOUBT, TROUBLE, FINE), 1), ((), 0)],
)
def test_only_what_will_fail_is_exit_code_1(find, checks, code):
    find(*checks)
    run("doctor", code=code)


def test_each_finding_is_a_line_with_what_to_do(find):
    find(FINE, DOUBT, TROUBLE)
    assert run("doctor", code=1).stdout.splitlines() == [
        "ok       disk: 9 GiB",
        "warning  hub: cache; go on",
        "error    a: b; c",
    ]


def test_a_script_gets_all_findings_as_one_document(find):
    find(FINE, TROUBLE)
    assert json.loads(run("doctor", "--json", code=1).stdout) == [
        {"name": "disk", "level": "ok", "found": "9 GiB", "hint": ""},
        {"name": "a", "level": "error", "found": "b", "hint": "c"},
    ]


def test_the_study_of_a_job_file_is_examined_where_it_would_lie(find, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text("name: mine\nmodels: [bert]\n")
    examined = find()
    run("doctor", "job.yaml")
    run("doctor", "job.yaml", "--storage", "s3://bucket/runs")
    assert examined == [("mine", "runs"), ("mine", "s3://bucket/runs")]


def test_a_cluster_that_does_not_answer_is_a_finding(find):
    examined = find(FINE)
    done = run("doctor", "--address", CLUSTER, code=1, RAY_AUTH_MODE="disabled")
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"error    cluster: {CLUSTER}: nobody there; check the address")
    assert examined == []  # this machine is not the one that trains


def test_a_cluster_file_that_is_none_is_one_line(tmp_path):
    (tmp_path / "file.yaml").write_text("[1, 2]\n")
    text = error("cluster", "check", tmp_path / "file.yaml")
    assert "want a mapping, found list; see cluster.yaml of this project" in text


def test_a_cluster_file_with_a_fault_is_exit_code_1(tmp_path):
    (tmp_path / "file.yaml").write_text("cluster_name: a\nmax_wrkers: 3\n")
    done = run("cluster", "check", tmp_path / "file.yaml", code=1)
    assert done.stdout.startswith("error    ray's schema: ")
