"""Parts of a model are replaced while it is trained, and come back afterwards."""

import pytest
import torch

from agnews_ray.engine.fused.dropout import CheapDropout
from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.fused.patching import (
    bias_of,
    cheapen_dropout,
    fuse_block,
    share_position_bias,
)
from agnews_ray.engine.fused.weights import Segment
from tests.unit.engine.fused.test_model import a_batch, fuse, loss_of
from tests.unit.engine.models import a_model

LOWEST = torch.finfo(torch.float32).min


@pytest.mark.parametrize("is_training", [True, False])
def test_every_dropout_is_replaced_by_one_of_its_rate_and_remembered(is_training):
    model = a_model(dropout=0.3).train(is_training)
    before = {name for name, one in model.named_modules() if isinstance(one, torch.nn.Dropout)}
    found = cheapen_dropout(model)
    after = {name: one for name, one in model.named_modules() if isinstance(one, CheapDropout)}
    assert after.keys() == before
    assert {(one.p, one.training) for one in after.values()} == {(0.3, is_training)}
    for parent, name, module in found:
        setattr(parent, name, module)
    assert not any(isinstance(module, CheapDropout) for module in model.modules())


@pytest.mark.parametrize(
    "mask",
    [
        torch.tensor([True, True, False]).view(1, 1, 1, 3),
        torch.tensor([0.0, 0.0, LOWEST]).view(1, 1, 1, 3),
        torch.tensor([0.0, 0.0, -torch.inf]).expand(1, 1, 3, 3),
    ],
)
def test_any_mask_of_transformers_becomes_one_addend_for_all_queries(mask):
    assert bias_of(mask).tolist() == [[[[0.0, 0.0, -torch.inf]]]]


def test_without_padding_there_is_no_mask():
    assert bias_of(None) is None


def test_the_bias_by_position_is_computed_once_for_all_rows():
    model = a_model("mpnet")
    encoder, hidden = model.mpnet.encoder, torch.zeros(3, 5, 32)
    expected = encoder.compute_position_bias(hidden)
    replaced = share_position_bias(model)
    found = encoder.compute_position_bias(hidden)
    assert (found.shape, expected.shape) == ((1, 2, 5, 5), (3, 2, 5, 5))
    assert torch.equal(found.expand_as(expected), expected)
    for module, name in replaced:
        delattr(module, name)
    assert encoder.compute_position_bias(hidden).shape == expected.shape
    assert share_position_bias(a_model("bert")) == []


def test_a_fused_block_answers_as_its_own_until_it_is_given_back():
    model = a_model()
    block, parts = next(find_blocks(model))
    hidden, mask = torch.randn(2, 5, 32), torch.ones(2, 1, 1, 5, dtype=torch.bool)
    mask[1, ..., 3:] = False
    expected = block(hidden, mask)
    segments = [
        Segment(tensors, len(tensors), torch.float32, torch.device("cpu"))
        for tensors in (parts.matrices, parts.vectors)
    ]
    fuse_block(block, parts, parts.settings, tuple(segments))
    assert "FusedBlock" in type(block(hidden, mask).grad_fn).__name__
    assert torch.allclose(block(hidden, mask), expected, atol=1e-5)
    del block.forward
    assert torch.allclose(block(hidden, mask), expected, atol=1e-5)


def test_blocks_learn_after_frozen_embeddings():
    model = a_model()
    model.bert.embeddings.requires_grad_(False)
    fused = fuse(model, torch.float32)
    batch = a_batch(0)
    loss_of(model, batch, batch.attention_mask).backward()
    fused.gradient_norm()
    assert model.bert.encoder.layer[0].output.dense.weight.grad.any()
