"""``agnews-ray submit``: what it refuses, what it plans, what it hands over and prints."""

import json
from pathlib import Path

import pytest

from tests.fakes.command import run

CLUSTER = "http://127.0.0.1:9"
"""An address where nobody answers."""

SUBMIT = ("submit", "--dataset", "synthetic:", "--init", "random")


@pytest.fixture
def fails(tmp_path, monkeypatch):
    """Run a submit that must be refused, in an empty folder; give its one line."""
    monkeypatch.chdir(tmp_path)

    def check(*words):
        done = run("submit", *words, code=2)
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "runs" / "x").exists()
        return done.stderr.strip()

    return check


def test_a_dry_run_shows_the_plan_and_starts_nothing(news_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [
        "submit",
        "--init",
        "random",
        "--dataset",
        str(news_folder),
        "--seeds",
        "1,2",
        "--dry-run",
    ]
    plan = run(*words).stdout
    assert "global_batch_size: 16" in plan
    assert "40 train and 4 test rows, 4 classes (1, 2, 3, 4), integers from 1" in plan
    document = json.loads(run(*words, "--json").stdout)
    assert [(t["seed"], t["num_steps"], t["is_finished"]) for t in document["trials"]] == [
        (1, 6, False),
        (2, 6, False),
        (1, 6, False),
        (2, 6, False),
    ]
    assert all(t["trial_id"] in plan for t in document["trials"])
    assert not list((tmp_path / "runs").glob("[!.]*"))


def test_a_dry_run_says_what_is_a_variants_own_of_the_recipe(news_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = "{model: bert, name: two, init: random, recipe: {num_epochs: 1}}"
    models = f"models: [{{model: bert, init: random}}, {own}]\nrecipe: {{precision: fp32}}\n"
    Path("job.yaml").write_text(f"{models}data: {{source: {news_folder}}}\n")
    plan = run("submit", "job.yaml", "--dry-run").stdout
    assert "recipe:\n    num_epochs: 1\n" in plan
    assert "3 steps, cpu, fp32, recipe of its own (num_epochs 1), to run" in plan
    document = json.loads(run("submit", "job.yaml", "--dry-run", "--json").stdout)
    assert [(t["recipe"], t["num_steps"]) for t in document["trials"]] == [
        ({}, 6),
        ({"num_epochs": 1}, 3),
    ]


def test_the_lowest_label_can_be_said(news_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["submit", "--init", "random", "--dataset", str(news_folder), "--dry-run"]
    assert "integers from 1" in run(*words, "--label-base", "1").stdout
    assert "want integer labels from 0" in run(*words, "--label-base", "0", code=2).stderr


def test_an_engine_goes_into_every_model_and_its_name(news_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["submit", "--init", "random", "--dataset", str(news_folder), "--dry-run", "--json"]
    plans = [
        json.loads(run(*words, *more).stdout)["trials"] for more in ([], ["--engine", "reference"])
    ]
    assert [t["model"] for t in plans[1]] == [
        "distilbert-base-uncased (fresh, reference)",
        "microsoft/MiniLM-L12-H384-uncased (fresh, reference)",
    ]
    assert not {t["trial_id"] for t in plans[0]} & {t["trial_id"] for t in plans[1]}


def test_this_folder_is_a_dataset_too(news_folder, monkeypatch):
    monkeypatch.chdir(news_folder)
    assert "study news-" in run("submit", "--init", "random", "--dataset", ".", "--dry-run").stdout


@pytest.mark.parametrize("models", ["5", "distilbert", "[5]"])
def test_models_of_a_wrong_kind_are_told(fails, tmp_path, models):
    (tmp_path / "job.yaml").write_text(f"models: {models}")
    assert "models" in fails("job.yaml", "--init", "random")


def test_the_cards_command_is_the_papers_study(fails):
    text = fails("--models", "distilbert,minilm", "--dry-run")
    assert text.startswith(
        "error: dataset 'fancyzhx/ag_news': want the Hugging Face hub or its cache"
    )
    for way in ("HF_ENDPOINT", "--dataset", "cache"):
        assert way in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--models", "distilbret"], "did you mean 'distilbert'?"),
        (["--model", "bert"], "No such option"),
        (["--dataset", "synthetic:", "--epochs", "0"], "recipe.num_epochs: want greater than"),
        (["--dataset", "synthetic:", "--epochs", "two"], "recipe.num_epochs: want a whole number"),
        (
            ["--num-workers", "2", "--engine", "reference"],
            "scaling.num_workers: want 1 with engine: reference, found 2",
        ),
        (["--num-workers", "3"], "want a multiple of scaling.num_workers (3), found 16; use 18"),
        (["--dataset", "./nowhere"], "no such file or folder; check the path given to --dataset"),
        (
            ["--dataset", "synthetic:train=12", "--init", "random"],
            "at least one global batch (16 rows), found 12",
        ),
        (["--dataset", "synthetic:", "--device", "cuda", "--init", "random"], "want a CUDA GPU"),
        (["--dataset", "synthetic:", "--init", "random", "--name", "../x"], "name: want letters"),
        (["nowhere.yaml"], "nowhere.yaml: want a readable file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line_and_starts_nothing(fails, words, expected):
    if "cuda" in words:
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
    assert expected in fails(*words)


def test_a_label_outside_the_set_is_told_with_its_row(fails, news_folder):
    with (news_folder / "train.csv").open("a") as file:
        file.write('"x","a","b"\n')
    assert "train.csv, row 41: want a number from 1 to 4 without gaps, found 'x'" in fails(
        "--dataset", str(news_folder), "--init", "random"
    )


def test_a_runs_folder_that_cannot_be_written_is_told(fails, tmp_path):
    (tmp_path / "file").touch()
    words = ["--dataset", "synthetic:", "--init", "random", "--runs", "file/runs"]
    assert "want a folder to write to" in fails(*words)
