import pytest
import torch

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.results import Rank
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.models import a_model

RECIPE = RecipeSpec(learning_rate=5e-4, global_batch_size=10, num_epochs=2)


def reference(tokenizer, precision="fp32", style="paper", recipe=RECIPE):
    return ReferenceEngine(
        recipe=recipe, precision=precision, tokenizer=tokenizer, rank=Rank(), style=style
    )


def fast(precision="fp32"):
    return FastEngine(recipe=RECIPE, precision=precision, pad_id=0, rank=Rank())


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_both_engines_follow_the_same_curve_on_the_same_batches(tokenizer, family):
    rows = some_rows(1003)
    batches = [batch for epoch in range(2) for batch in train_batches([rows], 10, 1, epoch)]
    plan = [batch.rows for batch in batches]
    assert len(batches) == 202  # two of them short
    expected = reference(tokenizer).train(a_model(family), rows, 1, plan=plan)
    found = fast().train(a_model(family), [batches], len(batches))
    assert found.loss == pytest.approx(expected.loss, rel=1e-4)
    assert found.learning_rate == pytest.approx(expected.learning_rate, rel=1e-5)
    assert found.rows_hash.tolist() == expected.rows_hash.tolist()
    assert found.tokens.tolist() == expected.tokens.tolist()


def test_the_paper_style_draws_batches_at_random_and_the_best_by_length(tokenizer):
    rows, padding = some_rows(400), {}
    for style in ("paper", "best"):
        log = reference(tokenizer, style=style).train(a_model(), rows, 1)
        assert log.rows.tolist() == [10] * 80
        assert log.rows_hash[:40].sum() == log.rows_hash[40:].sum()  # each row once an epoch
        assert log.rows_hash[0] != log.rows_hash[40]
        padding[style] = log.padding_share
    assert padding["best"] < padding["paper"] / 2


def test_the_seed_decides_the_order(tokenizer):
    def hashes(seed):
        return reference(tokenizer).train(a_model(), some_rows(50), seed).rows_hash

    assert hashes(1).tolist() == hashes(1).tolist() != hashes(2).tolist()


def test_bf16_stays_close(tokenizer):
    rows = some_rows(200)
    plan = [batch.rows for batch in train_batches([rows], 10, 1, 0)]
    low, full = (
        reference(tokenizer, precision).train(a_model(), rows, 1, plan=plan)
        for precision in ("bf16", "fp32")
    )
    assert low.loss == pytest.approx(full.loss, abs=0.05)
    assert not torch.is_autocast_enabled("cpu")
