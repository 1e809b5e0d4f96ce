"""The cause of a failed trial, inside Ray's exceptions."""

import logging
import re
from collections.abc import Iterator
from typing import TypeVar

import ray
from ray.train import TrainingFailedError, WorkerGroupError

from agnews_ray.compat.of_ray import is_preemption
from agnews_ray.errors import AgnewsError, RecordingError, ResourceError, TrialError
from agnews_ray.run.retries import Failure, Kind

INNER = ("controller_failure", "cause", "health_check_failure", "_base_exc", "client_exc")
"""The attributes in which Ray's exceptions keep the inner one."""

E = TypeVar("E", bound=BaseException)

MAX_CHARS = 300

OF_MEMORY = re.compile(r"memory pressure|running low on memory|OutOfMemoryError")
"""The words in Ray's message about a worker or task that it killed to free memory. About any other
dead one it says that an OOM killer may have killed it."""

OF_GPU_MEMORY = re.compile(
    r"out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|can't allocate memory"
)
"""The words in torch's message about memory that it did not get."""

STEP_NOTE = re.compile(r"after step (\d+) of this trial")

logger = logging.getLogger(__name__)


def root_error(trial_id: str, error: TrainingFailedError, log_hint: str) -> AgnewsError:
    """Find the first worker's own error inside the one that Ray Train raised.

    Args:
        trial_id: the trial that failed.
        error: the exception from ``fit``.
        log_hint: how to find the full log, in the imperative.

    Returns:
        Our own error as raised on the worker, a ``ResourceError`` if memory was full, or a
        ``TrialError`` that names the cause.
    """
    logger.error("trial %s failed", trial_id, exc_info=error)
    if is_full_gpu(error):
        return full_gpu(f"trial {trial_id}", error)
    if is_out_of_memory(error):
        return no_memory(f"trial {trial_id}")
    ours = own_error(error)
    if ours is not None:
        return ours
    cause = _first_cause(error)
    hint = f"{log_hint}, fix the cause and submit again"
    return TrialError(f"trial {trial_id}", "a finished run", describe(cause), hint)


def own_error(error: BaseException) -> AgnewsError | None:
    """Return our own error inside one of Ray's; for several workers, the first one's."""
    # An error of a remote call is also of our class, but its text is a traceback.
    return next(
        (
            cause
            for cause in _causes(error)
            if isinstance(cause, AgnewsError) and not isinstance(cause, ray.exceptions.RayTaskError)
        ),
        None,
    )


def full_gpu(where: str, error: BaseException) -> ResourceError:
    """Make the error for a GPU whose memory is full even with one row per pass."""
    *_, cause = _causes(error)
    hint = "lower --max-length, use a smaller model or fp16, or end other programs on the GPU"
    return ResourceError(where, "a GPU with memory for one row per pass", describe(cause), hint)


def no_memory(where: str) -> ResourceError:
    """Make the error for full memory, which says what to lower.

    Args:
        where: the trial, or another task that Ray ended.
    """
    found = "memory full: Ray ended a process to free memory"
    hint = (
        "lower --global-batch-size, --max-length or --num-workers, or end other programs; "
        "then submit again"
    )
    return ResourceError(where, "a machine with free memory", found, hint)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Ray ended a worker or a task of any rank to free memory."""
    return any(
        isinstance(cause, ray.exceptions.OutOfMemoryError)
        or (isinstance(cause, ray.exceptions.RayError) and OF_MEMORY.search(str(cause)))
        for cause in _all_causes(error)
    )


LOST = (
    *(ray.exceptions.RayActorError, ray.exceptions.ObjectLostError),
    *(ray.exceptions.NodeDiedError, ray.exceptions.WorkerCrashedError),  # of a task
)
"""What Ray raises if a worker or its node was lost."""


def was_lost(error: BaseException) -> bool:
    """Whether a worker or its node was lost, in any rank; the other ranks only waited for it.

    False if Ray itself ended the worker because memory was full, as that would happen again.
    """
    return find(error, *LOST) is not None and not is_out_of_memory(error)


def _first_cause(error: BaseException) -> BaseException:
    """Return the loss of a worker, which explains the errors of other ranks, or the root cause."""
    *_, cause = _causes(error)
    return find(error, *LOST) or cause


def is_full_gpu(error: BaseException) -> bool:
    """Whether torch did not get the memory that it asked for, on any rank."""
    return any(
        isinstance(cause, RuntimeError)  # as torch's own class is
        and not isinstance(cause, TrainingFailedError | ray.exceptions.RayError)
        and OF_GPU_MEMORY.search(str(cause))
        for cause in _all_causes(error)
    )


def was_preempted(error: BaseException) -> bool:
    """Whether a node was taken away by its owner, as a spot machine is."""
    return any(map(is_preemption, _all_causes(error)))


def step_note(step: int) -> str:
    """Write the note that tells the driver after which step a worker's error was raised."""
    return f"after step {step} of this trial"


def failure_of(error: BaseException, step: int = 0, phase: str = "") -> Failure:
    """Describe a failed attempt; a cause that explains the errors of other ranks comes first.

    Args:
        error: the exception of Ray Train, or of a Ray task.
        step: the last step that was reported.
        phase: the last phase that was reported.
    """
    broken = find(error, RecordingError)
    if broken is not None:
        return Failure(kind="recording", text=broken.found, step=step, phase=phase)
    notes = [note for cause in _all_causes(error) for note in getattr(cause, "__notes__", ()) or ()]
    told = [int(found[1]) for note in notes if (found := STEP_NOTE.fullmatch(note))]
    cause = _first_cause(error)
    kinds: tuple[tuple[Kind, bool], ...] = (
        ("preempted", was_preempted(error)),
        ("ours", own_error(error) is not None),
        ("full GPU", is_full_gpu(error)),
        ("full memory", is_out_of_memory(error)),
        ("lost worker", was_lost(error)),
    )
    kind: Kind = next((name for name, is_it in kinds if is_it), "error")
    return Failure(kind=kind, text=describe(cause), step=max([step, *told]), phase=phase)


def find(error: BaseException, *kinds: type[E]) -> E | None:
    """Return the first cause of a kind, in any rank; None if there is none."""
    return next((cause for cause in _all_causes(error) if isinstance(cause, kinds)), None)


def describe(error: BaseException) -> str:
    """Write an error's type and message on one line; of a traceback, only its last line."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    shown = [number for number, line in enumerate(lines) if _is_of_traceback(line)]
    if shown and shown[-1] + 1 < len(lines):
        lines = lines[shown[-1] + 1 :]
    text = " ".join(" ".join(lines).split())
    return f"{_name(error)}: {text[:MAX_CHARS]}" if text else _name(error)


def _is_of_traceback(line: str) -> bool:
    return line.startswith(("Traceback (", "  ")) or not line.strip(" ^~")


def _name(error: BaseException) -> str:
    """Return the name of an error's class; Ray's "RayTaskError(ValueError)" becomes ValueError."""
    inner = re.fullmatch(r"RayTaskError\((\w+)\)", type(error).__name__)
    return inner[1] if inner else type(error).__name__


def _all_causes(error: BaseException) -> Iterator[BaseException]:
    """Iterate over the causes in every rank's chain."""
    yield error
    failures = error.worker_failures.values() if isinstance(error, WorkerGroupError) else [error]
    for failure in failures:
        yield from _chain(failure)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Iterate from Ray Train's exception to the first worker's own error."""
    if isinstance(error, WorkerGroupError) and error.worker_failures:
        return _chain(error.worker_failures[min(error.worker_failures)])
    return _chain(error)


def _chain(cause: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    while id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        inner = [getattr(cause, name, None) for name in INNER]
        inner += [cause.__cause__, None if cause.__suppress_context__ else cause.__context__]
        cause = next((one for one in inner if isinstance(one, BaseException)), cause)
