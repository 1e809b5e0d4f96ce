import numpy as np
import pytest

from agnews_ray.data.splits import stratified_sample


def test_shares_are_kept_to_the_row():
    labels = np.repeat([0, 1, 2], [50, 30, 20]).astype(np.int16)
    rows = stratified_sample(labels, 10, np.random.default_rng(0))
    assert np.bincount(labels[rows]).tolist() == [5, 3, 2]
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_as_many_rows_as_asked_for(count):
    labels = np.array([0, 0, 0, 1, 1, 2, 2], dtype=np.int16)
    assert stratified_sample(labels, count, np.random.default_rng(0)).size == count


def test_more_rows_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="want 0 to 2"):
        stratified_sample(np.array([0, 1], dtype=np.int16), 3, np.random.default_rng(0))
