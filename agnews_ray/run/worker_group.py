"""Workers that stay warm: one ``TorchTrainer`` whose ranks take trial after trial.

Starting a worker takes seconds: a process, the imports of torch and transformers, a process group.
A group needs them only once. If a group ends (by an error of a trial, or the loss of a worker or
node), this ends one trial's attempt; the next trial starts the group again, in new processes.
"""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Protocol

from ray.exceptions import RayError

from agnews_ray.run.mailbox import Task, forget_task, post_task, take_result
from agnews_ray.run.worker_config import WorkerSummary

POLL_S = 0.1
"""The time between two polls for a trial's result, in seconds."""

EXIT_S = 30.0
"""The longest time that a study waits for its workers to exit, in seconds."""

logger = logging.getLogger(__name__)


class Fit(Protocol):
    """A function that runs one group of workers until they exit, as ``TorchTrainer.fit`` does."""

    def __call__(self, group: str) -> None:
        """Start the workers of the group with that name, and wait for their end.

        Raises:
            TrainingFailedError: a worker failed or was lost.
        """


class WorkerGroup:
    """One group of workers, started when it is first needed.

    Args:
        name: the group's name, different from that of every other group of the study.
        fit: the function that runs the workers.
    """

    def __init__(self, name: str, fit: Fit) -> None:
        self._name = name
        self._fit = fit
        self._num_starts = self._num_tasks = 0
        self._running: Future[None] | None = None

    def start(self) -> Future[None]:
        """Start the workers unless they run; they import what they need and wait for a task.

        Returns:
            The end of the workers that run now.
        """
        if self._running is not None and not self._running.done():
            return self._running
        self._num_starts += 1
        self._num_tasks = 0
        running: Future[None] = Future()
        self._running = running

        def target(name: str = self.name) -> None:
            try:
                self._fit(name)
            except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
                running.set_exception(error)
            else:
                running.set_result(None)

        threading.Thread(target=target, name=self.name, daemon=True).start()
        return running

    @property
    def name(self) -> str:
        """The name of the workers that run now; a group that starts again has a new one."""
        return f"{self._name}-{self._num_starts}"

    def run(self, task: Task) -> WorkerSummary:
        """Train one trial by the workers.

        Args:
            task: the trial.

        Returns:
            The results from rank 0.

        Raises:
            TrainingFailedError: the workers failed or were lost; the next call starts new ones.
        """
        running = self.start()
        self._num_tasks += 1
        number = self._num_tasks
        held = post_task(self.name, number, task)
        try:
            return self._result(running, number)
        finally:
            del held  # until now it kept the task's objects in Ray's shared memory

    def _result(self, running: Future[None], number: int) -> WorkerSummary:
        while True:
            is_over = running.done()  # read first: a last result may still come
            summary = take_result(self.name, number)
            if summary is not None:
                return summary
            if is_over:
                with suppress(RayError):
                    forget_task(self.name, number)
                running.result()
                raise RuntimeError(f"the workers of {self.name} exited before their trial's end")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Make the workers exit once they are idle; ``wait`` waits for this."""
        if self._running is not None and not self._running.done():
            self._num_tasks += 1
            with suppress(RayError):  # the cluster may be gone
                post_task(self.name, self._num_tasks, None)

    def wait(self, timeout_s: float) -> None:
        """Wait until the workers have exited, for at most ``timeout_s`` seconds."""
        if self._running is not None:
            with suppress(Exception):  # the failure of an idle group affects no trial
                self._running.result(timeout_s)


class WorkerGroups:
    """The groups of a study: one for each trial that runs at the same time.

    Args:
        fit: the function that runs the workers of a group.
    """

    def __init__(self, fit: Fit) -> None:
        self._fit = fit
        self._lock = threading.Lock()
        self._idle: list[WorkerGroup] = []
        self._all: list[WorkerGroup] = []
        self._num_reserved = 0

    def start_one(self) -> None:
        """Start a group before its first trial is ready, so that both start at the same time."""
        with self.one() as group:
            group.start()

    @contextmanager
    def one(self) -> Iterator[WorkerGroup]:
        """Reserve a group for a trial: an idle one, or else a new one."""
        with self._lock:
            group = self._idle.pop() if self._idle else self._new()
            self._num_reserved += 1
        try:
            yield group
        finally:
            with self._lock:
                self._idle.append(group)
                self._num_reserved -= 1

    def stop_idle(self, num_trials: int = 0) -> None:
        """Make idle groups exit, which frees their resources on the machine or cluster.

        Args:
            num_trials: the number of trials that run; some of them may not have reserved their
                group yet, so that as many groups stay, idle ones included.
        """
        with self._lock:
            num_kept = min(len(self._idle), max(0, num_trials - self._num_reserved))
            num_stopped = len(self._idle) - num_kept
            stopped, self._idle = self._idle[:num_stopped], self._idle[num_stopped:]
        for group in stopped:
            group.stop()

    def close(self) -> None:
        """Make all groups exit, and wait for this: no thread may call Ray after its shutdown."""
        self.stop_idle()
        deadline = time.monotonic() + EXIT_S
        for group in self._all:
            group.wait(max(0.0, deadline - time.monotonic()))

    def _new(self) -> WorkerGroup:
        group = WorkerGroup(f"workers-{len(self._all) + 1}", self._fit)
        self._all.append(group)
        return group
