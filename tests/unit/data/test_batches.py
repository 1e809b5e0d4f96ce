import numpy as np
import pyarrow as pa
import pytest

from agnews_ray.data.batches import (
    Shape,
    TokenisedRows,
    evaluation_batches,
    plan_epoch,
    rank_share,
    train_batches,
)


def some_rows(count=103, seed=0, first=0):
    rng = np.random.default_rng(seed)
    ids = [rng.integers(1, 99, rng.integers(3, 20)).astype(np.uint16) for _ in range(count)]
    table = pa.table(
        {
            "input_ids": pa.array(ids, pa.list_(pa.uint16())),
            "label": rng.integers(0, 4, count),
            "row": np.arange(first, first + count),
        }
    )
    return TokenisedRows.from_table(table)


def a_table(lengths):
    ids = [np.full(length, length, np.uint16) for length in lengths]
    columns = {"input_ids": pa.array(ids, pa.list_(pa.uint16()))}
    return pa.table(columns | {"label": lengths, "row": lengths})


@pytest.mark.parametrize(
    "table",
    [
        a_table([1, 2, 3, 4, 5]).slice(2, 2),
        pa.concat_tables([a_table([9, 3]).slice(1), a_table([4])]),
    ],
)
def test_tables_in_slices_and_chunks_keep_their_rows(table):
    rows = TokenisedRows.from_table(table)
    assert rows.ids.tolist() == [3, 3, 3, 4, 4, 4, 4]
    assert rows.offsets.tolist() == [0, 3, 7]
    assert rows.take(np.array([1])).ids.tolist() == [4, 4, 4, 4]


def test_a_table_without_rows_is_no_error():
    assert len(TokenisedRows.from_table(a_table([]).slice(0, 0))) == 0


def numbers(batches):
    return [batch.rows.tolist() for batch in batches]


def test_every_row_comes_once_an_epoch_and_only_the_last_batch_is_short():
    batches = numbers(train_batches([some_rows()], 10, seed=1, epoch=0))
    assert sorted(row for batch in batches for row in batch) == list(range(103))
    assert [len(batch) for batch in batches] == [10] * 10 + [3]


def test_the_plan_depends_on_seed_and_epoch_alone():
    def first(seed, epoch):
        return numbers(train_batches([some_rows()], 10, seed, epoch))

    assert first(1, 0) == first(1, 0)
    assert first(1, 0) != first(1, 1)
    assert first(1, 0) != first(2, 0)


def test_windows_carry_their_remainder():
    windows = [some_rows(25, 0, 0), some_rows(25, 1, 25), some_rows(3, 2, 50)]
    batches = numbers(train_batches(windows, 10, seed=1, epoch=0))
    assert sorted(row for batch in batches for row in batch) == list(range(53))
    assert [len(batch) for batch in batches] == [10] * 5 + [3]


def test_rows_keep_their_tokens_and_labels_on_the_way():
    rows = some_rows()
    for batch in train_batches([rows], 10, seed=1, epoch=0):
        for i, row in enumerate(batch.rows):
            expected = rows.ids[rows.offsets[row] : rows.offsets[row + 1]]
            assert (batch.ids[batch.offsets[i] : batch.offsets[i + 1]] == expected).all()
            assert batch.labels[i] == rows.labels[row]


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


def test_evaluation_scores_every_row_once():
    batches = numbers(evaluation_batches([some_rows(25, 0, 0), some_rows(6, 1, 25)], 10))
    assert sorted(row for batch in batches for row in batch) == list(range(31))


def test_padding_stays_under_five_percent_for_lengths_like_ag_news():
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.normal(52, 16, 8000), 10, 128).astype(np.int64)
    plan = plan_epoch(lengths, 16, rng)
    computed = sum(batch.size * lengths[batch].max() for batch in plan)
    assert 1 - lengths.sum() / computed < 0.05


def test_batches_of_like_length_do_not_come_sorted():
    lengths = np.arange(3000)
    firsts = [batch.min() for batch in plan_epoch(lengths, 10, np.random.default_rng(0))]
    assert np.abs(np.corrcoef(firsts, np.arange(len(firsts)))[0, 1]) < 0.3
