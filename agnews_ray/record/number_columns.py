"""Columns of a Parquet file as numbers; what is something else is refused, never converted."""

from typing import Any

import pyarrow as pa
from numpy.typing import NDArray


def as_numbers(column: pa.ChunkedArray, kind: pa.DataType, null: float) -> NDArray[Any]:
    """Turn a column of numbers, or of lists of as many numbers each, into an array.

    Args:
        column: N values.
        kind: the wanted type, for lists one of lists.
        null: what stands for a missing value.

    Returns:
        Shape (N,), or (N, C) for lists of C numbers.

    Raises:
        pa.ArrowException: it holds texts, lists where none are wanted, lists of different lengths,
            or numbers that the wanted type cannot hold.
    """
    wants_lists = pa.types.is_list(kind)
    values = column.combine_chunks()
    values = values if isinstance(values, pa.Array) else pa.concat_arrays(values.chunks)
    is_list = pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type)
    flat = values.flatten() if is_list else values
    if is_list != wants_lists:
        raise pa.ArrowTypeError(f"a column of {values.type}")
    if not pa.types.is_integer(flat.type) and not pa.types.is_floating(flat.type):
        raise pa.ArrowTypeError(f"a column of {values.type}")
    numbers: NDArray[Any] = (
        flat.cast(kind.value_type if wants_lists else kind)
        .fill_null(null)
        .to_numpy(zero_copy_only=False)
    )
    if not is_list:
        return numbers
    if values.null_count or len(set(values.value_lengths().to_pylist())) > 1:
        raise pa.ArrowInvalid("lists of different lengths")
    return numbers.reshape(len(values), len(flat) // max(1, len(values)))
