from itertools import pairwise

import numpy as np
import pytest

from agnews_ray.data.batches import FIRST_TRANSFER_ROW, train_batches
from agnews_ray.data.subsets import as_bits, chosen_windows, nested_rows
from tests.fakes.token_rows import some_rows

rng = np.random.default_rng(0)
LABELS = rng.choice(4, size=1000, p=[0.6, 0.25, 0.1, 0.05])
ROWS = np.sort(rng.choice(5000, size=1000, replace=False))
CLASS_OF = dict(zip(ROWS.tolist(), LABELS.tolist(), strict=True))
SHARES = (0.004, 0.01, 0.03, 0.1, 0.3, 0.77, 1.0)


def test_the_rows_of_a_share_are_among_those_of_every_larger_one():
    chosen = [set(nested_rows(LABELS, ROWS, share, 42).tolist()) for share in SHARES]
    assert [len(one) for one in chosen] == [4, 10, 30, 100, 300, 770, 1000]
    assert all(small < large for small, large in pairwise(chosen))


@pytest.mark.parametrize("share", SHARES)
def test_each_class_has_its_proportion_and_a_row_at_least(share):
    chosen = nested_rows(LABELS, ROWS, share, 42)
    counts = np.bincount([CLASS_OF[row] for row in chosen.tolist()], minlength=4)
    wanted = np.bincount(LABELS) * share
    assert (counts >= 1).all()
    assert (np.abs(counts - wanted) <= 3).all()  # where rare classes have had a row given to them
    if share >= 0.1:
        assert (np.abs(counts - wanted) <= 1).all()


def test_with_fewer_rows_than_classes_the_largest_classes_come_first():
    chosen = nested_rows(LABELS, ROWS, 0.002, 42)
    assert sorted(CLASS_OF[row] for row in chosen.tolist()) == [0, 1]


def test_rows_are_the_same_in_any_order_and_others_with_another_seed():
    order = rng.permutation(ROWS.size)
    first = nested_rows(LABELS, ROWS, 0.1, 42)
    assert np.array_equal(nested_rows(LABELS[order], ROWS[order], 0.1, 42), first)
    assert not np.array_equal(nested_rows(LABELS, ROWS, 0.1, 43), first)
    assert np.array_equal(np.sort(first), first)


def windows_of(rows, size):
    return [
        rows.take(np.arange(start, min(start + size, len(rows))))
        for start in range(0, len(rows), size)
    ]


@pytest.mark.parametrize(("size", "window_rows"), [(100, 0), (7, 40), (30, 10)])
def test_only_chosen_rows_are_left_in_windows_of_the_wanted_size(size, window_rows):
    rows = some_rows(100)
    chosen = nested_rows(rows.labels, rows.rows, 0.5, 1)
    found = list(chosen_windows(windows_of(rows, size), as_bits(chosen), window_rows))
    assert np.concatenate([one.rows for one in found]).tolist() == chosen.tolist()
    assert all(len(one) >= window_rows for one in found[:-1])
    expected = rows.take(np.flatnonzero(np.isin(rows.rows, chosen)))
    assert np.array_equal(np.concatenate([one.ids for one in found]), expected.ids)


def test_a_share_makes_the_batches_that_its_rows_alone_would_make():
    rows = some_rows(100)
    chosen = nested_rows(rows.labels, rows.rows, 0.3, 1)
    alone = rows.take(np.flatnonzero(np.isin(rows.rows, chosen)))
    wanted = [batch.rows.tolist() for batch in train_batches([alone], 8, seed=1, epoch=0)]
    found = chosen_windows(windows_of(rows, 9), as_bits(chosen), 1000)
    assert [batch.rows.tolist() for batch in train_batches(found, 8, seed=1, epoch=0)] == wanted


def test_without_a_choice_windows_stay_as_they_are():
    windows = windows_of(some_rows(20), 7)
    assert all(a is b for a, b in zip(chosen_windows(windows, None, 0), windows, strict=True))


def test_texts_without_label_stay_whatever_the_share():
    rows = some_rows(100)
    both = rows.followed_by(some_rows(20, seed=1, first=FIRST_TRANSFER_ROW))
    chosen = nested_rows(rows.labels, rows.rows, 0.3, 1)
    found = list(chosen_windows(windows_of(both, 16), as_bits(chosen), 0))
    wanted = [*chosen.tolist(), *range(FIRST_TRANSFER_ROW, FIRST_TRANSFER_ROW + 20)]
    assert np.concatenate([one.rows for one in found]).tolist() == wanted
