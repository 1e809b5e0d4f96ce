"""``agnews-ray submit``: what it refuses, what it plans, what it hands over and prints."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from agnews_ray.app import cluster_jobs, launch
from agnews_ray.app.cluster_jobs import Submission
from agnews_ray.app.launch import StudyOutcome
from agnews_ray.cli.outcome_text import explain_interrupt
from agnews_ray.errors import TrialError
from agnews_ray.record.store import StudyStore
from tests.fakes.command import error, run
from tests.fakes.records import a_record
from tests.fakes.studies import a_study

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


@pytest.fixture
def submit(news_folder, tmp_path, monkeypatch):
    """Submits a study of two seeds whose training is made up; some of its trials fail."""
    monkeypatch.chdir(tmp_path)
    study = ("--models", "bert", "--init", "random", "--dataset", news_folder, "--seeds", "1,2")

    def submit(*words, failed_seeds=(), notes=()):
        def execute_study(prepared, command, started_at, screen):
            done = [trial for trial in prepared.trials if trial.seed not in failed_seeds]
            return StudyOutcome(
                prepared=prepared,
                records=tuple(a_record(trial.trial_id, "bert", trial.seed) for trial in done),
                failed={
                    trial.trial_id: TrialError("its node", "a result", "none", "try again")
                    for trial in prepared.trials
                    if trial.seed in failed_seeds
                },
                notes=notes,
            )

        monkeypatch.setattr(launch, "execute_study", execute_study)
        return run("submit", *study, *words, code=1 if failed_seeds else 0)

    return submit


def test_a_study_ends_with_its_table_and_where_its_results_are(submit):
    done = submit("--name", "demo", notes=("one was kept",))
    assert "Macro-F1" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "results in runs/demo, Ray's log in runs/demo/submit.log"
    )
    assert done.stderr == "note: one was kept\n"


def test_a_failed_trial_is_exit_code_1_and_the_others_have_their_table(submit):
    done = submit(failed_seeds=(2,))
    assert "Macro-F1" in done.stdout
    assert done.stderr == "error: 1 of 2 trial(s) failed (see above)\n"


def test_a_quiet_run_prints_a_failure_at_its_end(submit):
    done = submit("--quiet", failed_seeds=(2,))
    assert not done.stdout.startswith("study ")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(": its node: want a result, found none; try again")


def test_a_study_of_which_nothing_finished_has_no_table(submit):
    assert "Macro-F1" not in submit("--quiet", failed_seeds=(1, 2)).stdout


def test_a_script_gets_one_document_of_what_ran_and_what_failed(submit):
    document = json.loads(submit("--name", "demo", "--json", failed_seeds=(2,)).stdout)
    (row,) = document["rows"]
    ((trial_id, error_text),) = document["failed"].items()
    assert (document["study"], row["seeds"]) == ("demo", [1])
    assert "-s2-" in trial_id
    assert error_text == "its node: want a result, found none; try again"
    assert document["folder"] == str(Path("runs/demo").absolute())


def test_an_interrupt_says_what_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = StudyStore.at(a_study(tmp_path / "runs"))
    assert explain_interrupt(None) == "interrupted: nothing was started"
    assert explain_interrupt(SimpleNamespace(store=store)) == (
        "interrupted: 6 finished trial(s) kept in runs/study; the same command runs the rest"
    )
