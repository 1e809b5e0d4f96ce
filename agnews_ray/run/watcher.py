"""Who is told what happens in a study, and how little a study minds if nobody can listen."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from agnews_ray.errors import AgnewsError
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import TrialRecord

if TYPE_CHECKING:
    from agnews_ray.run.progress import TrialProgress  # imports Ray

logger = logging.getLogger(__name__)


class StudyWatcher(Protocol):
    """Whoever is told what happens in a running study, always from the calling thread."""

    def note(self, text: str) -> None:
        """A line about the whole study."""

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        """Rows tokenised so far."""

    def started(self, trial: PlannedTrial) -> None:
        """A trial's workers are being started."""

    def waiting(self, trial: PlannedTrial, reason: str) -> None:
        """A started trial has no workers yet, and why."""

    def progress(self, progress: "TrialProgress") -> None:
        """A trial's latest step or phase."""

    def finished(self, trial: PlannedTrial, record: TrialRecord) -> None:
        """A trial's record is in its place."""

    def failed(self, trial: PlannedTrial, error: AgnewsError) -> None:
        """A trial ended without a record."""


class SteadyWatcher:
    """Passes on what happens until the watcher fails, and is silent from then on.

    A closed pipe, a full disk or a terminal that cannot show a letter ends no trial.

    Args:
        watcher: a ``StudyWatcher``, or whoever has more to be told.
    """

    def __init__(self, watcher: Any) -> None:
        self._watcher = watcher
        self._is_silent = False

    def __getattr__(self, name: str) -> Callable[..., None]:
        tell: Callable[..., None] = getattr(self._watcher, name)

        def guarded(*facts: Any) -> None:
            if self._is_silent:
                return
            try:
                tell(*facts)
            except Exception:
                self._is_silent = True
                logger.exception("the watcher is told no more: it failed")

        return guarded
