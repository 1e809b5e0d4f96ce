"""CUDA graphs, which launch all kernels of a step together; there is one for each batch shape.

With 16 rows a large GPU computes faster than Python can launch kernels one by one. The step must
not need the host: for no shape, no decision and no result. After a failed recording torch cannot
continue in the same process (its random numbers still wait for the recording's end), so the trial
starts again in another process.
"""

import os
from collections.abc import Callable, Sequence

import torch

from agnews_ray.errors import RecordingError
from agnews_ray.record.environment import GRAPHS_VARIABLE

Step = Callable[..., None]
"""A function of the batch's tensors that writes its results to tensors that it keeps."""

Recorder = Callable[[Callable[[], None]], Callable[[], None]]
"""A function that records the kernels of a function without arguments, and returns a function that
launches them again without running its Python code."""


def switched_off() -> str | None:
    """Say why steps are not recorded, if this process's environment switches it off; else None."""
    is_off = os.environ.get(GRAPHS_VARIABLE) == "0"
    return f"{GRAPHS_VARIABLE} is 0" if is_off else None


class GraphedStep:
    """A step that runs as a graph from each shape's second batch on.

    The first batch of a shape is an ordinary step, on a separate stream as capturing requires; the
    recording after it computes nothing.

    Args:
        step: the step.
        record: the recorder of the step.
    """

    def __init__(self, step: Step, record: Recorder) -> None:
        self._step = step
        self._record = record
        self._recorded: dict[torch.Size, tuple[Sequence[torch.Tensor], Callable[[], None]]] = {}

    def __call__(self, *batch: torch.Tensor) -> None:
        """Run the step on a batch; its first tensor has the batch's shape.

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
        except Exception as error:  # the step itself has just run, so the recording failed
            raise recording_error(error) from error


class CudaRecorder:
    """The recorder of CUDA graphs, which share one pool of memory."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record the kernels that ``run`` launches; return a function that launches them again.

        Raises:
            Exception: the error that ``run`` raised, not a later one from the recording's end.
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
        except Exception as error:  # noqa: BLE001  # the first error is raised again
            raise (first or error) from None
        replay: Callable[[], None] = graph.replay
        return replay


def recording_error(cause: Exception) -> RecordingError:
    """Make the error which says that the trial must start again without recorded steps."""
    found = f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"
    hint = f"set {GRAPHS_VARIABLE}=0 to train without, more slowly, and tell us"
    return RecordingError("engine fast", "a CUDA graph of a step", found, hint)
