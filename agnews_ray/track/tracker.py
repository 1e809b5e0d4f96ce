"""What every tracker can do, and how one is opened by its name."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from agnews_ray.errors import AgnewsError, TrackerError
from agnews_ray.record.storage import without_secrets
from agnews_ray.track.tracked_trial import TrackedStudy, TrackedTrial

Change = Literal["new", "updated", "unchanged"]
"""What an export did to the run of a trial."""

LiveEnd = Literal["failed", "interrupted"]
"""How a trial ended that leaves no record."""

NAMES = ("tensorboard", "mlflow", "wandb", "trackio")
"""The trackers; each is the name of its package and of our extra too."""

logger = logging.getLogger(__name__)


class Tracker(ABC):
    """A place with one run for each trial, in which a trial can be written again.

    Records are the truth: ``export`` makes the run of a trial what its record says, whatever the
    run was before. A trial that is trained now may have a live run, which its export replaces.
    """

    destination: str
    """The place where the runs are, without secrets."""

    @abstractmethod
    def export(self, trial: TrackedTrial) -> Change:
        """Write a trial's run, if it is not there or differs.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """

    @abstractmethod
    def how_to_look(self, study: str) -> str:
        """Return the command, or the address, that shows a study's runs."""

    def describe(self, study: TrackedStudy) -> None:  # noqa: B027  # not every tracker can
        """Write what is known about the study as a whole, where the tracker has a place for it."""

    def live_start(self, study: str, trial_id: str, name: str) -> None:  # noqa: B027
        """Begin a live run, where the tracker can replace it later."""

    def live_point(self, trial_id: str, step: int, values: Mapping[str, float]) -> None:  # noqa: B027
        """Add values to a live run."""

    def live_end(self, trial_id: str, how: LiveEnd) -> None:  # noqa: B027
        """Mark the live run of a trial that ended without a record."""


def open_tracker(name: str, uri: str | None, runs: Path) -> Tracker:
    """Open a tracker, so that what is missing is found before any training.

    Args:
        name: one of ``NAMES``.
        uri: where its runs are to be; None for the tracker's own settings, else its place below
            the runs folder.
        runs: the runs folder.

    Returns:
        The tracker, which has answered.

    Raises:
        TrackerError: it is not installed, or does not answer.
    """
    check_installed([name])
    try:
        module = import_module(f"agnews_ray.track.{name}_tracker")
        with explained(name, without_secrets(uri) if uri else "its usual place"):
            tracker: Tracker = module.open_here(uri, runs)
    except ImportError as error:
        found = f"{type(error).__name__}: {error}"
        wanted = f"a whole installation of the package {name}"
        raise TrackerError(f"tracker {name}", wanted, found, _install(name)) from error
    return tracker


def check_installed(names: Iterable[str]) -> None:
    """Check, without importing them, that the packages of trackers are there.

    Raises:
        TrackerError: one is not; says what to install.
    """
    for name in names:
        if find_spec(name) is None:
            raise TrackerError(
                f"tracker {name}", f"the package {name}", "it is not installed", _install(name)
            )


def _install(name: str) -> str:
    return f'pip install "agnews-ray[{name}]"'


@contextmanager
def explained(name: str, destination: str) -> Iterator[None]:
    """Turn any error of a tracker's library into one line.

    Args:
        name: the tracker.
        destination: where its runs are.

    Raises:
        TrackerError: instead of the library's error.
    """
    try:
        yield
    except (AgnewsError, ImportError):
        raise
    except Exception as error:
        logger.info("tracker %s failed", name, exc_info=error)
        found = f"{type(error).__name__}: {error}"
        hint = "check its address, keys and space; no record depends on it, so export again later"
        raise TrackerError(
            f"tracker {name} at {destination}", "one that takes runs", found, hint
        ) from error
