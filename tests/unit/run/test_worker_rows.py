"""The rows of a trial as a lone rank reads them, without Ray."""

import numpy as np
import pytest

from agnews_ray.data.subsets import as_bits
from agnews_ray.data.teacher_logits import TEACHER_LOGITS
from agnews_ray.errors import DataError
from agnews_ray.record.soft_labels import SoftLabels
from tests.fakes.token_rows import some_rows

ROWS = {"train-0": some_rows(32)}


def some_labels(num_rows):
    """Logits by which each row is known."""
    rows = np.arange(num_rows)
    return SoftLabels(rows=rows, logits=np.repeat(rows[:, None], 4, axis=1).astype(np.float32))


@pytest.fixture
def rows_of(lone_rank):
    """Gives the rows of a trial of this name."""

    def rows_of(name, **settings):
        setup = lone_rank(name, ROWS, **settings)
        setup.close()
        return setup.rows

    return rows_of


def test_each_row_of_each_batch_has_its_teachers_logits(rows_of):
    labels = [some_labels(40), some_labels(32)]
    for batches in rows_of("taught", soft_labels=labels).epochs():
        for batch in batches:
            logits = batch.targets[TEACHER_LOGITS]
            assert logits.shape == (8, 2, 4)
            assert np.array_equal(logits[:, 1, 0], batch.rows)


def test_a_share_of_the_rows_has_the_logits_of_its_own(rows_of):
    chosen = np.arange(0, 32, 2)
    rows = rows_of("share", soft_labels=[some_labels(32)], train_rows=as_bits(chosen))
    (window,) = rows.train_windows(0)
    assert window.rows.tolist() == chosen.tolist()
    assert window.targets[TEACHER_LOGITS][:, 0, 0].tolist() == chosen.tolist()


def test_rows_that_no_teacher_has_labelled_are_named(rows_of):
    with pytest.raises(DataError, match="found none for row 31"):
        next(rows_of("few", soft_labels=[some_labels(31)]).train_windows(0))


def test_epochs_have_the_same_rows_in_another_order(rows_of):
    first, second = (
        np.concatenate([batch.rows for batch in batches]) for batches in rows_of("plain").epochs()
    )
    assert first.tolist() != second.tolist()
    assert sorted(first) == sorted(second) == list(range(32))


def test_rows_are_streamed_if_they_come_in_windows(rows_of):
    assert not rows_of("held").is_streamed
    assert rows_of("streamed", window_rows={"train": 8}).is_streamed
