"""What is printed of a study that has ended: table, failures, places, one document."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from agnews_ray.app import launch
from agnews_ray.app.launch import StudyOutcome
from agnews_ray.cli.outcome_text import explain_interrupt
from agnews_ray.errors import TrialError
from agnews_ray.record.store import StudyStore
from tests.fakes.command import run
from tests.fakes.records import a_record, an_attempt
from tests.fakes.studies import a_study


@pytest.fixture
def submit(news_folder, tmp_path, monkeypatch):
    """Submits a study of two seeds whose training is made up; some of its trials fail."""
    monkeypatch.chdir(tmp_path)
    study = ("--models", "bert", "--init", "random", "--dataset", news_folder, "--seeds", "1,2")

    def submit(*words, failed_seeds=(), notes=(), attempts=()):
        def execute_study(prepared, command, started_at, screen):
            done = [trial for trial in prepared.trials if trial.seed not in failed_seeds]
            return StudyOutcome(
                prepared=prepared,
                records=tuple(_record(trial, attempts) for trial in done),
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


def _record(trial, attempts):
    return a_record(trial.trial_id, "bert", trial.seed, attempts=attempts)


def test_a_study_ends_with_its_table_and_where_its_results_are(submit):
    done = submit("--name", "demo", notes=("one was kept",))
    assert "Macro-F1" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "results in runs/demo, Ray's log in runs/demo/submit.log"
    )
    assert done.stderr == "note: one was kept\n"


def test_a_trial_that_was_interrupted_is_told_of_below_the_table(submit):
    attempts = (an_attempt(0, 40, "lost worker"), an_attempt(30, 80))
    done = submit("--seeds", "1", attempts=attempts)
    *_, line, _ = done.stdout.splitlines()
    assert line.endswith(": 2 attempts (1 lost worker), 10 steps made again, 15 s lost")


def test_a_script_is_told_of_interrupted_trials(submit):
    attempts = (an_attempt(0, 40, "lost worker"), an_attempt(30, 80))
    (one,) = json.loads(submit("--json", "--seeds", "1", attempts=attempts).stdout)["interrupted"]
    assert (one["causes"], one["num_steps_repeated"]) == ({"lost worker": 1}, 10)


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
