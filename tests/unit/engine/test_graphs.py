import pytest
import torch

from agnews_ray.engine.graphs import CudaRecorder, GraphedStep, uses_graphs
from agnews_ray.errors import ResourceError


class Recorder:
    """Stands in for CUDA graphs: a replay computes anew what was recorded."""

    def __init__(self, fails=False):
        self.fails = fails
        self.num_recorded = 0
        self.num_replayed = 0

    def __call__(self, run):
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.num_recorded += 1

        def replay():
            self.num_replayed += 1
            run()

        return replay


def sums(recorder, batches):
    found = []
    step = GraphedStep(lambda x, y: found.append(float((x * y).sum())), recorder)
    for x, y in batches:
        step(x, y)
    return found


def some_batches():
    return [(torch.full((n,), float(i)), torch.ones(n)) for i, n in enumerate([2, 3, 2, 2, 3])]


def test_each_batch_is_computed_once_and_with_its_own_values():
    recorder = Recorder()
    assert sums(recorder, some_batches()) == [0.0, 3.0, 4.0, 6.0, 12.0]
    assert (recorder.num_recorded, recorder.num_replayed) == (2, 3)


def test_what_cannot_be_recorded_is_told_with_the_way_out():
    with pytest.raises(ResourceError, match="set AGNEWS_RAY_CUDA_GRAPHS=0 to train without"):
        sums(Recorder(fails=True), some_batches())


def test_graphs_can_be_turned_off(monkeypatch):
    assert uses_graphs()
    monkeypatch.setenv("AGNEWS_RAY_CUDA_GRAPHS", "0")
    assert not uses_graphs()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_cuda_graphs_compute_what_was_recorded():
    total = torch.zeros((), device="cuda")
    step = GraphedStep(lambda x: total.add_(x.sum()), CudaRecorder())
    with torch.cuda.stream(torch.cuda.Stream()):
        for value in (1.0, 2.0, 3.0):
            step(torch.full((4,), value, device="cuda"))
    torch.cuda.synchronize()
    assert float(total) == 24.0
