import numpy as np
import pyarrow as pa
import pytest

from agnews_ray.data.batches import TokenisedRows, evaluation_batches, plan_epoch, train_batches
from tests.fakes.token_rows import a_table, some_rows


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
