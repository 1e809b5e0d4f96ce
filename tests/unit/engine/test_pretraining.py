"""Every objective of a pre-training is made, trains, and leaves what it does not train."""

import pickle

import numpy as np
import pytest
import torch

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.masked_lm import MaskedLM
from agnews_ray.engine.pretraining import make_objective
from agnews_ray.engine.relations import Relations
from agnews_ray.engine.results import Rank
from agnews_ray.engine.triple_loss import TripleLoss
from agnews_ray.spec.distillation import PretrainingSpec
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import masked_rows
from tests.unit.engine.fused import ranks
from tests.unit.engine.models import a_masked_lm, a_model

RECIPE = RecipeSpec(learning_rate=1e-3, global_batch_size=10, num_epochs=1, weight_decay=0.1)
FREE = {
    "minilm": ("pooler", "layer.1.attention.output", "layer.1.intermediate", "layer.1.output"),
    "minilm-v2": ("pooler", "layer.1.attention.output", "layer.1.intermediate", "layer.1.output"),
    "masked-lm": (),
    "distilbert": (),
}


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({"objective": "masked-lm"}, MaskedLM),
        ({"objective": "masked-lm", "trains": "head"}, MaskedLM),
        ({"objective": "distilbert"}, TripleLoss),
        ({"objective": "minilm"}, Relations),
        ({"objective": "minilm-v2", "relation_heads": 4}, Relations),
    ],
    ids=["masked-lm", "head", "distilbert", "minilm", "minilm-v2"],
)
def test_an_objective_is_made_and_trains_all_that_gets_a_gradient(spec, kind):
    spec = PretrainingSpec(**spec)
    is_minilm = spec.objective.startswith("minilm")
    student = a_model().base_model if is_minilm else a_masked_lm()
    teacher = a_model().base_model if is_minilm else a_masked_lm(seed=1)
    if is_minilm:
        with torch.no_grad():
            student.encoder.layer[1].attention.self.key.weight.mul_(2)
    objective = make_objective(
        spec, student, teacher if spec.has_teacher else None, "fp32", is_recorded=False
    )
    assert isinstance(objective, kind)
    before = {name: p.detach().clone() for name, p in student.named_parameters()}
    batches = list(train_batches([masked_rows(30)], 10, 1, 0))
    engine = FastEngine(recipe=RECIPE, precision="fp32", pad_id=0, rank=Rank(), objective=objective)
    log = engine.train(student, [batches], len(batches))
    assert set(log.parts) == set(objective.parts)
    for name, parameter in student.named_parameters():
        is_left = torch.equal(parameter, before[name])
        is_free = any(part in name for part in FREE[spec.objective])
        is_of_encoder = name.startswith("bert.") and spec.trains == "head"
        assert is_left == (is_free or is_of_encoder), name


@pytest.mark.parametrize("objective", ["distilbert", "minilm"])
def test_pretraining_on_two_ranks_is_pretraining_on_one(tmp_path, one_thread, objective):
    """The ranks have different numbers of masked tokens, and share the frozen parts."""
    ranks.pretrain(0, 1, tmp_path, objective)
    ranks.in_processes(ranks.pretrain, 2, 2, tmp_path, objective)
    one, two = (pickle.loads((tmp_path / name).read_bytes()) for name in ("1-0", "2-0"))
    assert two[0].loss == pytest.approx(one[0].loss, rel=1e-4)
    for name, part in one[0].parts.items():
        assert two[0].parts[name] == pytest.approx(part, rel=1e-4)
    for name, weights in one[1].items():
        assert np.abs(two[1][name] - weights).max() < 2e-4, name
