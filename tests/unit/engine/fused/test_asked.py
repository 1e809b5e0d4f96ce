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
from tests.unit.engine.fused.test_model import a_batch, gradients_of
from tests.unit.engine.models import a_model, an_albert

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


@pytest.mark.parametrize("sizes", [(6, 2, 1), (3, 2, 1), (2, 2, 2), (2, 1, 2), (2, 3, 1)])
def test_each_layer_of_an_albert_with_several_blocks_is_found(sizes):
    model = an_albert(*sizes)
    num_layers = sizes[0] * sizes[2]
    every, ran = tuple(range(num_layers)), []
    for layer in {module for module in model.modules() if type(module).__name__ == "AlbertLayer"}:
        layer.register_forward_hook(lambda layer, *_: ran.append(layer))
    needs = ModelNeeds(hidden_states=every, projections=(*every, -1))
    asked = AskedParts(dict(find_blocks(model)), needs)
    asked.start()
    before = model(input_ids=IDS, output_hidden_states=True).hidden_states
    hidden, projections = asked.take()
    for number, block in enumerate(ran):
        assert torch.equal(hidden[number], before[number + 1])
        for found, name in zip(projections[number], ("query", "key", "value"), strict=True):
            linear = getattr(block.attention, name)
            assert torch.allclose(found, linear(before[number]), atol=1e-6)
    assert projections[-1] == projections[num_layers - 1]


@pytest.mark.parametrize("sizes", [(3, 2, 1), (2, 2, 2), (2, 3, 1)])
def test_an_albert_with_several_blocks_is_trained_as_by_transformers(sizes):
    plain, model, batch = an_albert(*sizes), an_albert(*sizes), a_batch(0)
    output = plain(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, output_hidden_states=True
    )
    (output.logits.square().mean() + output.hidden_states[2].square().mean()).backward()
    fused = prepared(model, ModelNeeds(hidden_states=(1,)))
    fused.embeddings.begin(batch.input_ids.unique())
    fused.zero()
    found = fused.compute(batch.input_ids, batch.attention_mask)
    (found.logits.square().mean() + found.hidden_states[1].square().mean()).backward()
    assert fused.is_fused
    gradients = gradients_of(fused)
    for name, parameter in plain.named_parameters():
        wanted = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert torch.allclose(gradients[name], wanted, rtol=1e-4, atol=1e-6), name


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
