import dataclasses

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ErnieConfig,
    ErnieForSequenceClassification,
)

from agnews_ray.data.tensors import rank_share
from agnews_ray.engine.fused.model import FusedModel
from agnews_ray.engine.results import Rank
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.models import FAMILIES, SIZES, a_model


def fuse(model, dtype):
    return FusedModel(model, dtype, RecipeSpec(), 10, Rank())


def a_batch(pad_id):
    """Padded by up to 17 tokens a row; no token is the padding's, which RoBERTa would skip."""
    rows = some_rows(9)
    ids = np.where(rows.ids == pad_id, pad_id + 5, rows.ids)
    return rank_share(dataclasses.replace(rows, ids=ids), 0, 1, pad_id)


def loss_of(model, batch, mask):
    logits = model(input_ids=batch.input_ids, attention_mask=mask).logits
    return torch.nn.functional.cross_entropy(logits.float(), batch.labels)


def fused_gradients(fused, batch):
    fused.embeddings.begin(batch.input_ids.unique())
    mask = batch.attention_mask
    loss = loss_of(fused.model, batch, mask[:, None, None, :].bool() if fused.is_fused else mask)
    loss.backward()
    return loss.item(), gradients_of(fused)


def gradients_of(fused):
    """By name, after a backward pass; those of the words too, which lie apart."""
    fused.gradient_norm()
    gradients = {n: p.grad.clone() for n, p in fused.model.named_parameters() if p.grad is not None}
    for name, parameter in fused.model.named_parameters():
        if fused.embeddings and parameter is fused.embeddings.embedding.weight:
            gradients[name] = torch.zeros_like(parameter)
            gradients[name][fused.embeddings.words] = fused.embeddings.gradient
    return gradients


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_transformers(family):
    plain, model = a_model(family), a_model(family)
    batch = a_batch(model.config.pad_token_id or 0)
    expected = loss_of(plain, batch, batch.attention_mask)
    expected.backward()
    fused = fuse(model, torch.float32)
    assert fused.is_fused
    loss, gradients = fused_gradients(fused, batch)
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    for name, parameter in plain.named_parameters():
        wanted = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert torch.allclose(gradients[name], wanted, rtol=1e-4, atol=1e-6), name


@pytest.mark.parametrize("family", ["bert", "distilbert", "mpnet", "albert"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_gradients_point_where_full_ones_do(family, dtype):
    plain, model = a_model(family), a_model(family)
    batch = a_batch(model.config.pad_token_id or 0)
    loss_of(plain, batch, batch.attention_mask).backward()
    fused = fuse(model, dtype)
    with torch.autocast("cpu", dtype):
        _, gradients = fused_gradients(fused, batch)
    wanted = {n: p.grad for n, p in plain.named_parameters() if p.grad is not None}
    whole = torch.stack([gradient.norm() for gradient in wanted.values()]).norm()
    for name, gradient in wanted.items():  # a key's bias has none, mathematically
        error = (gradients[name] - gradient).norm()
        assert error < 0.05 * gradient.norm() + 1e-3 * whole, name


@pytest.mark.parametrize("family", ["bert", "mpnet", "albert"])
def test_a_released_model_is_as_it_was(family):
    plain, model = a_model(family, dropout=0.1), a_model(family, dropout=0.1)
    fused = fuse(model.eval(), torch.bfloat16)
    model.train()
    fused.release()
    batch = a_batch(0)
    assert repr(model) == repr(plain)
    replaced = {"forward", "compute_position_bias"}
    assert not any(replaced & vars(module).keys() for module in model.modules())
    assert all(p.grad is None for p in model.parameters())
    assert len({p.data_ptr() for p in model.parameters()}) == len(list(model.parameters()))
    assert all(module.training for module in model.modules())
    expected = loss_of(plain.eval(), batch, batch.attention_mask)
    assert loss_of(model.eval(), batch, batch.attention_mask) == expected


@pytest.mark.parametrize(
    ("family", "attention"),
    [("bert", "sdpa"), ("bert", "eager"), ("albert", "sdpa"), ("mpnet", "eager")],
)
def test_fused_blocks_score_as_transformers_do_without_padding_and_with(family, attention):
    plain, model = a_model(family, dropout=0.1).eval(), a_model(family, dropout=0.1).eval()
    batch = a_batch(model.config.pad_token_id)
    fuse(model, torch.float32)
    model.config._attn_implementation = attention
    with torch.inference_mode():
        for mask in (None, batch.attention_mask):
            expected = plain(input_ids=batch.input_ids, attention_mask=mask).logits
            found = model(input_ids=batch.input_ids, attention_mask=mask).logits
            assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("change", [{"hidden_act": "relu"}, {"is_decoder": True}])
def test_blocks_that_compute_something_else_stay_as_they_are(change):
    build, config = FAMILIES["bert"]
    model = build(type(config)(**SIZES, **change))
    assert not fuse(model, torch.float32).is_fused
    assert not any("forward" in vars(module) for module in model.modules())


@pytest.mark.parametrize("frozen", [0, 1])
def test_frozen_blocks_stay_as_they_are_and_get_no_gradient(frozen):
    plain, model = a_model(), a_model()
    model.bert.encoder.layer[frozen].requires_grad_(False)
    batch = a_batch(0)
    expected = loss_of(plain, batch, batch.attention_mask).item()
    fused = fuse(model, torch.float32)
    loss, _ = fused_gradients(fused, batch)
    assert loss == pytest.approx(expected, rel=1e-5)
    with_gradient = [name for name, p in model.named_parameters() if p.grad is not None]
    assert not any(name.startswith(f"bert.encoder.layer.{frozen}.") for name in with_gradient)
    assert any(name.startswith(f"bert.encoder.layer.{1 - frozen}.") for name in with_gradient)
    assert not fused.is_fused


def test_another_family_is_trained_unfused():
    model = ErnieForSequenceClassification(ErnieConfig(**SIZES))
    fused = fuse(model, torch.float32)
    batch = a_batch(0)
    loss_of(model, batch, batch.attention_mask).backward()
    assert not fused.is_fused
    assert fused.embeddings is None
    assert model.get_input_embeddings().weight.grad.any()
    assert all(p.grad.any() for p in model.ernie.encoder.parameters())


def test_a_shared_block_adds_up_over_its_uses_and_begins_anew_with_each_step():
    model = a_model("albert")
    fused, batch = fuse(model, torch.float32), a_batch(0)
    _, first = fused_gradients(fused, batch)
    fused.zero()
    _, second = fused_gradients(fused, batch)
    assert all(torch.equal(first[name], gradient) for name, gradient in second.items())


def test_only_the_first_tokens_output_is_computed_at_the_end():
    model = a_model("mpnet")
    fuse(model, torch.float32)
    batch, seen = a_batch(1), []
    model.classifier.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape))
    model.eval()(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
    assert seen == [(9, 1, 32)]


def test_a_frozen_bias_by_position_gets_no_gradient():
    model = a_model("mpnet")
    table = model.mpnet.encoder.relative_attention_bias.requires_grad_(False)
    fused = fuse(model, torch.float32)
    _, gradients = fused_gradients(fused, a_batch(1))
    assert table.weight.grad is None
    assert gradients["mpnet.encoder.layer.0.attention.attn.q.weight"].any()


def test_a_seed_gives_the_same_dropout_and_another_another():
    def logits(seed):
        model = a_model(dropout=0.3)
        fused, batch = fuse(model, torch.float32), a_batch(0)
        fused.embeddings.begin(batch.input_ids.unique())
        torch.manual_seed(seed)
        return model(input_ids=batch.input_ids).logits

    assert torch.equal(logits(1), logits(1))
    assert not torch.equal(logits(1), logits(2))


def test_words_that_a_head_computes_with_are_not_updated_lazily():
    for is_tied in (True, False):
        model = BertForMaskedLM(BertConfig(**SIZES, tie_word_embeddings=is_tied))
        assert (fuse(model, torch.float32).embeddings is None) == is_tied
