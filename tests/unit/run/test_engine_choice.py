from types import SimpleNamespace

import pytest
import torch

from agnews_ray.engine.registry import FAST, REFERENCE, UNRECORDED, Proof
from agnews_ray.engine.results import Rank
from agnews_ray.errors import ResourceError
from agnews_ray.run import engine_choice
from agnews_ray.run.engine_choice import choose
from agnews_ray.spec.variant import VariantSpec
from tests.unit.engine.models import a_model

WORKS = Proof(engine=FAST)
NO_GRAPHS = Proof(engine=UNRECORDED, cause="RuntimeError: capture")
WRONG = Proof(engine=REFERENCE, cause="the fast engine's loss at step 2 is 1.0000")


@pytest.mark.parametrize(
    ("proofs", "unrecorded", "is_recordable", "engine", "cause"),
    [
        ([WORKS, WORKS], None, True, FAST, None),
        ([WORKS], "AGNEWS_RAY_CUDA_GRAPHS is 0", True, UNRECORDED, "AGNEWS_RAY_CUDA_GRAPHS is 0"),
        ([WORKS, NO_GRAPHS], None, True, UNRECORDED, "RuntimeError: capture"),
        ([WORKS], "OutOfMemoryError", False, FAST, None),
        ([NO_GRAPHS], None, False, FAST, None),
        ([NO_GRAPHS, WRONG], None, True, REFERENCE, "loss at step 2"),
        ([WRONG], None, False, REFERENCE, "loss at step 2"),
    ],
)
def test_all_ranks_run_what_every_machine_is_good_for(
    proofs, unrecorded, is_recordable, engine, cause
):
    chosen = choose(proofs, unrecorded, is_recordable, may_refer=True)
    assert chosen.engine == engine
    assert chosen.cause is None if cause is None else cause in chosen.cause


def test_what_the_reference_engine_cannot_train_is_refused():
    with pytest.raises(ResourceError, match=r"loss at step 2.*--num-workers 1"):
        choose([WRONG], None, is_recordable=True, may_refer=False)


@pytest.fixture
def gpu_worker(monkeypatch):
    """A worker on a GPU whose answer is known."""
    asked = []

    def proved(task, device_name, gpu, cache):
        asked.append((device_name, gpu, cache.name))
        return NO_GRAPHS

    context = SimpleNamespace(get_local_rank=lambda: 0)
    monkeypatch.setattr(engine_choice.ray.train, "get_context", lambda: context)
    monkeypatch.setattr(engine_choice.torch.cuda, "get_device_name", lambda device: "Tesla T4")
    monkeypatch.setattr(engine_choice, "proved", proved)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    return asked


def choose_for(engine, device):
    config = SimpleNamespace(
        variant=VariantSpec(model="bert", engine=engine),
        precision="fp16",
        unrecorded=None,
        window_rows={"train": 0},
    )
    reporter = SimpleNamespace(phase=lambda phase: None)
    rank = Rank(device=torch.device(device))
    tokenizer = SimpleNamespace(pad_token_id=0)
    return engine_choice.choose_engine(config, a_model(), tokenizer, rank, reporter)


def test_our_engine_is_tried_on_the_ranks_own_gpu(gpu_worker):
    chosen = choose_for("fast", "cuda:1")
    assert chosen.engine == UNRECORDED
    assert gpu_worker == [("Tesla T4", "6", "proofs")]


@pytest.mark.parametrize(("engine", "device"), [("fast", "cpu"), ("reference-best", "cuda:0")])
def test_nothing_is_tried_where_there_is_nothing_to_choose(gpu_worker, engine, device):
    assert choose_for(engine, device).engine == engine
    assert gpu_worker == []
