"""These fixtures are shared by the tests of the engines."""

import pytest
import torch

from agnews_ray.engine.loss_parity import Task
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.unit.engine.models import a_model


@pytest.fixture(scope="session")
def tokenizer():
    sizes = ArchitectureSpec(vocab_size=100)
    variant = VariantSpec(model="bert", init="random", architecture=sizes)
    return train_tokenizer(lambda: ["a text"], variant)


@pytest.fixture
def one_thread():
    """Models this small gain nothing from more threads, and wait where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def task(tokenizer):
    """The task compares the engines on a CPU in fp32."""
    return Task.like(a_model(), tokenizer, "fp32", "cpu")
