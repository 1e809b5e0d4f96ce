"""DistilBERT's triple loss: parts and gradients as torch's own losses give them."""

import copy

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from agnews_ray.data.batches import NO_TOKEN
from agnews_ray.data.masking import MASKED_TOKENS
from agnews_ray.engine import masked_lm
from agnews_ray.engine.fused.model import FusedModel, Wanted
from agnews_ray.engine.masked_lm import LAST_HIDDEN
from agnews_ray.engine.results import Rank
from agnews_ray.engine.triple_loss import TripleLoss
from agnews_ray.errors import ModelError
from agnews_ray.spec.distillation import PretrainingSpec
from tests.fakes.token_rows import masked_rows
from tests.unit.engine.fused.test_model import gradients_of
from tests.unit.engine.models import SIZES, a_masked_lm
from tests.unit.engine.test_masked_lm import (
    RECIPE,
    fused_loss,
    shares_of,
)

SPEC = PretrainingSpec(objective="distilbert")


def a_spec(**changes):
    return PretrainingSpec(objective="distilbert", **changes)


def by_torch(student, teacher, share, spec):
    """Parts by torch's modules, from all logits of transformers' forward passes."""
    original = share.targets[MASKED_TOKENS]
    mask = torch.ones_like(original) if share.attention_mask is None else share.attention_mask
    given = {"input_ids": share.input_ids, "attention_mask": mask, "output_hidden_states": True}
    found = student(**given)
    with torch.no_grad():
        wanted = teacher.eval()(**given)
    is_token, is_masked = mask.bool(), original != NO_TOKEN
    is_soft = is_token if spec.soft_tokens == "all" else is_masked
    t = spec.temperature
    soft = torch.nn.KLDivLoss(reduction="batchmean")(
        (found.logits[is_soft] / t).log_softmax(1), (wanted.logits[is_soft] / t).softmax(1)
    )
    hard = torch.nn.CrossEntropyLoss()(found.logits[is_masked], original[is_masked])
    hidden = [output.hidden_states[-1][is_token] for output in (found, wanted)]
    ones = torch.ones(len(hidden[0]))
    cosine = torch.nn.CosineEmbeddingLoss()(*hidden, ones)
    return soft * t**2, hard, cosine


@pytest.mark.parametrize("soft_tokens", ["all", "masked"])
@pytest.mark.parametrize("is_recorded", [False, True])
@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_parts_and_gradients_are_those_of_torch(family, soft_tokens, is_recorded, monkeypatch):
    monkeypatch.setattr(masked_lm, "MAX_LOGITS", 2000)  # 20 tokens
    spec = a_spec(soft_tokens=soft_tokens)
    plain, model, teacher = (a_masked_lm(family, seed) for seed in (0, 0, 1))
    given = copy.deepcopy(teacher)
    objective = TripleLoss.of(spec, model, given, "fp32", is_recorded)
    (share,) = shares_of(masked_rows(), objective, 1)
    parts = by_torch(plain, teacher, share, spec)
    expected = 5 * parts[0] + 2 * parts[1] + parts[2]
    expected.backward()
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=LAST_HIDDEN))
    found = fused_loss(fused, objective, share)
    found[0].backward()
    assert objective.parts == ("soft targets", "masked LM", "cosine")
    assert torch.allclose(found, torch.stack([expected, *parts]), rtol=1e-4)
    gradients = gradients_of(fused)
    for name, parameter in plain.named_parameters():
        other = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert torch.allclose(gradients[name], other, rtol=1e-3, atol=1e-6), name


def test_a_student_that_equals_its_teacher_has_nothing_to_learn_from_it():
    model = a_masked_lm()
    spec = a_spec(masked_lm_weight=0.0)
    objective = TripleLoss.of(spec, model, a_masked_lm(dropout=0.5), "fp32", False)
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=LAST_HIDDEN))
    (share,) = shares_of(masked_rows(), objective, 1)
    found = fused_loss(fused, objective, share)
    found[0].backward()
    assert found[0].abs() < 1e-5
    assert max(gradient.abs().max() for gradient in gradients_of(fused).values()) < 1e-4


def test_the_losses_of_all_ranks_are_that_of_one():
    model, found = a_masked_lm(), {}
    objective = TripleLoss.of(SPEC, model, a_masked_lm(seed=1), "fp32", False)
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=LAST_HIDDEN))
    for world_size in (1, 3):
        shares = shares_of(masked_rows(10), objective, world_size)
        found[world_size] = sum(fused_loss(fused, objective, one) for one in shares)
    assert torch.allclose(found[1], found[3], rtol=1e-5)


def test_a_teacher_in_low_precision_teaches_nearly_the_same():
    found = []
    for precision in ("fp32", "bf16"):
        model = a_masked_lm()
        objective = TripleLoss.of(SPEC, model, a_masked_lm(seed=1), precision, False)
        (share,) = shares_of(masked_rows(), objective, 1)
        fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=LAST_HIDDEN))
        found.append(fused_loss(fused, objective, share))
    assert torch.allclose(*found, rtol=0.05)


def test_widths_may_differ_only_without_the_cosine():
    narrow = BertForMaskedLM(BertConfig(**SIZES | {"hidden_size": 16}))
    with pytest.raises(ModelError, match="the teacher's hidden size of 32, found 16"):
        TripleLoss.of(SPEC, narrow, a_masked_lm(), "fp32", False)
    objective = TripleLoss.of(a_spec(cosine_weight=0.0), narrow, a_masked_lm(), "fp32", False)
    assert objective.parts == ("soft targets", "masked LM")
    (share,) = shares_of(masked_rows(), objective, 1)
    fused = FusedModel(narrow, torch.float32, RECIPE, 10, Rank(), Wanted(needs=LAST_HIDDEN))
    assert fused_loss(fused, objective, share).isfinite().all()


def test_another_vocabulary_is_refused():
    other = BertForMaskedLM(BertConfig(**SIZES | {"vocab_size": 90}))
    with pytest.raises(ModelError, match="the teacher's vocabulary of 100, found 90"):
        TripleLoss.of(SPEC, other, a_masked_lm(), "fp32", False)
