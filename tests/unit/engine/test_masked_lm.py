"""The masked language model: transformers' loss and gradients, from fewer logits."""

import numpy as np
import pytest
import torch

from agnews_ray.data.batches import NO_TOKEN, train_batches
from agnews_ray.data.masking import MASKED_TOKENS
from agnews_ray.data.tensors import rank_share
from agnews_ray.engine import masked_lm
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.model import FusedModel, Wanted
from agnews_ray.engine.masked_lm import (
    LAST_HIDDEN,
    MaskedLM,
    head_of,
)
from agnews_ray.engine.objective import MEAN_MASKED, weigh
from agnews_ray.engine.results import Rank
from agnews_ray.errors import ModelError
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import masked_rows
from tests.unit.engine.fused.test_model import gradients_of
from tests.unit.engine.models import MASKED_LMS, a_masked_lm, a_model
from tests.unit.engine.recording import ValueRecorder, run_again

RECIPE = RecipeSpec(learning_rate=3e-3, global_batch_size=10, num_epochs=1)


def shares_of(rows, objective, world_size):
    return [
        weigh(rank_share(rows, rank, world_size, 0), rows, objective) for rank in range(world_size)
    ]


def fused_loss(fused, objective, share):
    output = fused.compute(share.input_ids, share.attention_mask)
    losses = objective.losses(output, share.labels, share.targets)
    losses = losses.view(len(losses), -1)
    return (losses * share.row_weights[:, None]).sum(dim=0)


@pytest.mark.parametrize("family", MASKED_LMS)
@pytest.mark.parametrize("kind", ["chosen", "all", "chunks"])
def test_loss_and_gradients_are_those_of_transformers(family, kind, monkeypatch):
    """The decoder is tied to the word embeddings, which then get two gradients."""
    if kind == "chunks":
        monkeypatch.setattr(masked_lm, "MAX_LOGITS", 500)
    plain, model = a_masked_lm(family), a_masked_lm(family)
    objective = MaskedLM(student=model, is_recorded=kind == "all")
    (share,) = shares_of(masked_rows(), objective, 1)
    given = {"input_ids": share.input_ids, "attention_mask": share.attention_mask}
    expected = plain(**given, labels=share.targets[MASKED_TOKENS]).loss
    expected.backward()
    wanted = Wanted(needs=LAST_HIDDEN)
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), wanted)
    assert fused.is_fused
    assert fused.embeddings is None
    loss = fused_loss(fused, objective, share)[0]
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    gradients = gradients_of(fused)
    for name, parameter in plain.named_parameters():
        other = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert torch.allclose(gradients[name], other, rtol=1e-4, atol=1e-6), name


def test_the_losses_of_all_ranks_are_the_mean_over_the_masked_tokens_of_all():
    """The ranks have different numbers of masked tokens."""
    model, found = a_masked_lm(), {}
    objective = MaskedLM(student=model)
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=LAST_HIDDEN))
    for world_size in (1, 3):
        shares = shares_of(masked_rows(10), objective, world_size)
        found[world_size] = sum(fused_loss(fused, objective, one) for one in shares)
    assert torch.allclose(found[1], found[3])


def test_a_batch_in_which_nothing_is_masked_has_no_loss():
    model = a_masked_lm()
    rows = masked_rows()
    rows.token_targets[MASKED_TOKENS][:] = NO_TOKEN
    objective = MaskedLM(student=model)
    (share,) = shares_of(rows, objective, 1)
    assert share.targets[MEAN_MASKED].min() > 0
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=LAST_HIDDEN))
    assert fused_loss(fused, objective, share)[0] == 0


def test_a_classifier_has_no_such_head():
    with pytest.raises(ModelError, match="masked-language-model head, found BertForSeq"):
        head_of(a_model())


def train(model, record=None, precision="fp32", count=100):
    objective = MaskedLM(student=model, precision=precision, is_recorded=record is not None)
    batches = list(train_batches([masked_rows(count)], 10, 1, 0))
    engine = FastEngine(
        recipe=RECIPE, precision=precision, pad_id=0, rank=Rank(), record=record,
        objective=objective,
    )  # fmt: skip
    log = engine.train(model, [batches] * 3, 3 * len(batches))
    return log, torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_learns_and_leaves_the_decoder_tied(precision):
    model = a_masked_lm(dropout=0.1)
    log, _ = train(model, precision=precision)
    assert log.loss[-3:].mean() < log.loss[:3].mean()
    words = model.get_input_embeddings().weight
    assert model.get_output_embeddings().weight.data_ptr() == words.data_ptr()


def test_recorded_steps_train_the_same():
    recorder, found = ValueRecorder(), []
    for record in (recorder, run_again):
        log, values = train(a_masked_lm(), record)
        found.append((log.loss, values.numpy()))
    assert all(map(np.array_equal, *found))
    assert recorder.num_replayed > 0


def test_a_head_alone_is_trained_on_a_frozen_encoder_without_dropout():
    model = a_masked_lm(dropout=0.5)
    model.base_model.requires_grad_(False)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    log, _ = train(model)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) == (not parameter.requires_grad), name
    again = a_masked_lm(dropout=0.0)
    again.base_model.requires_grad_(False)
    assert np.array_equal(train(again)[0].loss, log.loss)
