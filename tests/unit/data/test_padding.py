import numpy as np
import pytest

from agnews_ray.data.batches import evaluation_batches, plan_epoch
from agnews_ray.data.padding import MAX_PLANNED_ROWS, padded_lengths, scored_lengths, spread
from tests.fakes.token_rows import some_rows


def some_lengths(count, seed=0):
    return np.random.default_rng(seed).gamma(4, 10, count).astype(np.int64) + 3


def test_a_sample_is_spread_over_more_rows():
    assert spread(np.array([5, 1]), 6).tolist() == [1, 1, 1, 5, 5, 5]


def test_a_sample_is_thinned_to_fewer_rows():
    assert spread(np.arange(100), 4).tolist() == [12, 37, 62, 87]


@pytest.mark.parametrize("num_rows", [1, 15, 16, 17, 1000])
@pytest.mark.parametrize("order", ["similar", "random", "grouped"])
def test_there_is_one_length_for_each_batch(num_rows, order):
    found = padded_lengths(some_lengths(200), num_rows, 16, order)
    assert len(found) == -(-num_rows // 16)
    assert found.max() <= some_lengths(200).max()


def test_batches_of_similar_length_are_padded_as_in_training():
    lengths = some_lengths(8000)
    found = padded_lengths(lengths[:2000], 8000, 16, "similar")
    plan = plan_epoch(lengths, 16, np.random.default_rng(1))
    assert found.mean() == pytest.approx(np.mean([lengths[i].max() for i in plan]), rel=0.02)


def test_random_batches_are_padded_more_than_grouped_ones():
    mean = {
        order: padded_lengths(some_lengths(2000), 4000, 16, order).mean()
        for order in ("similar", "grouped", "random")
    }
    assert mean["similar"] < mean["random"]
    assert mean["grouped"] < mean["random"]


def test_a_huge_split_is_like_its_first_rows():
    found = padded_lengths(some_lengths(2000), 2 * MAX_PLANNED_ROWS, 100, "similar")
    assert len(found) == 2 * MAX_PLANNED_ROWS // 100


@pytest.mark.parametrize("num_rows", [103, 64, 5])
def test_scoring_pads_as_it_does(num_rows):
    rows = some_rows(num_rows)
    found = scored_lengths(rows.lengths, num_rows, 10)
    assert found.tolist() == [batch.lengths.max() for batch in evaluation_batches([rows], 10)]


def test_a_split_without_rows_has_no_batches():
    assert scored_lengths(np.array([3]), 0, 10).tolist() == []
