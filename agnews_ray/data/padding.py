"""The padded lengths of a split's batches, from the lengths of some of its rows."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agnews_ray.data.batches import plan_epoch

Order = Literal["similar", "random", "grouped"]
"""Which rows make a batch: those of similar length, as in ``data.batches``; any, as the Trainer
does by default; or those of similar length as the Trainer groups them."""

GROUPED_BATCHES = 50
"""The number of batches whose rows the Trainer sorts together (``get_length_grouped_indices``)."""

MAX_PLANNED_ROWS = 200_000
"""The number of rows whose batches are planned; those of a larger split are like them."""


def padded_lengths(
    sample: NDArray[np.int64], num_rows: int, batch_size: int, order: Order
) -> NDArray[np.int64]:
    """Plan an epoch over rows with the distribution of a sample.

    Args:
        sample: the lengths in tokens of some rows.
        num_rows: the number of rows of the split.
        batch_size: the number of rows of a global batch.
        order: which rows make a batch.

    Returns:
        Shape (ceil(num_rows / batch_size),): the length of the longest row of each batch.
    """
    num_planned = min(num_rows, MAX_PLANNED_ROWS)
    lengths = spread(sample, num_planned)
    rng = np.random.default_rng(0)
    if order == "similar":
        found = [lengths[index].max() for index in plan_epoch(lengths, batch_size, rng)]
    else:
        mixed = rng.permutation(lengths)
        if order == "grouped":
            window = GROUPED_BATCHES * batch_size
            parts = np.split(mixed, range(window, num_planned, window))
            mixed = np.concatenate([np.sort(part)[::-1] for part in parts])
        found = [part.max() for part in np.split(mixed, range(batch_size, num_planned, batch_size))]
    return _as_many(np.array(found), -(-num_rows // batch_size))


def scored_lengths(sample: NDArray[np.int64], num_rows: int, batch_size: int) -> NDArray[np.int64]:
    """Give the longest row of each batch in scoring, which sorts a split by length.

    Args:
        sample: the lengths in tokens of some rows.
        num_rows: the number of rows of the split; may be 0.
        batch_size: the number of rows of a batch.

    Returns:
        Shape (ceil(num_rows / batch_size),).
    """
    lengths = spread(sample, num_rows)
    ends = np.minimum(np.arange(batch_size, num_rows + batch_size, batch_size), num_rows) - 1
    found: NDArray[np.int64] = lengths[ends]
    return found


def spread(sample: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Make that many lengths, sorted, with the distribution of a sample.

    Args:
        sample: at least one length.
        count: the number of lengths.
    """
    ranks = (np.arange(count) + 0.5) / max(count, 1) * len(sample)
    return np.sort(sample)[ranks.astype(np.int64)]


def _as_many(found: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return found if len(found) == count else np.resize(found, count)
