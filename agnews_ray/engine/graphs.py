"""A step's kernels launched together: one CUDA graph for each shape of batch.

At 16 rows a large GPU computes faster than Python can launch kernels one by one. The step must
leave nothing to the host: no shape, no decision and no result.
"""

import os
from collections.abc import Callable, Sequence

import torch

from agnews_ray.errors import ResourceError

Step = Callable[..., None]
"""Takes the batch's tensors; leaves its results in tensors that it keeps."""

SWITCH = "AGNEWS_RAY_CUDA_GRAPHS"
"""Environment variable that turns graphs off where it is 0."""


def uses_graphs() -> bool:
    """Whether steps on a GPU are to be recorded."""
    return os.environ.get(SWITCH) != "0"


class GraphedStep:
    """Runs a step, from a shape's second batch on as a graph.

    The first batch of a shape is an ordinary step, on a stream of its own as capturing wants it;
    the recording after it computes nothing.

    Args:
        step: to be run.
        record: makes a function without arguments repeatable; a CUDA graph unless a test says
            otherwise.
    """

    def __init__(
        self, step: Step, record: Callable[[Callable[[], None]], Callable[[], None]]
    ) -> None:
        self._step = step
        self._record = record
        self._recorded: dict[torch.Size, tuple[Sequence[torch.Tensor], Callable[[], None]]] = {}

    def __call__(self, *batch: torch.Tensor) -> None:
        """Run the step on a batch whose shape the first tensor tells.

        Raises:
            ResourceError: the step cannot be recorded on this machine.
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
        except RuntimeError as error:  # torch cannot go on after a broken recording
            found = " ".join(str(error).split())[:200]
            hint = f"set {SWITCH}=0 to train without, more slowly, and tell us"
            raise ResourceError("engine fast", "a CUDA graph of a step", found, hint) from error


class CudaRecorder:
    """Records CUDA graphs that share one pool of memory."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record what ``run`` launches; returns what launches it again."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            run()
        replay: Callable[[], None] = graph.replay
        return replay
