import numpy as np
import pytest

from agnews_ray.data.batches import FIRST_TRANSFER_ROW, train_batches
from agnews_ray.data.teacher_logits import TEACHER_LOGITS, attach_targets
from agnews_ray.data.tensors import rank_share
from agnews_ray.errors import DataError
from agnews_ray.record.soft_labels import SoftLabels
from tests.fakes.token_rows import some_rows

ROWS = some_rows(20).followed_by(some_rows(5, seed=1, first=FIRST_TRANSFER_ROW))


def soft_labels(rows, factor=1):
    """Two logits for each row, which tell its number."""
    numbers = np.sort(rows)
    logits = np.stack([numbers % 97, -(numbers % 97)], axis=1).astype(np.float32)
    return SoftLabels(rows=numbers, logits=factor * logits)


def test_logits_follow_their_rows_through_shuffled_batches_and_ranks():
    first, second = (soft_labels(np.append(ROWS.rows, 999), factor) for factor in (1, 3))
    rows = attach_targets(ROWS, [first, second])
    seen = []
    for batch in train_batches([rows], 8, seed=3, epoch=1):
        for rank in range(2):
            share = rank_share(batch, rank, 2, pad_id=0)
            found = share.targets[TEACHER_LOGITS][: share.rows.size].numpy()
            numbers = (share.rows % 97).astype(np.float32)
            assert np.array_equal(found[:, 0], np.stack([numbers, -numbers], axis=1))
            assert np.array_equal(found[:, 1], 3 * found[:, 0])
            seen += share.rows.tolist()
    assert sorted(seen) == sorted(ROWS.rows.tolist())


@pytest.mark.parametrize(
    ("missing", "named"),
    [(7, "row 7"), (FIRST_TRANSFER_ROW + 4, "text 4 without label")],
)
def test_a_row_that_a_teacher_did_not_label_is_named(missing, named):
    whole, rest = soft_labels(ROWS.rows), soft_labels(ROWS.rows[ROWS.rows != missing])
    with pytest.raises(DataError) as caught:
        attach_targets(ROWS, [whole, rest])
    assert caught.value.found == f"none for {named}"
