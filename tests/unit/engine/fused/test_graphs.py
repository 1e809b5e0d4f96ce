from contextlib import contextmanager

import numpy as np
import pytest
import torch

from agnews_ray.data.batches import train_batches
from agnews_ray.engine import fast, optimizer
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused import block, graphs, model
from agnews_ray.engine.fused.graphs import CudaRecorder, GraphedStep, switched_off
from agnews_ray.engine.results import Rank
from agnews_ray.errors import RecordingError
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.models import a_model
from tests.unit.engine.recording import ValueRecorder, broken, run_again

RECIPE = RecipeSpec(learning_rate=1e-3, global_batch_size=10, num_epochs=1)
NUM_ROWS, NUM_STEPS = 123, 13


def train(record, precision="fp32", dropout=0.0, rank=None, family="bert"):
    """Loss, rate and number of skipped updates of each step, and the weights after the last."""
    model = a_model(family, dropout=dropout)
    engine = FastEngine(
        recipe=RECIPE, precision=precision, pad_id=0, rank=rank or Rank(), record=record
    )
    torch.manual_seed(1)
    batches = train_batches([some_rows(NUM_ROWS)], 10, 1, 0)
    log = engine.train(model, [batches], NUM_STEPS)
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    return log.loss, log.learning_rate, np.array([log.num_skipped]), weights.numpy()


def same(found, expected):
    return all(map(np.array_equal, found, expected))


@pytest.mark.parametrize(
    ("family", "precision"),
    [("bert", "fp32"), ("bert", "bf16"), ("mpnet", "fp32"), ("albert", "fp32")],
)
def test_replays_compute_what_the_step_does(family, precision):
    record = ValueRecorder()
    expected = train(run_again, precision, family=family)
    assert same(train(record, precision, family=family), expected)
    assert record.num_recorded < record.num_replayed
    assert record.num_recorded + record.num_replayed == NUM_STEPS


def test_replays_scale_and_skip_as_the_step_does(monkeypatch):
    monkeypatch.setattr(optimizer, "FIRST_SCALE", 2.0**20)  # overflows for some steps
    monkeypatch.setattr(optimizer, "GROWTH_INTERVAL", 3)
    found = train(ValueRecorder(), "fp16")
    assert same(found, train(run_again, "fp16"))
    assert 0 < found[2] < NUM_STEPS


def draw_on_the_device(like, probability):
    """The masks are those of a GPU; a CPU's cheaper ones ask for a value."""
    return torch.empty(like.shape, dtype=torch.bool).bernoulli_(1 - probability)


def test_every_replay_draws_dropout_again(monkeypatch):
    monkeypatch.setattr(block, "draw_keep", draw_on_the_device)
    with_dropout = train(ValueRecorder(), dropout=0.3)
    assert same(with_dropout, train(run_again, dropout=0.3))
    assert not same(with_dropout, train(run_again))


def count_on_the_host(monkeypatch):
    """The schedule by a number of Python's, which a recording would keep."""
    step, counts = optimizer.Optimizer.step, {}

    def counting(self):
        counts[self] = counts.get(self, -1) + 1
        self._rates.fill_(1e-3 * counts[self])
        step(self)

    monkeypatch.setattr(optimizer.Optimizer, "step", counting)


def keep_the_first_inputs(monkeypatch):
    """Replays that compute on what was recorded, not on what they are given."""
    monkeypatch.setattr(torch.Tensor, "copy_", _copy_unless_replaying(torch.Tensor.copy_))


def _copy_unless_replaying(copy):
    def copy_(held, given, non_blocking=False):
        return held if non_blocking else copy(held, given)

    return copy_


def draw_once(monkeypatch):
    """Dropout by a mask that is drawn outside of what is recorded."""
    masks = {}

    def draw(like, probability):
        if like.shape not in masks:
            masks[like.shape] = torch.empty(like.shape, dtype=torch.bool).bernoulli_(0.7)
        return masks[like.shape]

    monkeypatch.setattr(block, "draw_keep", draw)


@pytest.mark.parametrize(
    ("plant", "dropout"), [(count_on_the_host, 0), (keep_the_first_inputs, 0), (draw_once, 0.3)]
)
def test_what_is_left_to_the_host_shows(monkeypatch, plant, dropout):
    monkeypatch.setattr(block, "draw_keep", draw_on_the_device)
    expected = train(run_again, dropout=dropout)
    plant(monkeypatch)
    assert not same(train(ValueRecorder(), dropout=dropout), expected)


def test_a_step_that_asks_for_a_value_cannot_be_recorded(monkeypatch):
    update = fast._Training._update

    def asking(self):
        assert float(self._loss) < 1e9
        update(self)

    monkeypatch.setattr(fast._Training, "_update", asking)
    with pytest.raises(RecordingError, match=r"_local_scalar_dense.*AGNEWS_RAY_CUDA_GRAPHS=0"):
        train(ValueRecorder())


def test_the_first_cause_is_told_not_what_giving_back_the_model_makes_of_it(monkeypatch):
    def fail(self):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(model.FusedModel, "release", fail)
    with pytest.raises(RecordingError, match="not permitted when stream is capturing"):
        train(broken)


def test_memory_that_recorded_steps_do_not_leave_begins_again_without(monkeypatch):
    update, count = fast._Training._update, []

    def out_of_memory_later(self):
        count.append(1)
        if len(count) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        update(self)

    monkeypatch.setattr(fast._Training, "_update", out_of_memory_later)
    with pytest.raises(RecordingError, match="OutOfMemoryError: CUDA out of memory"):
        train(run_again)
    with pytest.raises(torch.OutOfMemoryError):
        train(None)


@pytest.mark.parametrize("fails_at", ["the step", "its end"])
def test_a_broken_recording_tells_its_first_cause(monkeypatch, fails_at):
    """What torch does: ending a capture that broke fails too, and hides why it broke."""

    @contextmanager
    def capture(graph, pool):
        try:
            yield
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error")

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", tuple)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", capture)

    def step():
        if fails_at == "the step":
            raise RuntimeError("the first cause")

    cause = {"the step": "the first cause", "its end": "due to a previous error"}[fails_at]
    with pytest.raises(RuntimeError, match=cause):
        CudaRecorder()(step)


def test_each_batch_is_computed_once_and_with_its_own_values():
    found = []
    batches = [(torch.full((n,), float(i)), torch.ones(n)) for i, n in enumerate([2, 3, 2, 2, 3])]
    step = GraphedStep(lambda x, y: found.append(float((x * y).sum())), run_again)
    for x, y in batches:
        step(x, y)
    assert found == [0.0, 3.0, 4.0, 6.0, 12.0]


def test_recording_can_be_switched_off(monkeypatch):
    assert switched_off() is None
    monkeypatch.setenv(graphs.GRAPHS_VARIABLE, "0")
    assert switched_off() == "AGNEWS_RAY_CUDA_GRAPHS is 0"


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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_cuda_graphs_draw_dropout_again():
    masks, number = torch.zeros(8, 1000, device="cuda"), torch.zeros(1, dtype=int, device="cuda")

    def step(values):
        masks.index_copy_(0, number, block.draw_keep(values, 0.5).float()[None])
        number.add_(1)

    graphed = GraphedStep(step, CudaRecorder())
    with torch.cuda.stream(torch.cuda.Stream()):
        for _ in range(8):
            graphed(torch.ones(1000, device="cuda"))
    torch.cuda.synchronize()
    assert len({tuple(mask.tolist()) for mask in masks}) == 8


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_the_first_cause_of_a_broken_cuda_graph_is_told():
    values = torch.ones(4, device="cuda")
    step = GraphedStep(lambda x: x.sum().item(), CudaRecorder())
    with (
        torch.cuda.stream(torch.cuda.Stream()),
        pytest.raises(RecordingError, match=r"capturing|capture"),
    ):
        step(values)
