"""Each family's blocks are taken apart into the same parts, or left alone."""

import copy

import pytest
from transformers import ErnieConfig, ErnieForSequenceClassification

from agnews_ray.engine.fused.families import find_blocks, find_position_encoders, is_fusable
from tests.unit.engine.models import FAMILIES, SIZES, a_model, an_albert


def changed(family, **settings):
    build, config = FAMILIES[family]
    config = copy.deepcopy(config)
    for name, value in settings.items():
        setattr(config, name, value)
    return build(config)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_is_a_block_in_its_order_or_a_use_of_one(family):
    model = a_model(family)
    found = dict(find_blocks(model))
    assert sum(parts.num_uses for parts in found.values()) == 2
    places = {module: place for place, module in enumerate(model.modules())}
    assert sorted(found, key=places.get) == list(found)
    assert is_fusable(model)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_blocks_parts_are_all_of_its_parameters_once(family):
    for block, parts in find_blocks(a_model(family)):
        named = [id(parameter) for parameter in (*parts.matrices, *parts.vectors)]
        assert sorted(named) == sorted(id(parameter) for parameter in block.parameters())
        assert {parameter.ndim for parameter in parts.matrices} == {2}
        query, key, value = parts.projections
        assert query.out_features == key.out_features == value.out_features == 32
        assert (parts.up.out_features, parts.down.out_features) == (48, 32)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_blocks_settings_are_those_of_its_config(family):
    model = changed(
        family,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.2,
        dropout=0.1,  # DistilBERT's
        attention_dropout=0.2,
        layer_norm_eps=1e-3,
    )
    for _, parts in find_blocks(model):
        found = parts.settings
        assert (found.num_heads, found.attention_dropout) == (2, 0.2)
        assert found.projection_dropout == (0.0 if family == "distilbert" else 0.1)
        assert found.output_dropout == (0.0 if family == "albert" else 0.1)
        assert found.epsilon == (1e-12 if family == "distilbert" else 1e-3)
        assert found.gelu == ("tanh" if family == "albert" else "none")
        assert parts.is_biased_by_position == (family == "mpnet")


@pytest.mark.parametrize(
    ("num_layers", "num_groups", "num_inner", "uses"),
    [
        (6, 2, 1, [(0, 1, 2), (3, 4, 5)]),
        (3, 2, 1, [(0, 1), (2,)]),
        (4, 2, 2, [(0, 2), (1, 3), (4, 6), (5, 7)]),
        (2, 3, 1, [(0,), (1,)]),  # no layer uses the third
    ],
)
def test_the_layers_of_albert_are_numbered_as_they_run(num_layers, num_groups, num_inner, uses):
    found = dict(find_blocks(an_albert(num_layers, num_groups, num_inner)))
    assert [parts.uses for parts in found.values()] == uses


@pytest.mark.parametrize("family", ["bert", "distilbert", "mpnet", "albert"])
def test_a_block_with_another_activation_is_left_alone(family):
    model = changed(family, hidden_act="relu", activation="relu")
    assert [parts.is_fusable for _, parts in find_blocks(model)].count(True) == 0
    assert not is_fusable(model)


@pytest.mark.parametrize("name", ["attention.self.key.bias", "output.LayerNorm.weight"])
def test_a_block_of_which_a_part_is_frozen_is_left_alone(name):
    model = a_model()
    model.bert.encoder.layer[1].get_parameter(name).requires_grad_(False)
    assert [parts.is_fusable for _, parts in find_blocks(model)] == [True, False]
    assert not is_fusable(model)


def test_a_decoder_and_another_family_have_no_blocks():
    ernie = ErnieForSequenceClassification(ErnieConfig(**SIZES))
    for model in (changed("bert", is_decoder=True), ernie):
        assert list(find_blocks(model)) == []
        assert not is_fusable(model)


@pytest.mark.parametrize("family", FAMILIES)
def test_only_mpnet_has_a_bias_by_position(family):
    assert len(find_position_encoders(a_model(family))) == (family == "mpnet")
