import numpy as np
import pytest

from agnews_ray.data.batches import TokenisedRows, train_batches
from agnews_ray.data.tensors import Shape, rank_share
from tests.fakes.token_rows import a_table, some_rows


@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
def test_ranks_share_the_same_global_batches(world_size):
    for batch in train_batches([some_rows()], 12, seed=1, epoch=0):
        shares = [rank_share(batch, rank, world_size, pad_id=0) for rank in range(world_size)]
        assert sorted(np.concatenate([s.rows for s in shares])) == sorted(batch.rows)
        assert sum(float(share.row_weights.sum()) for share in shares) == pytest.approx(1)


def test_a_rank_without_rows_gets_a_copy_that_does_not_count():
    (batch,) = train_batches([some_rows(1)], 4, seed=0, epoch=0)
    first, second = (rank_share(batch, rank, 2, pad_id=0) for rank in range(2))
    assert (first.row_weights.tolist(), second.row_weights.tolist()) == ([1.0], [0.0])
    assert (second.rows.size, second.num_tokens) == (0, 0)
    assert second.input_ids.shape == first.input_ids.shape


def test_a_fixed_shape_is_filled_up_and_always_masked():
    rows, shape = some_rows(3), Shape(num_rows=5, length_multiple=8, max_length=99)
    share = rank_share(rows, 0, 1, pad_id=7, shape=shape)
    length = -(-rows.lengths.max() // 8) * 8
    assert share.input_ids.shape == share.attention_mask.shape == (5, length)
    assert share.row_weights.tolist() == pytest.approx([1 / 3] * 3 + [0, 0])
    assert (share.attention_mask.sum(1) > 0).all()
    assert share.rows.tolist() == rows.rows.tolist()
    same = rank_share(
        rows.take(np.array([0])), 0, 1, 7, Shape(num_rows=1, length_multiple=1, max_length=99)
    )
    assert same.attention_mask is not None
    longest = int(rows.lengths.max())
    cut = rank_share(rows, 0, 1, 7, Shape(num_rows=5, length_multiple=64, max_length=longest))
    assert cut.input_ids.shape == (5, longest)


def test_padding_is_marked_and_left_out_where_there_is_none():
    rows = some_rows()
    share = rank_share(rows, 0, 1, pad_id=7)
    lengths = rows.lengths
    assert (share.attention_mask.sum(1).numpy() == lengths).all()
    assert (share.input_ids.numpy()[share.attention_mask.numpy() == 0] == 7).all()
    assert share.num_tokens == lengths.sum()
    assert rank_share(rows.take(np.array([0, 0])), 0, 1, pad_id=7).attention_mask is None


def test_padding_on_the_left_leaves_the_last_token_last():
    rows = some_rows()
    right, left = (rank_share(rows, 0, 1, 7, padding_side=side) for side in ("right", "left"))
    assert (left.input_ids[:, -1].numpy() == rows.ids[rows.offsets[1:] - 1]).all()
    assert left.attention_mask.flip(1).equal(right.attention_mask)
    assert left.input_ids[left.attention_mask == 1].equal(
        right.input_ids[right.attention_mask == 1]
    )


@pytest.mark.parametrize("lengths", [[0, 0], [0, 3]])
def test_an_empty_text_of_which_a_decoder_gets_no_token_shows_one_of_padding(lengths):
    share = rank_share(TokenisedRows.from_table(a_table(lengths)), 0, 1, pad_id=7)
    mask = share.attention_mask
    assert share.input_ids.shape == (2, max(1, *lengths))
    assert share.input_ids[0, 0] == 7
    assert mask is None or mask.sum(1).tolist() == [1, 3]
