import pytest
import torch
from transformers import AutoModelForSequenceClassification, Trainer

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.decay import decaying
from agnews_ray.engine.results import Rank
from agnews_ray.spec.recipe import RecipeSpec
from tests.data.model_families import FAMILIES
from tests.fakes.token_rows import some_rows
from tests.unit.engine.models import FAMILIES as FUSED
from tests.unit.engine.models import a_model


def names_of(model, parameters):
    wanted = {id(parameter) for parameter in parameters}
    return {name for name, parameter in model.named_parameters() if id(parameter) in wanted}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_decays_is_what_decays_in_the_trainer(family):
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(FAMILIES[family].config())
    ours = names_of(model, decaying(model))
    expected = set(Trainer.get_decay_parameter_names(None, model))
    assert ours == expected & {name for name, _ in model.named_parameters()}
    assert ours


@pytest.mark.parametrize("family", FUSED)
def test_of_the_families_in_the_fused_block_too(family):
    model = a_model(family)
    assert names_of(model, decaying(model)) == set(Trainer.get_decay_parameter_names(None, model))


@pytest.mark.parametrize(
    ("family", "still"),
    [("mpnet", "mpnet.encoder.relative_attention_bias.weight"), ("xlnet", "r_w_bias")],
)
def test_a_table_that_is_a_bias_stays_where_it_is_without_gradients(family, still):
    """What decays is halved by the update."""
    model = AutoModelForSequenceClassification.from_config(FAMILIES[family].config(num_labels=4))
    recipe = RecipeSpec(
        learning_rate=0.5, weight_decay=1.0, warmup_fraction=0.0, global_batch_size=8
    )
    before = {name: p.detach().clone() for name, p in model.named_parameters() if still in name}
    model.requires_grad_(True)
    for parameter in model.parameters():
        parameter.register_hook(torch.zeros_like)  # as if no row told anything
    engine = FastEngine(recipe=recipe, precision="fp32", pad_id=1, rank=Rank())
    engine.train(model, [train_batches([some_rows(8)], 8, 1, 0)], 1)
    after = dict(model.named_parameters())
    assert before
    assert all(torch.equal(after[name], value) for name, value in before.items())
