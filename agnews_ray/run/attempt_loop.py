"""The loop of a trial's attempts: each is noted, and after a failure it is decided what follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ray.exceptions import RayError
from ray.train import TrainingFailedError

from agnews_ray.record.attempts import AttemptLog, Cause
from agnews_ray.run.failures import describe, failure_of
from agnews_ray.run.progress import forget_progress, latest_progress
from agnews_ray.run.retries import Failure, Kind, Retries
from agnews_ray.run.told import TrialRetry

T = TypeVar("T")

CAUSES: dict[Kind, Cause] = {
    "preempted": "preempted",
    "lost worker": "lost worker",
    "full memory": "out of memory",
    "full GPU": "out of memory",
    "recording": "error",
    "ours": "error",
    "error": "error",
}
"""What the record calls each kind of failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLoop:
    """The attempts at one trial."""

    trial_id: str
    log: AttemptLog
    retries: Retries
    on_retry: Callable[[TrialRetry], None]
    """The function that is told when the trial starts again."""

    def run(self, attempt: Callable[[], T]) -> T:
        """Make attempts until one succeeds, or none is worth it.

        Args:
            attempt: the function that makes one.

        Returns:
            Its result.

        Raises:
            TrainingFailedError: the trial has failed on its workers.
            RayError: it has failed in a task.
        """
        while True:
            self.log.begin()
            try:
                result = attempt()
            except (TrainingFailedError, RayError) as error:
                again = self._after(error)
                if again is None:
                    raise
                self.on_retry(again)
            except Exception as error:
                self.log.end("error", describe(error))
                raise
            else:
                self.look()
                self.log.end("finished")
                return result
            finally:
                forget_progress(self.trial_id)

    def _after(self, error: BaseException) -> TrialRetry | None:
        failure = self._described(error)
        again = self.retries.starts_again(failure)
        cause = CAUSES[failure.kind]
        self.log.end(cause, failure.text)
        if again is None:
            return None
        return TrialRetry(
            trial_id=self.trial_id,
            cause=cause,
            attempt=len(self.log.attempts) + 1,
            step=self.log.attempts[-1].last_step,
            text=f"trial {self.trial_id} {again}",
        )

    def _described(self, error: BaseException) -> Failure:
        self.look()
        latest = self.log.attempts[-1]
        phases = [one.phase for one in latest_progress([self.trial_id])]
        failure = failure_of(error, latest.last_step, "".join(phases))
        self.log.saw(failure.step, latest.from_step, latest.machine)
        return failure

    def look(self) -> None:
        """Note how far the trial is."""
        for one in latest_progress([self.trial_id]):
            self.log.saw(one.step, one.from_step, one.machine)
