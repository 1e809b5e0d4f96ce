"""Logits are computed alike, whatever engine trained the model."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from agnews_ray.engine.predict import autocast, predict
from agnews_ray.engine.results import Rank
from tests.fakes.token_rows import some_rows
from tests.unit.engine.models import a_model


def logits_of(model, precision="fp32", side="right"):
    return [part.logits for part in predict(model, [some_rows(10)], 0, Rank(), precision, side)]


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_ranks_score_every_row_once(world_size):
    batches = [some_rows(10, 0, 0), some_rows(10, 1, 10), some_rows(4, 2, 20)]
    model = a_model()
    found = [
        part
        for index in range(world_size)
        for part in predict(model, batches, 0, Rank(index=index, world_size=world_size), "fp32")
    ]
    assert sorted(np.concatenate([part.rows for part in found])) == list(range(24))
    assert all(part.logits.shape == (len(part.rows), 4) for part in found)


def test_dropout_is_off_while_rows_are_scored():
    model = a_model(dropout=0.5)
    (dropped,), (plain,) = logits_of(model), logits_of(a_model())
    assert np.array_equal(dropped, plain)


class LastToken(torch.nn.Module):
    """This head reads the last position, as XLNet's does."""

    device = torch.device("cpu")

    def forward(self, input_ids, attention_mask):
        return SimpleNamespace(logits=input_ids[:, -1:])


@pytest.mark.parametrize("side", ["left", "right"])
def test_short_rows_are_padded_on_the_side_that_their_head_does_not_read(side):
    rows = some_rows(10)
    (logits,) = logits_of(LastToken(), side=side)
    own = rows.ids[rows.offsets[1:] - 1]
    expected = own if side == "left" else np.where(rows.lengths == rows.lengths.max(), own, 0)
    assert logits[:, 0].tolist() == expected.tolist()


def test_low_precision_scores_otherwise_and_in_float32():
    (full,), (low,) = logits_of(a_model()), logits_of(a_model(), "bf16")
    assert low.dtype == np.float32
    assert not np.array_equal(low, full)
    assert low == pytest.approx(full, abs=0.05)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_products_are_in_the_precision_asked_for_and_only_there(precision, dtype):
    ones = torch.ones(2, 2)
    with autocast(torch.device("cpu"), precision):
        assert (ones @ ones).dtype == dtype
    assert (ones @ ones).dtype == torch.float32
