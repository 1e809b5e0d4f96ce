"""A trial's questions whether it goes on, and the driver's answers.

A search decides at a trial's rungs: after some of its steps rank 0 posts the validation scores in
Ray's key-value store and waits, and the driver, which knows the scores of the other trials,
answers. Each trial has at most one open question.
"""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

import ray
from ray.exceptions import RayError

from agnews_ray.compat.of_ray import kv_delete, kv_get, kv_put
from agnews_ray.record.schema import RungScore

POLL_S = 0.01
"""The time between two polls of a worker that waits for an answer; it trains nothing meanwhile."""

GO_ON, STOP = b"go on", b"stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A trial that waits at a rung; a trial that starts again asks at each of its rungs again."""

    trial_id: str
    score: RungScore
    """The validation scores so far, with their step; their values are None if logits are not
    numbers."""


def open_questions(trial_ids: Iterable[str]) -> list[Question]:
    """Read the questions that wait for an answer; the driver calls this.

    Args:
        trial_ids: the ids of the trials that run now.

    Returns:
        The questions of those that wait; empty while Ray's head does not answer.
    """
    found = []
    with contextlib.suppress(RayError):
        for trial_id in trial_ids:
            message = kv_get(_key(trial_id, "question"))
            if message is not None:
                score = RungScore.model_validate_json(message)
                found.append(Question(trial_id=trial_id, score=score))
    return found


def answer(trial_id: str, step: int, goes_on: bool) -> None:
    """Answer a question; the driver calls this.

    Args:
        trial_id: the trial that waits.
        step: the step of its question's score.
        goes_on: whether the trial goes on; otherwise its training ends here.
    """
    kv_delete(_key(trial_id, "question"))  # first: the trial's next question has the same key
    kv_put(_key(trial_id, f"answer-{step}"), GO_ON if goes_on else STOP)


def ask(trial_id: str, score: RungScore) -> bool:
    """Post a question and wait for its answer, however long that takes; rank 0 calls this.

    Nothing holds up the end of the process meanwhile: if the driver has gone, Ray ends it.

    Args:
        trial_id: the trial that asks.
        score: its validation scores so far.

    Returns:
        Whether the trial goes on.
    """
    key = _key(trial_id, f"answer-{score.step}")
    kv_put(_key(trial_id, "question"), score.model_dump_json().encode())
    while (message := kv_get(key)) is None:
        time.sleep(POLL_S)
    kv_delete(key)
    return message == GO_ON


def forget_questions(trial_id: str, steps: Iterable[int]) -> None:
    """Delete the messages of a trial that has ended or starts again.

    Args:
        trial_id: the trial.
        steps: its rungs.
    """
    with contextlib.suppress(RayError):
        for kind in ("question", *(f"answer-{step}" for step in steps)):
            kv_delete(_key(trial_id, kind))


def _key(trial_id: str, kind: str) -> str:
    job_id = ray.get_runtime_context().get_job_id()  # a cluster may run other studies
    return f"agnews-ray:{job_id}:{trial_id}:{kind}"
