"""When a trial's checkpoints are made: a thread writes them while the training goes on."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agnews_ray.compat.of_ray import draining_nodes
from agnews_ray.engine.callbacks import Action, Callback, StepDone
from agnews_ray.engine.registry import FAST, UNRECORDED
from agnews_ray.engine.results import Rank
from agnews_ray.engine.state import SaveState, TrainingState
from agnews_ray.engine.state_file import read_parts, write_part
from agnews_ray.errors import AgnewsError, StoreError
from agnews_ray.record.checkpoints import CheckpointFolder
from agnews_ray.run.engine_choice import of_all_ranks
from agnews_ray.run.worker_callbacks import TrainingClock
from agnews_ray.run.worker_setup import WorkerSetup
from agnews_ray.spec.recovery import RecoverySpec

MAX_SHARE = 0.015
"""The share of the training time that checkpoints may take by default: under the promised 2 %."""

MIN_INTERVAL_S = 5.0
"""The shortest time of training between two checkpoints by default."""

FIRST_BYTES_PER_S = 300e6
"""The assumed speed of the first checkpoint, whose time is not known yet; low for a local disk."""

LOOK_S = 1.0
"""The time between two looks whether a checkpoint is due, where several ranks must agree on it."""

NOTICE_S = 5.0
"""The time of training between two looks whether a node is about to be taken away; each waits for
all ranks. Ray Train itself looks as often."""

NUM_COPIES = 3
"""The weights and AdamW's two moments."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an engine needs so that a training is kept, and goes on."""

    callbacks: Sequence[Callback]
    save: SaveState | None = None
    start: TrainingState | None = None


@contextmanager
def checkpointing(
    setup: WorkerSetup,
    engine: str,
    clock: TrainingClock,
    callbacks: Sequence[Callback],
    num_parameters: int,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[Kept]:
    """Return a context in which a training is kept; at its end nothing is written any more.

    Each rank makes the same call.

    Args:
        setup: the rank.
        engine: the engine that trains; the Trainer's state cannot be kept.
        clock: the clock of the training.
        callbacks: the callbacks; they continue from the newest checkpoint, if there is one.
        num_parameters: the number of the model's parameters, for the first interval.
        is_over: whether the training ends after this step, so that nothing is to be kept.

    Raises:
        StoreError: the storage does not answer, or the newest checkpoint is not one of ours.
    """
    settings = setup.config.checkpoints
    if settings is None or engine not in (FAST, UNRECORDED):
        yield Kept(callbacks=callbacks)
        return
    folder = CheckpointFolder(settings.location, setup.config.trial_id, settings.attempt)
    start = _newest(folder, setup, callbacks)
    if settings.recovery.checkpoint_every == "off":
        yield Kept(callbacks=callbacks, start=start)
        return
    kept = Checkpoints(folder, setup, settings.recovery, clock, callbacks)
    kept.expect(num_parameters, start["num_done"] if start else 0)
    kept.is_over = is_over
    if settings.has_notices:
        kept.draining_nodes = draining_nodes
    try:
        yield Kept(callbacks=[*callbacks, kept], save=kept.save, start=start)
    finally:
        kept.close()


def _newest(
    folder: CheckpointFolder, setup: WorkerSetup, callbacks: Sequence[Callback]
) -> TrainingState | None:
    """Read the newest checkpoint, the same on each rank, and load the callbacks' states."""
    rank, saved, name = setup.rank, None, None
    if rank.index == 0:
        with folder.newest(setup.reporter.tell) as found:
            if found is not None:
                saved, name = read_parts(found.parts), found.name
    name = of_all_ranks(name, rank)[0]
    if name is None:
        return None
    if rank.index > 0:
        with folder.newest(logger.warning, name) as found:
            if found is None:
                hint = "use a storage that all machines read, and submit again"
                raise StoreError(name, "a checkpoint that each machine reads", "none", hint)
            saved = read_parts(found.parts)
    if saved is None:
        raise ValueError("want the checkpoint that rank 0 has found")
    for callback in callbacks:
        callback.load_state_dict(saved["callbacks"][type(callback).__name__])
    state = saved["state"]
    setup.started_from_step = setup.reporter.from_step = state["num_done"]
    setup.reporter.tell(
        f"{setup.config.trial_id} goes on after step {state['num_done']:,} of "
        f"{state['num_steps']:,}"
    )
    return state


class Checkpoints(Callback):
    """Saves a training's state now and then; it is the last callback in the list.

    Args:
        folder: the trial's checkpoints.
        setup: the rank.
        recovery: how often, and how many are kept.
        clock: the clock of the training.
        callbacks: the other callbacks, whose states are saved too.
    """

    def __init__(
        self,
        folder: CheckpointFolder,
        setup: WorkerSetup,
        recovery: RecoverySpec,
        clock: TrainingClock,
        callbacks: Sequence[Callback],
    ) -> None:
        self._folder, self._recovery, self._clock = folder, recovery, clock
        self._rank: Rank = setup.rank
        self._reporter = setup.reporter
        self._callbacks = callbacks
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._writing: Future[float] | None = None
        self._cost_s = self._copy_s = self._asked_at = 0.0
        self._saved_step, self._saved_s = 0, 0.0
        self._next_look = 1
        self.is_over: Callable[[], bool] = lambda: False
        """Whether the training ends after this step."""
        self.draining_nodes: Callable[[], tuple[str, ...]] | None = None
        """Names nodes that will be taken away; all ranks ask together. None: no notice comes."""
        self._noticed: set[str] = set()
        self._next_notice_s = 0.0

    def expect(self, num_parameters: int, num_done: int) -> None:
        """Set what is known before the first checkpoint.

        Args:
            num_parameters: the number of parameters, each of 4 bytes.
            num_done: the number of steps made by earlier attempts.
        """
        self._cost_s = NUM_COPIES * 4 * num_parameters / FIRST_BYTES_PER_S
        self._saved_step, self._saved_s = num_done, self._clock.seconds
        self._next_look = num_done + 1

    def after_step(self, done: StepDone) -> Action:
        if done.step < self._next_look:
            return Action.GO_ON
        decided = of_all_ranks(self._decide(done.step), self._rank)[0]
        is_due, self._next_look, does_ask = decided
        if not (does_ask and self._has_notice(done.step)) and not is_due:
            return Action.GO_ON
        self._saved_step, self._saved_s = done.step, self._clock.seconds
        self._asked_at = time.perf_counter()
        return Action.SAVE

    def _decide(self, step: int) -> tuple[bool, int, bool]:
        """Decide whether to save, at which step to look again, and whether to ask for a notice.

        Rank 0's answer counts.
        """
        if self._rank.index > 0:
            return False, 0, False
        steps_per_s = step / max(self._clock.seconds, 1e-3)
        ahead = int(LOOK_S * steps_per_s) if self._rank.world_size > 1 else 1
        is_due = self._is_due(step)
        if self._recovery.steps is not None:
            last = step if is_due else self._saved_step
            ahead = min(ahead, last + self._recovery.steps - step)
        does_ask = self.draining_nodes is not None and self._clock.seconds >= self._next_notice_s
        if does_ask:
            self._next_notice_s = self._clock.seconds + NOTICE_S
        return is_due, step + max(1, ahead), does_ask

    def _has_notice(self, step: int) -> bool:
        """Ask whether further nodes are about to be taken away; all ranks make the same call."""
        nodes = self.draining_nodes() if self.draining_nodes is not None else ()
        nodes = of_all_ranks(nodes, self._rank)[0]
        is_new = not self._noticed.issuperset(nodes)
        self._noticed.update(nodes)
        if is_new and self._rank.index == 0:
            self._reporter.tell(
                f"a node will be taken away: a checkpoint is made after step {step:,}"
            )
        return is_new

    def _is_due(self, step: int) -> bool:
        if self._writing is not None and not self._writing.done():
            # Stated steps are kept, though the training waits; stated times may come later.
            return self._recovery.steps is not None and self._is_nth(step)
        if self._writing is not None:
            self._note_cost()
        if self._reporter.is_save_wanted():
            if step > self._saved_step:
                return True
            self._reporter.saved(step)
        if self._recovery.steps is not None:
            return self._is_nth(step)
        wanted = self._recovery.seconds or max(MIN_INTERVAL_S, self._cost_s / MAX_SHARE)
        return self._clock.seconds - self._saved_s >= wanted

    def _is_nth(self, step: int) -> bool:
        return step - self._saved_step >= (self._recovery.steps or 0)

    def _note_cost(self) -> None:
        """Learn what the latest checkpoint cost, now that it is written."""
        writing, self._writing = self._writing, None
        try:
            self._cost_s = self._copy_s + (writing.result() if writing else 0.0)
        except (AgnewsError, OSError) as error:  # the training is worth more than a checkpoint
            self._reporter.tell(f"a checkpoint was not written: {error}")

    def save(self, state: TrainingState) -> None:
        """Hand a state to the thread that writes; see ``engine.state.SaveState``."""
        if self.is_over():
            return
        self._wait()
        states = {}
        if self._rank.index == 0:
            states = {type(one).__name__: one.state_dict() for one in self._callbacks}
        write = partial(write_part, state=state, callbacks=states)
        self._writing = self._writer.submit(self._write, state["num_done"], write)
        self._copy_s = time.perf_counter() - self._asked_at
        self._clock.leave_out(self._copy_s)

    def _write(self, step: int, write: Callable[[Path], None]) -> float:
        """Write this rank's part; rank 0 then completes the checkpoint. Return the CPU seconds."""
        started, name = time.thread_time(), self._folder.name_at(step)
        self._folder.write_part(name, self._rank.index, write)
        if self._rank.index == 0:
            self._folder.complete(name, step, self._rank.world_size)
            self._reporter.saved(step)
            self._folder.keep_newest(self._recovery.keep_checkpoints)
        return time.thread_time() - started

    def _wait(self) -> None:
        """Wait for the part that is being written: a rank may be behind rank 0."""
        if self._writing is not None:
            self._writing.exception()
            self._note_cost()

    def close(self) -> None:
        """Wait until nothing is written any more."""
        self._wait()
        self._writer.shutdown()
