"""A teacher computes what transformers does, in evaluation mode, and refuses what it cannot."""

import pytest
import torch
from transformers import AlbertConfig, AlbertModel, BertConfig, BertModel, ErnieConfig, ErnieModel

from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.fused.teacher import Teacher
from agnews_ray.engine.objective import ModelNeeds
from agnews_ray.errors import ModelError
from tests.unit.engine.fused.test_model import a_batch
from tests.unit.engine.models import FAMILIES, SIZES, a_model

BOTH = ModelNeeds(hidden_states=(0, -1), logits=False)
LAST = ModelNeeds(projections=(-1,), logits=False)
WITH_OWN_BLOCKS = [family for family in FAMILIES if family != "albert"]


def by_transformers(model, batch):
    """Hidden states after each block, and the last block's queries, keys and values."""
    caught = []
    (*_, (_, parts)) = find_blocks(model)
    for linear in parts.projections:
        linear.register_forward_hook(lambda _, __, output: caught.append(output))
    output = model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, output_hidden_states=True
    )
    return output.hidden_states[1:], caught


@pytest.mark.parametrize("family", WITH_OWN_BLOCKS)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_outputs_are_those_of_transformers_in_evaluation_mode(family, attention):
    plain = a_model(family, dropout=0.5).base_model.eval()
    batch = a_batch(plain.config.pad_token_id or 0)
    hidden, projections = by_transformers(plain, batch)
    is_token, wanted = batch.attention_mask.bool(), [hidden[0], hidden[-1], *projections]
    found = []
    for needs in (BOTH, LAST):
        model = a_model(family, dropout=0.5)
        if family != "mpnet":
            model.config._attn_implementation = attention
        teacher = Teacher(model, needs, torch.float32)
        model.train()
        output = teacher.compute(batch.input_ids, batch.attention_mask)
        found += output.hidden_states.values()
        found += output.projections.get(-1, ())
    for mine, other in zip(found, wanted, strict=True):
        assert torch.allclose(mine[is_token], other[is_token], rtol=1e-4, atol=1e-5)


def test_a_teacher_in_low_precision_is_near_one_in_full():
    batch, found = a_batch(0), []
    for dtype in (torch.float32, torch.bfloat16):
        model = a_model()
        output = Teacher(model, BOTH, dtype).compute(batch.input_ids, batch.attention_mask)
        found.append(output.hidden_states[-1][batch.attention_mask.bool()])
        assert {parts.up.weight.dtype for _, parts in find_blocks(model)} == {dtype}  # in place
    assert (found[0] - found[1]).norm() < 0.05 * found[0].norm()


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (AlbertModel(AlbertConfig(**SIZES)), "want a block of its own per layer"),
        (
            BertModel(BertConfig(**SIZES, hidden_act="relu")),
            "want a GELU in its blocks, found ReLU",
        ),
        (ErnieModel(ErnieConfig(**SIZES)), "want block -1 of the model, found 0 known"),
    ],
    ids=["albert", "relu", "ernie"],
)
def test_a_model_whose_blocks_are_not_supported_is_refused(model, problem):
    with pytest.raises(ModelError, match=problem):
        Teacher(model, LAST, torch.float32)
