"""What can be known of the GPU's path without a GPU, by torch's meta device.

Its tensors have shapes, types and a device, but no values: to ask for one is an error. Tensors
copied to or from the host are refused but for the batch's, as a CUDA graph refuses them. Graphs,
autocast and AdamW's kernel are not run here.
"""

from contextlib import nullcontext

import pytest
import torch
from torch.optim import optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from agnews_ray.data.batches import train_batches
from agnews_ray.engine import fast, masked_lm, triple_loss
from agnews_ray.engine.callbacks import Action, Callback
from agnews_ray.engine.pretraining import make_objective
from agnews_ray.engine.results import Rank
from agnews_ray.spec.distillation import OBJECTIVES_WITH_HEAD, PretrainingSpec
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import masked_rows, some_rows
from tests.unit.engine.models import FAMILIES, a_masked_lm, a_model
from tests.unit.engine.recording import run_again

RECIPE = RecipeSpec(global_batch_size=10, num_epochs=1)


class OneDevice(TorchDispatchMode):
    """Refuses what CUDA graphs refuse within a step: tensors of two devices in one operation."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        devices = {tensor.device for tensor in tensors if tensor.ndim or tensor.is_meta}
        if operation is torch.ops.aten._to_copy.default:
            devices.add(kwargs.get("device") or args[0].device)
        assert len(devices) < 2, f"{operation} got tensors of {devices}"
        return operation(*args, **kwargs)


class OptimizerOfNoValues(fast.Optimizer):
    """Torch looks at hyperparameters once, when it makes an optimiser, which is no step."""

    def __init__(self, *args):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.Tensor, "__bool__", lambda _: True)
            super().__init__(*args)


@pytest.fixture
def meta(monkeypatch):
    """The meta device, taught what torch has only for real ones."""

    compute = fast._Training._whole

    def compute_watched(training, *batch):
        with OneDevice():
            compute(training, *batch)

    monkeypatch.setattr(fast, "Optimizer", OptimizerOfNoValues)
    monkeypatch.setattr(fast._Training, "_whole", compute_watched)
    monkeypatch.setattr(fast._Training, "_make_log", lambda *_: None)  # results are asked for there
    for module in (fast, masked_lm, triple_loss):
        monkeypatch.setattr(module, "autocast", lambda *_: nullcontext())
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: ["meta"])
    library = torch.library.Library("aten", "IMPL", "Meta")
    library.impl("_fused_adamw_.tensor_lr", lambda *_, **__: None)
    yield torch.device("meta")
    library._destroy()


class Keeping(Callback):
    def __init__(self):
        self.steps = []

    def after_step(self, done):
        self.steps.append(done)
        return Action.GO_ON


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("record", [None, run_again])
def test_no_step_asks_the_device_or_mixes_it_with_the_host(meta, family, precision, record):
    keeping = Keeping()
    engine = fast.FastEngine(
        recipe=RECIPE, precision=precision, pad_id=0, rank=Rank(device=meta), record=record
    )
    batches = train_batches([some_rows(103)], 10, 1, 0)
    engine.train(a_model(family, 0.1).to(meta), [batches], 11, [keeping])
    assert [done.step for done in keeping.steps] == list(range(1, 12))
    assert {done.loss.device for done in keeping.steps} == {meta}


@pytest.mark.parametrize("objective", ["masked-lm", "distilbert", "minilm", "minilm-v2"])
def test_no_step_of_a_pretraining_asks_the_device_either(meta, objective):
    has_head, keeping = objective in OBJECTIVES_WITH_HEAD, Keeping()
    student, teacher = (a_masked_lm() if has_head else a_model().base_model for _ in range(2))
    student, spec = student.to(meta), PretrainingSpec(objective=objective)
    engine = fast.FastEngine(
        recipe=RECIPE,
        precision="fp32",
        pad_id=0,
        rank=Rank(device=meta),
        record=run_again,
        objective=make_objective(spec, student, teacher, "fp32", is_recorded=True),
    )
    engine.train(student, [train_batches([masked_rows(53)], 10, 1, 0)], 6, [keeping])
    assert [done.step for done in keeping.steps] == list(range(1, 7))
