"""Rows of token ids without a tokenizer."""

import dataclasses

import numpy as np
import pyarrow as pa

from agnews_ray.data.batches import NO_TOKEN, TokenisedRows
from agnews_ray.data.masking import MASKED_TOKENS


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


def taught_rows(count=53, num_teachers=2):
    """Rows with the logits of teachers, every third one without label."""
    rows, rng = some_rows(count), np.random.default_rng(7)
    logits = 3 * rng.normal(size=(count, num_teachers, 4)).astype(np.float32)
    labels = np.where(rows.rows % 3 == 0, -1, rows.labels)
    return dataclasses.replace(rows, labels=labels, targets={"teacher_logits": logits})


def a_table(lengths):
    ids = [np.full(length, length, np.uint16) for length in lengths]
    columns = {"input_ids": pa.array(ids, pa.list_(pa.uint16()))}
    return pa.table(columns | {"label": lengths, "row": lengths})


def masked_rows(count=9, seed=0):
    """A fifth of the tokens is to predict, but none of the first row, and is token 2 instead."""
    rows, rng = some_rows(count, seed), np.random.default_rng(seed)
    ids = np.maximum(rows.ids.astype(np.int64), 3)
    is_masked = rng.random(len(ids)) < 0.2
    is_masked[: rows.offsets[1]] = False
    targets = {MASKED_TOKENS: np.where(is_masked, ids, NO_TOKEN)}
    return dataclasses.replace(rows, ids=np.where(is_masked, 2, ids), token_targets=targets)
