import numpy as np
import pyarrow as pa
import pytest

from agnews_ray.data.batches import NO_TOKEN, TokenisedRows, train_batches
from agnews_ray.data.masking import MASKED_TOKENS, count_tokens, masked_batches, masking_of
from agnews_ray.data.tensors import Shape, rank_share
from tests.fakes.token_rows import some_rows

START, END, MASK, VOCAB = 96, 97, 98, 99


def rows_with_special_tokens(count=60, length=20):
    rng = np.random.default_rng(0)
    ids = np.full((count, length + 2), START, np.uint16)
    ids[:, 1:-1] = rng.integers(0, 50, (count, length))  # ids 50 to 95 do not occur
    ids[:, -1] = END
    ids = pa.array(list(ids), pa.list_(pa.uint16()))
    table = pa.table({"input_ids": ids, "label": [0] * count, "row": range(count)})
    return TokenisedRows.from_table(table)


ROWS = rows_with_special_tokens()


def a_masking(rows=ROWS, power=0.7, fraction=0.15):
    return masking_of(count_tokens([rows], VOCAB), (START, END, MASK), MASK, fraction, power)


def test_tokens_are_counted_over_windows():
    halves = [ROWS.take(np.arange(30)), ROWS.take(np.arange(30, 60))]
    counts = count_tokens(halves, VOCAB)
    assert counts.tolist() == np.bincount(ROWS.ids, minlength=VOCAB).tolist()
    assert counts[START] == counts[END] == 60


def test_the_wanted_share_of_tokens_is_to_be_predicted_and_never_a_special_one():
    batch = a_masking().masked(ROWS, np.random.default_rng(1))
    target = batch.token_targets[MASKED_TOKENS]
    is_chosen = target != NO_TOKEN
    assert is_chosen.sum() == np.ceil(0.15 * 60 * 20)
    assert np.array_equal(target[is_chosen], ROWS.ids[is_chosen])
    assert np.array_equal(batch.ids[~is_chosen], ROWS.ids[~is_chosen])
    assert not np.isin(target[is_chosen], (START, END)).any()
    assert batch.ids.dtype == ROWS.ids.dtype


def test_of_the_chosen_tokens_most_are_hidden_some_exchanged_and_some_kept():
    num_chosen = num_hidden = num_kept = 0
    seen = set()
    for seed in range(100):
        batch = a_masking().masked(ROWS, np.random.default_rng(seed))
        target = batch.token_targets[MASKED_TOKENS]
        now, before = batch.ids[target != NO_TOKEN], target[target != NO_TOKEN]
        num_chosen += before.size
        num_hidden += (now == MASK).sum()
        num_kept += (now == before).sum()
        seen |= set(now[(now != MASK) & (now != before)].tolist())
    # An exchanged token is the mask or itself in 1 of 99 cases; 18,000 draws: 4 deviations.
    assert num_hidden / num_chosen == pytest.approx(0.8 + 0.1 / VOCAB, abs=0.012)
    assert num_kept / num_chosen == pytest.approx(0.1 + 0.1 / VOCAB, abs=0.009)
    assert set(range(50, 96)) <= seen


def masked_shares(power, num_draws=1500):
    """Mask one of two tokens of which one occurs 16 times as often; give the share of each."""
    ids = np.repeat(np.array([3, 4], np.uint16), [160, 10])
    rows = TokenisedRows(ids, np.array([0, ids.size]), np.zeros(1, int), np.zeros(1, int))
    masking = a_masking(rows, power, fraction=1 / ids.size)
    draws = [
        masking.masked(rows, np.random.default_rng([seed, 5])).token_targets[MASKED_TOKENS].max()
        for seed in range(num_draws)
    ]
    return np.bincount(draws, minlength=5)[3:] / num_draws


@pytest.mark.parametrize("power", [0, 0.7, 1])
def test_tokens_are_drawn_by_their_count_to_a_negative_power(power):
    weights = np.array([160, 10]) * np.array([160.0, 10.0]) ** -power
    wanted = weights / weights.sum()  # 0.94, 0.70 and 0.50 for the frequent one
    assert masked_shares(power) == pytest.approx(wanted, abs=4 * np.sqrt(0.25 / 1500))


def test_masks_differ_between_epochs_and_seeds_and_are_otherwise_the_same():
    def ids(seed, epoch):
        batches = masked_batches([ROWS, ROWS], a_masking(), seed, epoch)
        return [batch.ids.tolist() for batch in batches]

    assert ids(1, 0) == ids(1, 0)
    assert ids(1, 0)[0] != ids(1, 0)[1]
    assert ids(1, 0)[0] != ids(1, 1)[0] != ids(2, 0)[0]


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_masks_do_not_depend_on_the_number_of_ranks(world_size):
    masking = masking_of(count_tokens([some_rows()], VOCAB), (MASK,), MASK, 0.15, 0.7)
    for batch in masked_batches(train_batches([some_rows()], 12, 1, 0), masking, 1, 0):
        shares = [rank_share(batch, rank, world_size, pad_id=0) for rank in range(world_size)]
        wanted = dict(
            zip(batch.rows.tolist(), np.split(batch.ids, batch.offsets[1:-1]), strict=True)
        )
        targets = np.split(batch.token_targets[MASKED_TOKENS], batch.offsets[1:-1])
        targets = dict(zip(batch.rows.tolist(), targets, strict=True))
        for share in shares:
            for place, row in enumerate(share.rows.tolist()):
                length = wanted[row].size
                target = share.targets[MASKED_TOKENS][place]
                assert share.input_ids[place, :length].tolist() == wanted[row].tolist()
                assert target[:length].tolist() == targets[row].tolist()
                assert (target[length:] == NO_TOKEN).all()


def test_copies_that_fill_a_shape_have_nothing_to_predict():
    masking = a_masking(fraction=0.9)
    batch = masking.masked(ROWS.take(np.arange(2)), np.random.default_rng(0))
    share = rank_share(batch, 0, 1, 0, Shape(num_rows=4, length_multiple=8, max_length=99))
    target = share.targets[MASKED_TOKENS]
    assert target.shape == share.input_ids.shape == (4, 24)
    assert (target[:2] != NO_TOKEN).sum() == 36
    assert (target[2:] == NO_TOKEN).all()
    assert share.tensors[-1] is target


def test_rows_of_special_tokens_alone_stay_as_they_are():
    ids = np.array([START, END], np.uint16)
    rows = TokenisedRows(ids, np.array([0, 2]), np.zeros(1, int), np.zeros(1, int))
    batch = a_masking().masked(rows, np.random.default_rng(0))
    assert batch.ids.tolist() == ids.tolist()
    assert batch.token_targets[MASKED_TOKENS].tolist() == [NO_TOKEN] * 2


def test_token_targets_follow_their_rows():
    batch = a_masking().masked(ROWS, np.random.default_rng(0))
    order = np.arange(60)[::-1]
    both = batch.take(order).followed_by(batch)
    target = batch.token_targets[MASKED_TOKENS].reshape(60, 22)
    wanted = np.concatenate([target[::-1], target])
    assert np.array_equal(both.token_targets[MASKED_TOKENS].reshape(120, 22), wanted)
