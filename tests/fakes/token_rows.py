"""Rows of token ids without a tokenizer."""

import numpy as np
import pyarrow as pa

from agnews_ray.data.batches import TokenisedRows


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
