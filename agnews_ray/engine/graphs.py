"""A step's kernels launched together: one CUDA graph for each shape of batch.

At 16 rows a large GPU computes faster than Python can launch kernels one by one. The step must
leave nothing to the host: no shape, no decision and no result.
"""

import logging
from collections.abc import Callable, Sequence

import torch

Step = Callable[..., None]
"""Takes the batch's tensors; leaves its results in tensors that it keeps."""

logger = logging.getLogger(__name__)


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
        self._is_recording = True

    def __call__(self, *batch: torch.Tensor) -> None:
        """Run the step on a batch whose shape the first tensor tells."""
        shape = batch[0].shape
        if shape in self._recorded:
            inputs, replay = self._recorded[shape]
            for held, given in zip(inputs, batch, strict=True):
                held.copy_(given, non_blocking=True)
            replay()
            return
        self._step(*batch)
        if self._is_recording:
            self._try_to_record(shape, [tensor.clone() for tensor in batch])

    def _try_to_record(self, shape: torch.Size, inputs: list[torch.Tensor]) -> None:
        try:
            self._recorded[shape] = (inputs, self._record(lambda: self._step(*inputs)))
        except RuntimeError as error:  # as slow as without graphs, and no less right
            logger.warning("no CUDA graph for shape %s, going on without: %s", shape, error)
            self._is_recording = False


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
