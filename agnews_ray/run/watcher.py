"""Watchers, which get the events of a study; a study continues if its watcher fails."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import ParamSpec, Protocol

from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress, TrialRetry

P = ParamSpec("P")

logger = logging.getLogger(__name__)


class StudyWatcher(Protocol):
    """The receiver of a running study's events; only the calling thread calls it."""

    def study(
        self, name: str, location: str, trials: Sequence[TrialFacts], finished: Collection[str]
    ) -> None:
        """The study is planned, or planned again; ``finished``: the ids of trials with records."""

    def note(self, text: str) -> None:
        """A line about the whole study."""

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        """Rows tokenised so far."""

    def started(self, trial: TrialFacts) -> None:
        """A trial's workers are being started."""

    def waiting(self, trial: TrialFacts, reason: str) -> None:
        """A started trial has no workers yet, and why."""

    def progress(self, progress: TrialProgress) -> None:
        """A trial's latest step or phase."""

    def retried(self, retry: TrialRetry) -> None:
        """A trial starts again."""

    def finished(self, trial: TrialFacts, record: RecordFacts) -> None:
        """A trial's record is in its place."""

    def failed(self, trial: TrialFacts, error: Exception | str) -> None:
        """A trial ended without a record, with an error or its text."""


class SteadyWatcher:
    """A watcher that passes events to another one until that one fails, and then none.

    So a closed pipe, a full disk or a terminal that cannot show a letter does not end a trial.

    Args:
        watcher: the other watcher.
    """

    def __init__(self, watcher: StudyWatcher) -> None:
        self._watcher = watcher
        self._is_silent = False

    def study(
        self, name: str, location: str, trials: Sequence[TrialFacts], finished: Collection[str]
    ) -> None:
        self._tell(self._watcher.study, name, location, trials, finished)

    def note(self, text: str) -> None:
        self._tell(self._watcher.note, text)

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        self._tell(self._watcher.tokenised, variant, split, done, total)

    def started(self, trial: TrialFacts) -> None:
        self._tell(self._watcher.started, trial)

    def waiting(self, trial: TrialFacts, reason: str) -> None:
        self._tell(self._watcher.waiting, trial, reason)

    def progress(self, progress: TrialProgress) -> None:
        self._tell(self._watcher.progress, progress)

    def retried(self, retry: TrialRetry) -> None:
        self._tell(self._watcher.retried, retry)

    def finished(self, trial: TrialFacts, record: RecordFacts) -> None:
        self._tell(self._watcher.finished, trial, record)

    def failed(self, trial: TrialFacts, error: Exception | str) -> None:
        self._tell(self._watcher.failed, trial, error)

    def _tell(self, tell: Callable[P, None], *facts: P.args, **named: P.kwargs) -> None:
        if self._is_silent:
            return
        try:
            tell(*facts, **named)
        except Exception:
            self._is_silent = True
            logger.exception("the watcher failed, so it gets no further events")
