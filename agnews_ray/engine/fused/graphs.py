"""A step's kernels launched together: one CUDA graph for each shape of batch.

At 16 rows a large GPU computes faster than Python can launch kernels one by one. The step must
leave nothing to the host: no shape, no decision and no result. After a recording that broke torch
cannot go on in the same process (its random numbers still wait for the recording's end), so the
trial begins again in another.
"""

import os
from collections.abc import Callable, Sequence

import torch

from agnews_ray.errors import RecordingError
from agnews_ray.record.environment import GRAPHS_VARIABLE

Step = Callable[..., None]
"""Takes the batch's tensors; leaves its results in tensors that it keeps."""

Recorder = Callable[[Callable[[], None]], Callable[[], None]]
"""Makes a function without arguments repeatable, without the Python in it."""


def switched_off() -> str | None:
    """Say why steps are not to be recorded, where this process's environment says so."""
    is_off = os.environ.get(GRAPHS_VARIABLE) == "0"
    return f"{GRAPHS_VARIABLE} is 0" if is_off else None


class GraphedStep:
    """Runs a step, from a shape's second batch on as a graph.

    The first batch of a shape is an ordinary step, on a stream of its own as capturing wants it;
    the recording after it computes nothing.

    Args:
        step: to be run.
        record: makes it repeatable.
    """

    def __init__(self, step: Step, record: Recorder) -> None:
        self._step = step
        self._record = record
        self._recorded: dict[torch.Size, tuple[Sequence[torch.Tensor], Callable[[], None]]] = {}

    def __call__(self, *batch: torch.Tensor) -> None:
        """Run the step on a batch whose shape the first tensor tells.

        Raises:
            RecordingError: the step cannot be recorded on this machine.
        """
        shape = batch[0].shape
        if shape in self._recorded:
            inputs, replay = self._recorded[shape]
            for held, given in zip(inputs, batch, strict=True):
                held.copy_(given, non_blocking=True)
            replay()
            return
        self._step(*batch)
        inputs = [tensor.clone() for tensor in batch]
        try:
            self._recorded[shape] = (inputs, self._record(lambda: self._step(*inputs)))
        except Exception as error:  # the same step has just run: it is the recording that broke
            raise recording_error(error) from error


class CudaRecorder:
    """Records CUDA graphs that share one pool of memory."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record what ``run`` launches; returns what launches it again.

        Raises:
            Exception: what ``run`` raised, not what ending the recording makes of it.
        """
        graph = torch.cuda.CUDAGraph()
        first: Exception | None = None
        try:
            with torch.cuda.graph(graph, pool=self._pool):
                try:
                    run()
                except Exception as error:
                    first = error
                    raise
        except Exception as error:  # noqa: BLE001  # raised again: the first, not the last
            raise (first or error) from None
        replay: Callable[[], None] = graph.replay
        return replay


def recording_error(cause: Exception) -> RecordingError:
    """Say that the trial has to begin again without recorded steps."""
    found = f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"
    hint = f"set {GRAPHS_VARIABLE}=0 to train without, more slowly, and tell us"
    return RecordingError("engine fast", "a CUDA graph of a step", found, hint)
