import numpy as np
import pyarrow as pa
import pytest

from agnews_ray.record.number_columns import as_numbers


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (pa.array([1, None, 3], pa.int32()), pa.int64(), [1, -1, 3]),
        (pa.array([0.5, None]), pa.float64(), [0.5, -1]),
        (pa.array([[1.0, 2.0], [3.0, None]]), pa.list_(pa.float64()), [[1, 2], [3, -1]]),
        (pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2)), pa.list_(pa.float64()), [[1, 2]]),
        (pa.array([], pa.int64()), pa.int64(), []),
        (pa.array([], pa.list_(pa.float32(), 2)), pa.list_(pa.float32()), np.empty((0, 0))),
    ],
    ids=str,
)
def test_numbers_and_lists_of_numbers_become_an_array(values, kind, expected):
    found = as_numbers(pa.chunked_array([values]), kind, -1)
    assert found.tolist() == np.asarray(expected).tolist()
    numbers = kind.value_type if pa.types.is_list(kind) else kind
    assert found.dtype == numbers.to_pandas_dtype()


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1.0], [1.0, 2.0]]),
        pa.array([[1.0], None]),
        pa.array([["a"]]),
        pa.array([1.0]),
    ],
    ids=str,
)
def test_what_is_no_list_of_as_many_numbers_is_refused(values):
    with pytest.raises(pa.ArrowException):
        as_numbers(pa.chunked_array([values]), pa.list_(pa.float64()), -1)


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["1"]),
        pa.array([True]),
        pa.array([[1]]),
        pa.array([[]], pa.list_(pa.int64())),
        pa.array([["a"]]),
        pa.array([1.5]),
        pa.array([float("nan")]),
        pa.array([2**63], pa.uint64()),
        pa.array([{"a": 1}]),
        pa.array([None]),
    ],
    ids=str,
)
def test_what_is_no_number_of_that_kind_is_refused(values):
    with pytest.raises(pa.ArrowException):
        as_numbers(pa.chunked_array([values]), pa.int64(), -1)
