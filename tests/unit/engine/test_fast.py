import dataclasses
import math
import pickle

import numpy as np
import pytest
import torch
from transformers import get_linear_schedule_with_warmup

from agnews_ray.data.batches import train_batches
from agnews_ray.data.tensors import rank_share
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.graphs import CudaRecorder
from agnews_ray.engine.results import Rank
from agnews_ray.model.build import build_classifier
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.fused import ranks
from tests.unit.engine.models import a_model as an_engine_model
from tests.unit.engine.recording import ValueRecorder, run_again

SIZES = ArchitectureSpec(
    num_layers=2, hidden_size=32, num_heads=2, intermediate_size=32, vocab_size=100
)
RECIPE = RecipeSpec(learning_rate=1e-2, global_batch_size=10, num_epochs=1)


def a_model(dropout=0.0):
    model = build_classifier(
        VariantSpec(model="minilm", init="random", architecture=SIZES), ("a", "b", "c", "d"), 0
    )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    return model


def engine(precision="fp32", device="cpu", record=None):
    rank = Rank(device=torch.device(device))
    return FastEngine(recipe=RECIPE, precision=precision, pad_id=0, rank=rank, record=record)


def run(model, precision="fp32", rows=103, device="cpu", record=None):
    batches = train_batches([some_rows(rows)], 10, 1, 0)
    trained = engine(precision, device, record)
    return trained.train(model.to(device), [batches], math.ceil(rows / 10))


def test_the_curve_is_that_of_a_plain_loop_over_padded_batches():
    expected, model = [], a_model()
    optimizer = torch.optim.AdamW(
        [
            {
                "params": [
                    p
                    for n, p in model.named_parameters()
                    if "bias" not in n and "LayerNorm" not in n
                ],
                "weight_decay": 0.01,
            },
            {
                "params": [
                    p for n, p in model.named_parameters() if "bias" in n or "LayerNorm" in n
                ],
                "weight_decay": 0.0,
            },
        ],
        lr=1e-2,
        eps=1e-8,
    )
    schedule = get_linear_schedule_with_warmup(optimizer, 2, 11)
    for rows in train_batches([some_rows()], 10, 1, 0):
        batch = rank_share(rows, 0, 1, pad_id=0)
        loss = model(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels
        ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        expected.append(loss.item())
    assert run(a_model()).loss == pytest.approx(expected, rel=1e-4)


def test_the_learning_rate_rises_then_falls_to_zero():
    rates = run(a_model()).learning_rate
    assert rates[0] == 0
    assert rates.argmax() == 2
    assert rates[-1] == pytest.approx(1e-2 / 9)


def test_it_learns():
    rows = some_rows(200)
    first_tokens = rows.ids[rows.offsets[:-1]]
    rows = dataclasses.replace(rows, labels=(first_tokens > 50).astype(np.int64))
    gentle = dataclasses.replace(engine(), recipe=RECIPE.model_copy(update={"learning_rate": 3e-3}))
    model = a_model()
    for epoch in range(4):
        log = gentle.train(model, [train_batches([rows], 10, 1, epoch)], 20)
    assert log.loss[-5:].mean() < 0.3


def test_the_log_counts_rows_and_padding():
    log = run(a_model())
    assert log.rows.tolist() == [10] * 10 + [3]
    assert log.tokens.sum() == some_rows().lengths.sum()
    assert 0 < log.padding_share < 0.3


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_follows_full_precision(precision):
    assert run(a_model(), precision).loss == pytest.approx(run(a_model()).loss, abs=0.02)


def test_the_gpus_path_follows_that_of_a_cpu():
    """Dense embeddings, torch's dropout, batches of fixed shape."""
    expected, found = run(a_model(), rows=203), run(a_model(), rows=203, record=run_again)
    assert found.loss == pytest.approx(expected.loss, abs=1e-3)
    assert found.learning_rate == pytest.approx(expected.learning_rate, rel=1e-4)
    assert found.rows_hash.tolist() == expected.rows_hash.tolist()
    assert found.rows.tolist() == expected.rows.tolist()


@pytest.mark.parametrize("alias", ["deberta-v3-small", "modernbert"])
def test_words_that_are_only_looked_up_are_updated_apart_whatever_the_family(alias):
    def found(record):
        variant = VariantSpec(model=alias, init="random", architecture=SIZES)
        model = build_classifier(variant, ("a", "b", "c", "d"), 0)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        gentle = dataclasses.replace(
            engine(record=record), recipe=RECIPE.model_copy(update={"learning_rate": 1e-3})
        )
        batches = train_batches([some_rows()], 10, 1, 0)
        log = gentle.train(model, [batches], 11)
        return log.loss, model.get_input_embeddings().weight.detach()

    (loss, words), (expected, dense) = found(None), found(run_again)
    assert loss == pytest.approx(expected, abs=1e-4)
    assert torch.allclose(words, dense, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("fp16", 0.02)])
def test_a_gpu_follows_the_curve_of_a_cpu(precision, tolerance):
    expected = run(a_model(), rows=503)
    found = run(a_model(), precision, rows=503, device="cuda", record=CudaRecorder())
    assert found.loss == pytest.approx(expected.loss, abs=tolerance)
    assert found.learning_rate == pytest.approx(expected.learning_rate, rel=1e-4)
    assert found.rows_hash.tolist() == expected.rows_hash.tolist()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_a_gpu_does_the_same_without_graphs():
    with_graphs = run(a_model(), rows=503, device="cuda", record=CudaRecorder())
    without = run(a_model(), rows=503, device="cuda")
    assert without.loss == pytest.approx(with_graphs.loss, abs=1e-3)


def weights_after(passes, family="bert", record=None):
    model = an_engine_model(family)
    gentle = RECIPE.model_copy(update={"learning_rate": 1e-3})
    cut = dataclasses.replace(engine(record=record), recipe=gentle, passes=passes)
    log = cut.train(model, [train_batches([some_rows(103)], 10, 1, 0)], 11)
    return log, torch.cat([p.detach().reshape(-1) for p in model.parameters()])


@pytest.mark.parametrize("family", ["bert", "albert", "mpnet"])
@pytest.mark.parametrize("passes", [3, 10])
def test_several_passes_make_the_step_of_one(one_thread, family, passes):
    """Blocks that are used once and several times, lazily updated words, a short last batch."""
    (expected, weights), (found, others) = weights_after(1, family), weights_after(passes, family)
    assert found.loss == pytest.approx(expected.loss, abs=1e-5)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.rows_hash.tolist() == expected.rows_hash.tolist()
    assert torch.allclose(others, weights, atol=2e-5)


def test_recorded_passes_make_the_step_of_one(one_thread):
    recorder = ValueRecorder()
    (expected, weights), (found, others) = weights_after(1), weights_after(3, record=recorder)
    assert recorder.num_replayed > recorder.num_recorded
    assert found.loss == pytest.approx(expected.loss, abs=1e-4)
    assert torch.allclose(others, weights, atol=1e-4)


def test_passes_on_two_ranks_make_the_step_of_one(tmp_path, one_thread):
    ranks.train(0, 1, "fp32", tmp_path)
    ranks.in_processes(ranks.train, 2, 2, "fp32", tmp_path, "bert", 3)
    names = ("1-0", "2-0", "2-1")
    (expected, weights), *found = [pickle.loads((tmp_path / n).read_bytes()) for n in names]
    for log, others in found:
        assert log.loss == pytest.approx(expected.loss, abs=1e-4)
        assert all(np.allclose(others[name], weights[name], atol=1e-4) for name in weights)
