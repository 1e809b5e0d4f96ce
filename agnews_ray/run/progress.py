"""The progress of trials, sent from the workers to the driver through Ray's key-value store.

``ray.train.report`` would be a barrier over all workers and cost a controller poll. An actor would
be another process, whose idle main thread wakes up a hundred times a second and slows training.
"""

import contextlib
import logging
import pickle  # only between our own processes
import platform
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import ray
from ray.exceptions import RayError

from agnews_ray.compat.of_ray import kv_delete, kv_get, kv_put
from agnews_ray.run.told import TrialProgress

MIN_INTERVAL_S = 0.5
"""The shortest time between two messages of one trial."""

ANSWER_POLL_S = 0.05
"""The time between two polls of a driver that waits for checkpoints."""

logger = logging.getLogger(__name__)


def latest_progress(trial_ids: Iterable[str]) -> list[TrialProgress]:
    """Read the progress of this driver's trials.

    Args:
        trial_ids: the ids of the trials that run now.

    Returns:
        The progress of those that have reported any; empty while Ray's head does not answer.
    """
    with contextlib.suppress(RayError):
        found = [kv_get(_key(trial_id)) for trial_id in trial_ids]
        return [pickle.loads(message) for message in found if message]  # noqa: S301
    return []


def forget_progress(trial_id: str) -> None:
    """Delete the progress of a trial that has ended or starts again."""
    with contextlib.suppress(RayError):
        kv_delete(_key(trial_id))
        kv_delete(_save_key(trial_id))


def _key(trial_id: str) -> str:
    job_id = ray.get_runtime_context().get_job_id()  # a cluster may run other studies
    return f"agnews-ray:{job_id}:{trial_id}"


def _save_key(trial_id: str) -> str:
    return f"{_key(trial_id)}:save"


def save_now(trial_ids: Iterable[str], timeout_s: float) -> list[str]:
    """Ask trials that train for a checkpoint, and wait for it; the driver calls this at its end.

    Args:
        trial_ids: the ids of the trials that run now.
        timeout_s: the longest time to wait, in seconds.

    Returns:
        The ids of those that have saved one.
    """
    training = [one.trial_id for one in latest_progress(trial_ids) if one.phase == "training"]
    waiting, deadline = set(training), time.monotonic() + timeout_s
    with contextlib.suppress(RayError):
        for trial_id in training:
            kv_put(_save_key(trial_id), b"now")
        while waiting and time.monotonic() < deadline:
            time.sleep(ANSWER_POLL_S)
            waiting -= {one for one in waiting if kv_get(_save_key(one)) is None}
    return sorted(set(training) - waiting)


class ProgressReporter:
    """The reporter of a trial's progress, at most every ``MIN_INTERVAL_S``, from one of its ranks.

    A separate thread sends the messages: during training, an answer of Ray takes milliseconds, or
    never comes.
    """

    def __init__(self, trial_id: str, num_steps: int, num_epochs: int, does_tell: bool) -> None:
        self._trial_id = trial_id
        self._num_steps = num_steps
        self._num_epochs = num_epochs
        self._does_tell = does_tell
        self._last = 0.0
        self.note = ""
        """The notes in every later message, a line each, because only the latest is read."""
        self.from_step = 0
        """The number of steps of earlier attempts from which this one goes on."""
        self.done = 0
        """The number of finished steps, also of those that are not reported."""
        self._is_save_wanted = False
        self._wanted_at = 0
        """The number of steps that were finished when the driver's request was seen."""
        self._messages = ThreadPoolExecutor(max_workers=1)

    def close(self) -> None:
        """End the thread, without waiting for messages that Ray's head does not accept."""
        self._messages.shutdown(wait=False, cancel_futures=True)

    def tell(self, text: str) -> None:
        """Add a line to the notes, which are each shown once."""
        logger.info("%s", text)
        self.note = "\n".join([*self.note.splitlines(), text])

    def is_save_wanted(self) -> bool:
        """Whether the driver wants a checkpoint now, because it is about to end."""
        return self._is_save_wanted

    def saved(self, step: int) -> None:
        """Report a checkpoint that is complete; called by the thread that has written it."""
        if self._is_save_wanted and step >= self._wanted_at:  # not one that was begun before
            self._messages.submit(self._answer_save)

    def phase(self, phase: str) -> None:
        """Report a phase immediately."""
        self._post(TrialProgress(trial_id=self._trial_id, phase=phase, num_steps=self._num_steps))

    def is_due(self) -> bool:
        """Whether enough time has passed; check it first, as reading a loss waits for the GPU."""
        return self._does_tell and time.monotonic() - self._last >= MIN_INTERVAL_S

    def step(self, step: int, loss: float, samples_per_second: float, seconds: float) -> None:
        """Report a finished step.

        Args:
            step: the number of finished optimiser updates.
            loss: the loss of the last batch.
            samples_per_second: the speed since the first step.
            seconds: the time since the first step.
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
            message = replace(
                progress, note=self.note, from_step=self.from_step, machine=platform.node()
            )
            self._messages.submit(self._put, message)

    def _put(self, progress: TrialProgress) -> None:
        with contextlib.suppress(RayError):  # training continues if a report fails
            kv_put(_key(self._trial_id), pickle.dumps(progress))
            is_wanted = kv_get(_save_key(self._trial_id)) is not None
            if is_wanted and not self._is_save_wanted:
                self._wanted_at = self.done
            self._is_save_wanted = is_wanted

    def _answer_save(self) -> None:
        self._is_save_wanted = False
        with contextlib.suppress(RayError):
            kv_delete(_save_key(self._trial_id))
