"""Step progress from the workers to whoever watches: an actor beside Ray Train's reports.

``ray.train.report`` is a barrier over all workers that costs a controller poll; this is neither.
"""

import time
from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

MIN_INTERVAL_S = 0.5
"""Shortest time between two messages of one trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProgress:
    """Where a trial stands."""

    trial_id: str
    phase: str
    """loading, training, scoring or saving."""
    step: int = 0
    num_steps: int = 0
    epoch: float = 0.0
    loss: float = float("nan")
    samples_per_second: float = 0.0
    seconds_left: float = float("nan")


class ProgressBoard:
    """Holds the latest progress of every trial; a cheap actor that the driver polls."""

    def __init__(self) -> None:
        self._latest: dict[str, TrialProgress] = {}

    def post(self, progress: TrialProgress) -> None:
        """Replace a trial's progress."""
        self._latest[progress.trial_id] = progress

    def forget(self, trial_id: str) -> None:
        """Let a trial that begins anew have no progress yet."""
        self._latest.pop(trial_id, None)

    def read(self) -> dict[str, TrialProgress]:
        """Give the latest progress by trial id."""
        return self._latest


def start_board() -> Any:
    """Start the actor on this node, so that it stays when another goes.

    Returns:
        Its handle; it takes no CPU.
    """
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    make_remote: Any = ray.remote  # its hints know no options of this kind
    return make_remote(num_cpus=0, scheduling_strategy=here)(ProgressBoard).remote()


class ProgressReporter:
    """Posts one rank's progress without waiting, at most every ``MIN_INTERVAL_S``."""

    def __init__(self, board: Any, trial_id: str, num_steps: int, num_epochs: int) -> None:
        self._board = board
        self._trial_id = trial_id
        self._num_steps = num_steps
        self._num_epochs = num_epochs
        self._last = 0.0

    def phase(self, phase: str) -> None:
        """Announce a phase at once."""
        self._post(TrialProgress(trial_id=self._trial_id, phase=phase, num_steps=self._num_steps))

    def is_due(self) -> bool:
        """Whether enough time has passed; asked first, since reading a loss waits for the GPU."""
        return self._board is not None and time.monotonic() - self._last >= MIN_INTERVAL_S

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
        if self._board is not None:
            self._board.post.remote(progress)
