"""What is noted of an attempt, and what its failure is taken for; tests of `trainer` run it."""

import pickle

import pytest
import torch
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayActorError, WorkerCrashedError
from ray.train import WorkerGroupError

from agnews_ray.errors import DataError
from agnews_ray.record.attempts import AttemptLog
from agnews_ray.run import attempt_loop
from agnews_ray.run.attempt_loop import AttemptLoop
from agnews_ray.run.failures import failure_of, step_note
from agnews_ray.run.retries import Retries
from agnews_ray.run.told import TrialProgress


def noted(error, step):
    error.add_note(step_note(step))
    return pickle.loads(pickle.dumps(error))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RayActorError(preempted=True), "preempted"),
        (ActorDiedError(), "lost worker"),
        (WorkerCrashedError(), "lost worker"),
        (OutOfMemoryError("memory pressure"), "full memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "full GPU"),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling"), "full GPU"),
        (DataError("a", "b", "c", "d"), "ours"),
        (ValueError("x"), "error"),
    ],
)
def test_the_cause_is_found_whichever_rank_tells_it(error, kind):
    of_others = RuntimeError("connection closed by peer")
    assert failure_of(WorkerGroupError("", {0: error, 1: of_others})).kind == kind


def test_a_worker_says_after_which_step_it_failed():
    error = WorkerGroupError("", {0: noted(ValueError("x"), 37)})
    failure = failure_of(error, step=35)
    assert (failure.step, failure.text) == (37, "ValueError: x")


def test_a_trial_that_starts_again_has_two_attempts(monkeypatch, tmp_path):
    progress = TrialProgress(trial_id="t", phase="training", step=35, from_step=30, machine="m")
    monkeypatch.setattr(attempt_loop, "latest_progress", lambda trial_ids: [progress])
    monkeypatch.setattr(attempt_loop, "forget_progress", lambda trial_id: None)
    said, results = [], [WorkerGroupError("", {0: ActorDiedError()}), "done"]

    def attempt():
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    log = AttemptLog(str(tmp_path))
    loop = AttemptLoop(trial_id="t", log=log, retries=Retries(max_failures=1), on_retry=said.append)
    assert loop.run(attempt) == "done"
    (retry,) = said
    assert retry.text == "trial t lost a worker or its node, starts again"
    assert (retry.trial_id, retry.cause, retry.attempt, retry.step) == ("t", "lost worker", 2, 35)
    assert [(a.cause, a.from_step, a.last_step) for a in log.attempts] == [
        ("lost worker", 30, 35),
        ("finished", 30, 35),
    ]
