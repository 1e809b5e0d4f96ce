import pickle
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from ray.exceptions import RayActorError
from ray.train.v2.api.exceptions import WorkerGroupError

from agnews_ray.engine.fused.graphs import recording_error
from agnews_ray.errors import AgnewsError
from agnews_ray.record.attempts import AttemptLog
from agnews_ray.record.store import StudyStore
from agnews_ray.run import attempt_loop, trainer
from agnews_ray.run.inputs import TrialInputs
from agnews_ray.run.recording import Recorder
from agnews_ray.run.retries import Retries
from agnews_ray.run.told import TrialProgress
from agnews_ray.run.trainer import TrialRunner
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.study import StudySpec
from tests.fakes.records import a_dataset
from tests.unit.run.test_queue import some_trials

DATA = TrialInputs(tokenizer=None, splits={"train": SimpleNamespace(is_resident=True)})


class DoneError(Exception):
    """The trial was trained; what follows is not looked at."""


class ScriptedRunner(TrialRunner):
    """Trains by a script: an error for each attempt, None for one that trains."""

    def _train(self, trial, inputs, config):
        self.study_script["given"].append(config.unrecorded)
        self.study_script["passes"].append(config.passes)
        error = self.study_script["errors"].pop(0)
        raise WorkerGroupError("worker group failed", {0: error}) if error else DoneError


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setattr(attempt_loop, "forget_progress", lambda trial_id: None)
    monkeypatch.setattr(attempt_loop, "latest_progress", lambda trial_ids: [])
    monkeypatch.setattr(trainer, "forget_questions", lambda trial_id, steps: None)

    def run(errors, passes=None, max_failures=0, **trial):
        passes = [] if passes is None else passes
        script, said = {"errors": errors, "given": [], "passes": passes}, []
        monkeypatch.setattr(ScriptedRunner, "study_script", script, raising=False)
        runner = ScriptedRunner(
            recorder=Recorder(study=StudySpec(), dataset=a_dataset(), command=""),
            store=StudyStore(tmp_path, "study"),
            groups=None,
            log_hint="read the log",
            threads_per_worker=1,
            max_failures=max_failures,
            on_retry=lambda retry: said.append(retry.text),
        )
        try:
            runner.run(replace(some_trials(1)[0], **trial), DATA, 0.0)
        except DoneError:
            return script["given"], said
        except AgnewsError as error:
            return script["given"], [*said, str(error)]
        raise AssertionError

    return run


def a_broken_recording():
    error = recording_error(RuntimeError("operation not permitted when stream is capturing"))
    return pickle.loads(pickle.dumps(error))


def test_a_trial_whose_recording_breaks_begins_once_more_without(run):
    given, said = run([a_broken_recording(), None])
    why = "RuntimeError: operation not permitted when stream is capturing"
    assert given == [None, why]
    assert said == [f"trial t0 starts again, unrecorded: {why}"]


def test_it_does_so_once(run):
    given, said = run([a_broken_recording(), a_broken_recording()])
    assert len(given) == 2
    assert "AGNEWS_RAY_CUDA_GRAPHS=0" in said[-1]


def test_the_switch_reaches_the_workers(run, monkeypatch):
    monkeypatch.setenv("AGNEWS_RAY_CUDA_GRAPHS", "0")
    assert run([None])[0] == ["AGNEWS_RAY_CUDA_GRAPHS is 0"]


def test_rungs_without_a_validation_split_are_refused(run):
    assert run([], rungs=(2,)) == (
        [],
        [
            "trial t0: want a validation split for its rungs, found none; set "
            "data.validation_fraction"
        ],
    )


def a_full_gpu():
    return pickle.loads(pickle.dumps(torch.OutOfMemoryError("CUDA out of memory. Tried to")))


def test_a_full_gpu_gets_passes_of_fewer_rows_and_at_last_the_error(run):
    passes = []
    recipe = RecipeSpec(global_batch_size=3)
    said = run([a_full_gpu() for _ in range(3)], passes, recipe=recipe)[1]
    assert passes == [1, 2, 3]
    assert said[:2] == [
        f"trial t0 ran out of GPU memory, starts again with {number} passes per step"
        for number in (2, 3)
    ]
    assert "a GPU with memory for one row per pass" in said[2]


def test_the_attempts_are_noted_beside_the_checkpoints(run, tmp_path):
    run([RayActorError(error_msg="gone"), a_full_gpu(), ValueError("x")], max_failures=1)
    log = AttemptLog(str(tmp_path / "study" / ".checkpoints" / "t0"))
    assert [one.cause for one in log.attempts] == ["lost worker", "out of memory", "error"]


def test_an_interrupt_is_noted_with_the_last_step(tmp_path, monkeypatch):
    latest = TrialProgress(trial_id="t0", phase="training", step=9, machine="m")
    monkeypatch.setattr(trainer, "latest_progress", lambda trial_ids: [latest])
    runner = TrialRunner(
        recorder=Recorder(study=StudySpec(), dataset=a_dataset(), command=""),
        store=StudyStore(tmp_path, "study"),
        groups=None,
        log_hint="read the log",
        threads_per_worker=1,
        on_retry=[].append,
    )
    with runner.attempts_at("t0", Retries(max_failures=0)) as loop:
        loop.log.begin()
        runner.note_interrupt()
        loop.log.end("error", "Ray has gone")  # the trial's thread hears of it later
    (found,) = loop.log.attempts
    assert (found.cause, found.text, found.last_step) == ("interrupted", "by the user", 9)
