"""``agnews-ray tune``: what it refuses and plans, and what it says at the end."""

import json
from pathlib import Path

import pytest

from agnews_ray.app import cluster_jobs, tune_study
from agnews_ray.app.cluster_jobs import Submission
from tests.fakes.command import run
from tests.fakes.searches import Training, without_test_rows

JOB = """
name: toy
models: [{model: minilm, name: minilm, init: random}]
seeds: [42, 43]
data: {source: "synthetic:train=320,test=40,seed=7", validation_fraction: 0.2}
search:
  num_trials: 4
  space:
    recipe.learning_rate: {low: 1.0e-5, high: 1.0e-2, log: true}
    recipe.num_epochs: [1, 2, 3]
"""


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("job.yaml").write_text(JOB)
    return "job.yaml"


@pytest.fixture
def tuned(job, monkeypatch):
    """Tune with a made-up training; learning rates near 1e-3 are best."""
    without_test_rows(monkeypatch)
    real = tune_study.tune_study

    def tune(prepared, command, started_at, watcher):
        training = Training(lambda trial, epochs: 0.9 - abs(trial.recipe.learning_rate - 1e-3))
        return real(prepared, command, started_at, watcher, training)

    monkeypatch.setattr(tune_study, "tune_study", tune)
    return lambda *words, code=0: run("tune", job, *words, code=code)


def test_a_dry_run_says_what_would_be_searched(job):
    lines = run("tune", job, "--dry-run", "--num-trials", "7").stdout.splitlines()
    assert lines[-3].startswith("search of 7 setting(s) a model x 1 seed(s) by tpe, stopped early")
    assert lines[-2:] == [
        "  recipe.learning_rate: 1e-05 to 0.01 (logarithm)",
        "  recipe.num_epochs: 1, 2, 3",
    ]


def test_the_flags_of_the_search_override_the_job_file(job):
    words = ("--tune-seeds", "2", "--searcher", "random", "--scheduler", "none")
    document = json.loads(run("tune", job, *words, "--dry-run", "--json").stdout)
    search = document["study"]["search"]
    assert (search["num_seeds"], search["searcher"], search["scheduler"]) == (2, "random", "none")


def test_a_wrong_space_is_one_line_and_starts_nothing(job):
    Path(job).write_text(JOB.replace("learning_rate", "learning_rat"))
    done = run("tune", job, code=2)
    assert "search.space.recipe.learning_rat: want a field of recipe" in done.stderr
    assert not Path("runs").exists()


def test_a_job_without_a_search_is_told_what_to_add(job):
    Path(job).write_text("models: [{model: minilm, init: random}]\n")
    assert "search: {space: {recipe.num_epochs: [1, 2, 3]}}" in run("tune", job, code=2).stderr


def test_it_ends_with_table_winner_and_what_to_do_next(tuned):
    lines = tuned().stdout.splitlines()
    assert any(line.startswith("minilm (tuned)") for line in lines)
    assert lines[-2].startswith("minilm: best of 4 settings (")
    assert lines[-1].startswith("next: agnews-ray submit runs/toy/best.yaml")
    assert Path("runs/toy/best.yaml").is_file()


def test_a_script_gets_the_winners_too(tuned):
    document = json.loads(tuned("--json").stdout)
    (winner,) = document["winners"]
    assert (winner["variant"], winner["num_tried"], winner["is_default"]) == ("minilm", 4, False)
    assert {row["model"] for row in document["rows"]} == {"minilm", "minilm (tuned)"}


def test_a_cluster_is_handed_a_search(job, monkeypatch):
    handed = []

    def submit_study(study, address, storage, command, is_search):
        handed.append((study.search.num_trials, is_search))
        return Submission(job_id="toy-1", address=address, storage=storage)

    monkeypatch.setattr(cluster_jobs, "submit_study", submit_study)
    run("tune", job, "--address", "http://127.0.0.1:9")
    assert handed == [(4, True)]
