"""A training's log is joined, kept and summed up."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from agnews_ray.engine.results import TrainLog, batch_facts, make_log


def a_log(num_steps=3, **changes):
    steps = np.arange(num_steps)
    log = TrainLog(
        loss=1.0 / (steps + 1),
        learning_rate=steps / 10,
        rows=np.full(num_steps, 4),
        tokens=np.full(num_steps, 30),
        computed=np.full(num_steps, 40),
        rows_hash=steps + 100,
        seconds=steps + 1.0,
        num_skipped=0,
        parts={"attention": steps / 2},
    )
    return dataclasses.replace(log, **changes)


def same(found, expected):
    return list(found.parts) == list(expected.parts) and all(
        np.array_equal(getattr(found, field.name), getattr(expected, field.name))
        for field in dataclasses.fields(TrainLog)
        if field.name != "parts"
    )


def test_a_run_that_continued_counts_its_seconds_on():
    first, later = a_log(2), a_log(3, num_skipped=5)
    whole = first.followed_by(later)
    assert whole.seconds.tolist() == [1, 2, 3, 4, 5]
    assert whole.rows_hash.tolist() == [100, 101, 100, 101, 102]
    assert whole.loss.tolist() == [*first.loss, *later.loss]
    assert whole.parts["attention"].tolist() == [0, 0.5, 0, 0.5, 1]
    assert whole.num_skipped == 5
    assert (same(first, a_log(2)), same(later, a_log(3, num_skipped=5))) == (True, True)


def test_a_log_is_read_from_its_tensors():
    log = a_log(num_skipped=2)
    fields = log.to_tensors()
    assert {name for name, value in fields.items() if not isinstance(value, torch.Tensor)} == {
        "num_skipped",
        "parts",
    }
    assert isinstance(fields["parts"]["attention"], torch.Tensor)
    found = TrainLog.from_tensors(fields)
    assert same(found, log)
    assert np.array_equal(found.parts["attention"], log.parts["attention"])


def test_padding_is_a_share_of_all_tokens_not_a_mean_of_steps():
    log = a_log(2, tokens=np.array([10, 30]), computed=np.array([10, 70]))
    assert log.padding_share == 0.5


@pytest.mark.parametrize(
    ("loss", "final"),
    [
        (range(1), 0.0),
        (range(10), 9.0),
        (range(11), 9.5),
        (range(25), 23.0),
        ([math.nan, 1.0], 1.0),
        ([1.0, math.nan], None),
        ([1.0, math.inf], None),
    ],
)
def test_the_final_loss_is_the_mean_of_the_last_tenth_of_the_steps(loss, final):
    assert a_log(len(loss), loss=np.array(loss, float)).final_loss == final


def test_a_batchs_hash_depends_on_its_rows_and_not_on_their_order():
    rows = np.array([7, 0, 3])
    facts = batch_facts(rows, 20, 24)
    assert facts[:3].tolist() == [3, 20, 24]
    assert batch_facts(rows[::-1], 20, 24).tolist() == facts.tolist()
    assert batch_facts(np.array([7, 1, 2]), 20, 24)[3] != facts[3]


def test_the_facts_of_a_batch_are_the_sums_of_its_ranks_shares():
    rows = np.arange(2**40, 2**40 + 64)
    parts = batch_facts(rows[::2], 20, 24) + batch_facts(rows[1::2], 30, 40)
    assert parts.tolist() == batch_facts(rows, 50, 64).tolist()


def test_a_log_of_a_stopped_training_has_only_its_steps():
    loss = torch.tensor([0.5, 0.25], requires_grad=True)
    facts = [batch_facts(np.arange(step, step + 4), 30, 40) for step in range(5)]
    log = make_log({"loss": loss}, [0.1, 0.2], facts, [1.0, 2.0], 1)
    assert log.loss.tolist() == [0.5, 0.25]
    assert (log.rows.tolist(), log.rows.dtype) == ([4, 4], np.int64)
    assert log.rows_hash.tolist() == [int(one[3]) for one in facts[:2]]
    assert (log.seconds.tolist(), log.num_skipped) == ([1.0, 2.0], 1)
