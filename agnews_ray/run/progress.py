"""Step progress from the workers to whoever watches, through Ray's key-value store.

``ray.train.report`` is a barrier over all workers that costs a controller poll; an actor is a
process more, whose idle main thread takes a hundred looks a second away from training.
"""

import contextlib
import pickle  # only between our own processes
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import ray
from ray.exceptions import RayError

from agnews_ray.compat.of_ray import kv_delete, kv_get, kv_put
from agnews_ray.run.told import TrialProgress

MIN_INTERVAL_S = 0.5
"""Shortest time between two messages of one trial."""


def latest_progress(trial_ids: Iterable[str]) -> list[TrialProgress]:
    """Ask where trials of this driver stand.

    Args:
        trial_ids: that run now.

    Returns:
        Of those that have said anything; of none while Ray's head does not answer.
    """
    with contextlib.suppress(RayError):
        found = [kv_get(_key(trial_id)) for trial_id in trial_ids]
        return [pickle.loads(message) for message in found if message]  # noqa: S301
    return []


def forget_progress(trial_id: str) -> None:
    """Let a trial have no progress: it has ended, or begins anew."""
    with contextlib.suppress(RayError):
        kv_delete(_key(trial_id))


def _key(trial_id: str) -> str:
    job_id = ray.get_runtime_context().get_job_id()  # a cluster may run other studies
    return f"agnews-ray:{job_id}:{trial_id}"


class ProgressReporter:
    """Tells one trial's progress, at most every ``MIN_INTERVAL_S``; one of its ranks does.

    Messages leave from a thread of their own: an answer of Ray's takes milliseconds beside a
    training, or for ever.
    """

    def __init__(self, trial_id: str, num_steps: int, num_epochs: int, does_tell: bool) -> None:
        self._trial_id = trial_id
        self._num_steps = num_steps
        self._num_epochs = num_epochs
        self._does_tell = does_tell
        self._last = 0.0
        self.note = ""
        """Goes with every message from now on: only the latest is ever read."""
        self._messages = ThreadPoolExecutor(max_workers=1)

    def close(self) -> None:
        """End the thread; messages that Ray's head does not take are not waited for."""
        self._messages.shutdown(wait=False, cancel_futures=True)

    def phase(self, phase: str) -> None:
        """Announce a phase at once."""
        self._post(TrialProgress(trial_id=self._trial_id, phase=phase, num_steps=self._num_steps))

    def is_due(self) -> bool:
        """Whether enough time has passed; asked first, since reading a loss waits for the GPU."""
        return self._does_tell and time.monotonic() - self._last >= MIN_INTERVAL_S

    def step(self, step: int, loss: float, samples_per_second: float, seconds: float) -> None:
        """Announce a finished step.

        Args:
            step: finished optimiser updates.
            loss: of the last batch.
            samples_per_second: since the first step.
            seconds: since the first step.
        """
        self._last = time.monotonic()
        self._post(
            TrialProgress(
                trial_id=self._trial_id,
                phase="training",
                step=step,
                num_steps=self._num_steps,
                epoch=self._num_epochs * step / self._num_steps,
                loss=loss,
                samples_per_second=samples_per_second,
                seconds_left=seconds / step * (self._num_steps - step),
            )
        )

    def _post(self, progress: TrialProgress) -> None:
        if self._does_tell:
            self._messages.submit(self._put, replace(progress, note=self.note))

    def _put(self, progress: TrialProgress) -> None:
        with contextlib.suppress(RayError):  # training goes on when nobody can be told
            kv_put(_key(self._trial_id), pickle.dumps(progress))
