"""The parts that an objective asks for are kept from a model's forward pass."""

import pytest
import torch

from agnews_ray.engine.fused.asked import AskedParts
from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.fused.model import FusedModel, Wanted
from agnews_ray.engine.objective import ModelNeeds
from agnews_ray.engine.results import Rank
from agnews_ray.errors import ModelError
from agnews_ray.spec.recipe import RecipeSpec
from tests.unit.engine.fused.test_model import a_batch
from tests.unit.engine.models import a_model

IDS = torch.tensor([[7, 8, 9, 10], [11, 12, 13, 14]])


def prepared(model, needs):
    return FusedModel(model, torch.float32, RecipeSpec(), 10, Rank(), Wanted(needs=needs))


@pytest.mark.parametrize("family", ["bert", "albert"])
def test_hidden_states_are_those_of_transformers(family):
    model = a_model(family)
    asked = AskedParts(dict(find_blocks(model)), ModelNeeds(hidden_states=(0, -1)))
    for ids in (IDS, IDS + 20):  # nothing of the first pass is left in the second
        asked.start()
        after = model(input_ids=ids, output_hidden_states=True).hidden_states[1:]
        hidden, projections = asked.take()
        assert (list(hidden), projections) == ([0, -1], {})
        assert torch.equal(hidden[0], after[0])
        assert torch.equal(hidden[-1], after[1])


def test_projections_are_what_a_block_makes_of_its_input():
    model = a_model()
    needs = ModelNeeds(hidden_states=(0,), projections=(1,))
    asked = AskedParts(dict(find_blocks(model)), needs)
    asked.start()
    model(input_ids=IDS)
    hidden, projections = asked.take()
    attention = model.bert.encoder.layer[1].attention.self
    linears = (attention.query, attention.key, attention.value)
    for found, linear in zip(projections[1], linears, strict=True):
        assert torch.allclose(found, linear(hidden[0]), atol=1e-6)


def test_each_block_knows_what_is_asked_of_it():
    model = a_model()
    first, last = dict(find_blocks(model))
    asked = AskedParts(dict(find_blocks(model)), ModelNeeds(hidden_states=(0,), projections=(-1,)))
    assert [asked.has_output_of(block) for block in (first, last)] == [True, False]
    assert [asked.has_projections_of(block) for block in (first, last)] == [False, True]


def test_a_validation_pass_leaves_nothing_for_the_next_step():
    model, batch = a_model("albert"), a_batch(0)
    fused = prepared(model, ModelNeeds(hidden_states=(0,)))
    fused.embeddings.begin(batch.input_ids.unique())
    first = fused.compute(batch.input_ids, batch.attention_mask).hidden_states[0]
    model(input_ids=batch.input_ids[:1], attention_mask=None)
    again = fused.compute(batch.input_ids, batch.attention_mask).hidden_states[0]
    assert torch.equal(first, again)


@pytest.mark.parametrize("number", [2, -3])
@pytest.mark.parametrize("what", ["hidden_states", "projections"])
def test_a_block_that_a_model_has_not_got_is_refused(what, number):
    with pytest.raises(ModelError, match=f"want block {number} of the model, found 2 known"):
        prepared(a_model(), ModelNeeds(**{what: (number,)}))


def test_nothing_is_caught_of_a_released_model():
    model = a_model()
    prepared(model, ModelNeeds(hidden_states=(0,), projections=(1,))).release()
    assert not any(module._forward_hooks for module in model.modules())
