import math

import pytest
import torch

from agnews_ray.engine.fused.model import FusedModel
from agnews_ray.engine.optimizer import FIRST_SCALE, GROWTH_INTERVAL, Optimizer
from agnews_ray.engine.results import Rank
from agnews_ray.spec.recipe import RecipeSpec
from tests.unit.engine.models import a_model

RECIPE = RecipeSpec(learning_rate=1e-2)


def an_optimizer(precision="fp32", num_steps=20):
    fused = FusedModel(a_model(), torch.float32, RECIPE, num_steps, Rank())
    return fused, Optimizer(fused, RECIPE, num_steps, precision)


def set_gradients(fused, value):
    fused.matrices.gradient.fill_(value)
    fused.vectors.gradient.fill_(value)
    fused.embeddings.begin(torch.arange(100))
    fused.embeddings.gradient.fill_(value)


def test_updates_are_those_of_adamw_on_the_model_itself():
    plain = a_model()
    decayed = [p for n, p in plain.named_parameters() if "bias" not in n and "LayerNorm" not in n]
    spared = [p for n, p in plain.named_parameters() if "bias" in n or "LayerNorm" in n]
    adamw = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": spared, "weight_decay": 0.0}],
        lr=RECIPE.learning_rate,
    )
    fused, optimizer = an_optimizer(num_steps=10)
    schedule = torch.optim.lr_scheduler.LambdaLR(adamw, lambda n: min(n / 1, (10 - n) / 9))
    for step in range(4):
        value = 0.1 * (step + 1)
        for parameter in plain.parameters():
            parameter.grad = torch.full_like(parameter, value)
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        adamw.step()
        schedule.step()
        set_gradients(fused, value)
        optimizer.step()
    for name, parameter in fused.model.named_parameters():
        assert torch.allclose(parameter, plain.get_parameter(name), atol=1e-7), name


def test_the_rate_rises_and_falls_as_transformers_schedule_has_it():
    fused, optimizer = an_optimizer(num_steps=20)
    rates = []
    for _ in range(20):
        set_gradients(fused, 0.1)
        optimizer.step()
        rates.append(float(optimizer.learning_rate))
    expected = [min(step / 2, (20 - step) / 18) * 1e-2 for step in range(20)]
    assert rates == pytest.approx(expected)


def test_no_warm_up_starts_at_the_peak():
    recipe = RECIPE.model_copy(update={"warmup_fraction": 0.0})
    fused = FusedModel(a_model(), torch.float32, recipe, 10, Rank())
    optimizer = Optimizer(fused, recipe, 10, "fp32")
    set_gradients(fused, 0.1)
    optimizer.step()
    assert float(optimizer.learning_rate) == pytest.approx(1e-2)


def test_an_overflow_leaves_weights_and_schedule_and_halves_the_scale():
    fused, optimizer = an_optimizer("fp16")
    set_gradients(fused, FIRST_SCALE)
    optimizer.step()
    before = fused.matrices.values.detach().clone()
    set_gradients(fused, FIRST_SCALE)
    fused.matrices.gradient[0] = math.inf
    optimizer.step()
    assert torch.equal(fused.matrices.values, before)
    assert float(optimizer.loss_scale) == FIRST_SCALE / 2
    assert float(optimizer.num_updates) == 1


def test_scaled_gradients_make_the_same_update():
    (plain, first), (scaled, second) = an_optimizer("fp32"), an_optimizer("fp16")
    for _ in range(3):
        set_gradients(plain, 0.2)
        first.step()
        set_gradients(scaled, 0.2 * FIRST_SCALE)
        second.step()
    assert torch.allclose(plain.matrices.values, scaled.matrices.values, atol=1e-7)


def test_the_scale_doubles_after_many_good_updates():
    fused, optimizer = an_optimizer("fp16", num_steps=2 * GROWTH_INTERVAL)
    set_gradients(fused, 0.0)
    for _ in range(GROWTH_INTERVAL):
        optimizer.step()
    assert float(optimizer.loss_scale) == 2 * FIRST_SCALE


def test_vectors_do_not_decay():
    fused, optimizer = an_optimizer()
    matrices, vectors = (
        fused.matrices.values.detach().clone(),
        fused.vectors.values.detach().clone(),
    )
    for _ in range(2):
        set_gradients(fused, 0.0)
        optimizer.step()
    assert torch.allclose(fused.matrices.values, matrices * (1 - 5e-3 * 0.01))
    assert torch.equal(fused.vectors.values, vectors)
