"""A running study in experiment trackers: live curves, and each trial as soon as it has a record.

Trackers are slow, far away, or gone, so each has a thread of its own, and its first error ends it:
the records are complete without it, and ``agnews-ray track`` exports them later.
"""

import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from agnews_ray.errors import AgnewsError
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress, TrialRetry
from agnews_ray.run.watcher import StudyWatcher
from agnews_ray.track.tracker import Tracker

if TYPE_CHECKING:
    from agnews_ray.app.track_study import Tracked

Action = Callable[[], object]

MAX_WAITING = 20
"""The number of waiting actions from which live points are left out: their trial's export has all
of them."""

MAX_WAIT_S, MAX_WAIT_INTERRUPTED_S = 120.0, 5.0
"""The longest times to wait for a tracker at the end of a study, and after an interrupt."""

logger = logging.getLogger(__name__)


class TrackerThread:
    """One tracker, with the thread that is the only one to call it.

    Args:
        name: the tracker's name.
        tracker: the opened tracker.
    """

    def __init__(self, name: str, tracker: Tracker) -> None:
        self.name, self.tracker = name, tracker
        self.problem = ""
        """Why nothing more is sent to it; empty: it works."""
        self.tracked: Tracked | None = None
        """What the last export of the whole study did."""
        self._actions: SimpleQueue[Action | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=f"tracker {name}", daemon=True)
        self._thread.start()

    def do(self, action: Action, *, may_be_left_out: bool = False) -> None:
        """Have the thread call a function, after the earlier ones."""
        if not (may_be_left_out and self._actions.qsize() >= MAX_WAITING):
            self._actions.put(action)

    def end(self, longest_s: float) -> None:
        """Wait until all is done, but not for ever."""
        self._actions.put(None)
        self._thread.join(longest_s)
        if self._thread.is_alive() and not self.problem:
            self.problem = f"tracker {self.name} at {self.tracker.destination} takes too long"

    def _work(self) -> None:
        for action in iter(self._actions.get, None):
            if self.problem:
                continue
            try:
                action()
            except Exception as error:
                logger.exception("the tracker %s failed, so it gets no further events", self.name)
                is_ours = isinstance(error, AgnewsError)
                self.problem = str(error) if is_ours else f"tracker {self.name}: {error!r}"


class TrackingWatcher:
    """A watcher that passes each event to a screen, and what belongs there to trackers.

    Args:
        screen: the watcher that shows the study.
        location: the study's folder, or its URI.
        study: the study's name.
        trackers: the opened trackers, by name.
    """

    def __init__(
        self, screen: StudyWatcher, location: str, study: str, trackers: Mapping[str, Tracker]
    ) -> None:
        self._screen = screen
        self._location, self._study = location, study
        self._threads = [TrackerThread(name, tracker) for name, tracker in trackers.items()]
        self._steps: dict[str, int] = {}
        """The last step that was sent of each running trial."""
        self._said: set[str] = set()

    def study(
        self, name: str, location: str, trials: Sequence[TrialFacts], finished: Collection[str]
    ) -> None:
        self._screen.study(name, location, trials, finished)

    def note(self, text: str) -> None:
        self._screen.note(text)

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        self._screen.tokenised(variant, split, done, total)

    def started(self, trial: TrialFacts) -> None:
        self._screen.started(trial)
        if trial.work == "labelling":  # its scores are those of the teacher's own run
            return
        self._steps[trial.trial_id] = 0
        kind = "pre-training · " if trial.work == "pretraining" else ""
        name = f"{trial.variant.name} · {kind}seed {trial.seed}"
        for one in self._threads:
            one.do(_call(one.tracker.live_start, self._study, trial.trial_id, name))

    def waiting(self, trial: TrialFacts, reason: str) -> None:
        self._screen.waiting(trial, reason)

    def progress(self, progress: TrialProgress) -> None:
        self._screen.progress(progress)
        self._say_problems()
        trial_id, step = progress.trial_id, progress.step
        is_new = step > self._steps.get(trial_id, step)  # others have ended
        if progress.phase == "training" and is_new and math.isfinite(progress.loss):
            self._steps[trial_id] = step
            values = {
                "train/loss": progress.loss,
                "train/samples_per_second": progress.samples_per_second,
            }
            for one in self._threads:
                point = _call(one.tracker.live_point, trial_id, step, values)
                one.do(point, may_be_left_out=True)

    def retried(self, retry: TrialRetry) -> None:
        self._screen.retried(retry)

    def finished(self, trial: TrialFacts, record: RecordFacts) -> None:
        self._screen.finished(trial, record)
        self._steps.pop(trial.trial_id, None)
        for one in self._threads:
            one.do(self._export_of(one, [trial.trial_id]))
        self._say_problems()

    def failed(self, trial: TrialFacts, error: Exception | str) -> None:
        self._screen.failed(trial, error)
        if self._steps.pop(trial.trial_id, None) is not None:
            for one in self._threads:
                one.do(_call(one.tracker.live_end, trial.trial_id, "failed"))

    def end(self, *, is_interrupted: bool) -> None:
        """Export the whole study once more, or end the live runs, and wait for the threads."""
        for one in self._threads:
            for trial_id in self._steps:
                one.do(_call(one.tracker.live_end, trial_id, "interrupted"))
            if not is_interrupted:
                one.do(self._export_of(one, None))
        for one in self._threads:
            one.end(MAX_WAIT_INTERRUPTED_S if is_interrupted else MAX_WAIT_S)

    @property
    def tracked(self) -> "list[Tracked]":
        """What is in the trackers now."""
        return [one.tracked for one in self._threads if one.tracked is not None]

    @property
    def problems(self) -> list[str]:
        """A line about each tracker that failed, with what to do."""
        later = f"afterwards: agnews-ray track {self._location} --to"
        return [
            f"{one.problem}; nothing more is sent to it; {later} {one.name}"
            for one in self._threads
            if one.problem
        ]

    def _say_problems(self) -> None:
        """Show each problem once; only the thread that calls the watcher may do so."""
        for line in self.problems:
            if line not in self._said:
                self._said.add(line)
                self._screen.note(f"note  {line}")

    def _export_of(self, one: TrackerThread, trial_ids: Collection[str] | None) -> Action:
        def export() -> None:
            # It imports scipy, for a second: a study needs it at its end, not before Ray starts.
            from agnews_ray.app.track_study import track_study

            found = track_study(self._location, one.name, one.tracker, logger.info, trial_ids)
            if trial_ids is None:
                one.tracked = found

        return export


def _call(function: Callable[..., object], *arguments: object) -> Action:
    """Keep a call for later; a loop's variables are other ones by then."""
    return lambda: function(*arguments)


@contextmanager
def tracking(
    screen: StudyWatcher, location: str, study: str, trackers: Mapping[str, Tracker]
) -> Iterator[TrackingWatcher]:
    """Follow a study in trackers; at the end all of its finished trials are there.

    Args:
        screen: the watcher that shows the study.
        location: the study's folder, or its URI.
        study: the study's name.
        trackers: the opened trackers, by name; may be empty.

    Yields:
        The watcher of the study.
    """
    watcher = TrackingWatcher(screen, location, study, trackers)
    try:
        yield watcher
    except BaseException:
        watcher.end(is_interrupted=True)
        raise
    watcher.end(is_interrupted=False)
