import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agnews_ray.errors import RecordError
from agnews_ray.record.soft_labels import load_soft_labels, save_soft_labels

ROWS = np.array([9, 2**40 + 1, 4])
LOGITS = np.array([[1, 2], [3, 4], [5, 6]], np.float32) / 7


@pytest.fixture
def path(tmp_path):
    return tmp_path / "soft_labels.parquet"


def test_logits_come_back_exactly_by_row_number(path):
    save_soft_labels(path, ROWS, LOGITS)
    found = load_soft_labels(path)
    assert found.rows.tolist() == [4, 9, 2**40 + 1]
    assert np.array_equal(found.logits, LOGITS[[2, 0, 1]])
    assert found.logits.dtype == np.float32


def refused(path):
    with pytest.raises(RecordError) as caught:
        load_soft_labels(path)
    return str(caught.value)


def test_a_missing_or_damaged_file_is_refused(path):
    assert "found no file" in refused(path)
    save_soft_labels(path, ROWS, LOGITS)
    path.write_bytes(path.read_bytes()[:-9])
    assert "found a damaged file" in refused(path)
    pq.write_table(pa.table({"row": [1, 2], "logits": [[1.0, 2.0], [1.0]]}), path)
    assert "found a damaged file" in refused(path)


def test_a_row_twice_is_refused(path):
    save_soft_labels(path, np.array([1, 1, 2]), LOGITS)
    assert "want logits of different rows" in refused(path)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_logit_that_is_no_number_is_refused_with_its_row(path, wrong):
    logits = LOGITS.copy()
    logits[0, 1] = wrong
    save_soft_labels(path, ROWS, logits)
    assert "for row 9; use another teacher" in refused(path)
