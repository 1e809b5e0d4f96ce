"""Which train rows belong to a share of them: nested, stratified, the same for every trial."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from agnews_ray.data.batches import FIRST_TRANSFER_ROW, TokenisedRows
from agnews_ray.plan.budget import rows_of_share


def nested_rows(
    labels: NDArray[np.integer], row_numbers: NDArray[np.int64], share: float, seed: int
) -> NDArray[np.int64]:
    """Choose the rows of a share, which are among those of every larger share.

    The rows are put into one order, of which a share is the beginning. Row number i (from 0) of a
    class with m rows, in random order, has the place (i + 1/2) / m, but the first row of each class
    comes before all others. So any beginning has each class with its share of the rows, rounded by
    Webster's method, which never takes a row back when more are given out; and one of each class
    if it has as many rows as there are classes.

    Args:
        labels: shape (N,): the class ids of all train rows.
        row_numbers: shape (N,): their numbers in the source, in any order, each once.
        share: in (0, 1].
        seed: the seed, ``data.split_seed``; the same seed gives the same order.

    Returns:
        The numbers of round(N * share) rows, in rising order.

    Source: Balinski and Young 1982, "Fair Representation", on Webster's method (Sainte-Laguë).
    """
    by_number = np.argsort(row_numbers, kind="stable")
    labels, row_numbers = labels[by_number], row_numbers[by_number]
    rng = np.random.default_rng([seed, SUBSETS])
    places = np.empty(labels.size)
    for one in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == one))
        places[members] = (np.arange(members.size) + 0.5) / members.size
        places[members[0]] -= 1
    ties = rng.permutation(labels.size)
    order = np.lexsort((ties, places))
    return np.sort(row_numbers[order[: rows_of_share(labels.size, share)]])


SUBSETS = 19
"""A number beside the seed, which makes this order independent of the seed's other samples."""


def as_bits(rows: NDArray[np.int64]) -> bytes:
    """Pack row numbers for a message: a bit for each row of the source up to the last of them.

    Args:
        rows: the row numbers, at least one.

    Returns:
        An eighth of a byte for each row; 120,000 rows take 15 kB.
    """
    is_chosen = np.zeros(int(rows.max()) + 1, dtype=bool)
    is_chosen[rows] = True
    return np.packbits(is_chosen).tobytes()


def chosen_windows(
    windows: Iterable[TokenisedRows], bits: bytes | None, window_rows: int
) -> Iterator[TokenisedRows]:
    """Leave out the labelled rows that are not chosen; texts without label all stay.

    Args:
        windows: all train rows, each once.
        bits: the chosen row numbers, from ``as_bits``; None for all: windows stay as they are.
        window_rows: the number of rows from which on a window is given on; smaller rests are put
            together, so that a share of a stream has windows as large as the whole stream has.
            0: each window is given on by itself.

    Yields:
        Windows of chosen rows, in the same order.
    """
    if bits is None:
        yield from windows
        return
    is_chosen = np.unpackbits(np.frombuffer(bits, dtype=np.uint8)).astype(bool)
    waiting: TokenisedRows | None = None
    for window in windows:
        stays = window.rows >= FIRST_TRANSFER_ROW
        is_known = window.rows < is_chosen.size
        stays[is_known] = is_chosen[window.rows[is_known]]
        rows = window.take(np.flatnonzero(stays))
        waiting = rows if waiting is None else waiting.followed_by(rows)
        if len(waiting) >= window_rows:
            yield waiting
            waiting = None
    if waiting is not None:
        yield waiting
