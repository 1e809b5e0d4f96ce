"""A few rows of a split: from the shortest text to the longest, or at equal distances."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agnews_ray.data.scan import SplitRows

MAX_LOOKED_AT = 10_000
"""The number of first rows of a split that are held in memory while some are chosen."""


def sample_by_length(split: SplitRows, count: int) -> tuple[tuple[int, str], ...]:
    """Choose rows whose texts are spread evenly from the shortest to the longest, none empty.

    Args:
        split: the split, of which the first ``MAX_LOOKED_AT`` rows are considered.
        count: the number of rows, at least 1.

    Returns:
        At most ``count`` row numbers with their texts, shortest first; the same for the same split.
    """
    looked_at: list[pa.Table] = []
    for table in (t for index in range(len(split.files)) for t in split.iter_selected(index)):
        looked_at.append(table.select(["row", "text"]))
        if sum(map(len, looked_at)) >= MAX_LOOKED_AT:
            break
    if not looked_at:
        return ()
    rows = pa.concat_tables(looked_at)
    rows = rows.filter(pc.not_equal(pc.utf8_trim_whitespace(rows["text"]), ""))
    return _spread(rows, count) if len(rows) else ()


def _spread(rows: pa.Table, count: int) -> tuple[tuple[int, str], ...]:
    order = np.argsort(pc.utf8_length(rows["text"]).to_numpy(), kind="stable")
    ranks = np.unique(np.linspace(0, len(order) - 1, count).round().astype(np.int64))
    chosen = rows.take(pa.array(order[ranks]))
    return tuple(zip(chosen["row"].to_pylist(), chosen["text"].to_pylist(), strict=True))


def sample_evenly(split: SplitRows, count: int) -> pa.Table:
    """Choose rows at equal distances, so that their lengths are distributed as all rows' are.

    Args:
        split: the split, all of which is read.
        count: the number of rows, at least 1.

    Returns:
        At most ``count`` rows with ``text``, ``label`` and ``row``, in the split's order.
    """
    distance = max(1.0, split.num_rows / count)
    ranks = np.unique((np.arange(min(count, split.num_rows)) * distance).astype(np.int64))
    wanted = pa.array(split.numbers[ranks])
    chosen = [
        table.filter(pc.is_in(table["row"], wanted))
        for index in range(len(split.files))
        for table in split.iter_selected(index)
    ]
    return pa.concat_tables(chosen).combine_chunks()
