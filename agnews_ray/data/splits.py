"""Which rows of a split are used: stratified, seeded samples, the same for every trial.

A sample has a row of each class if it has at least that many rows. Rows held out from train always
leave one train row of each class: a class without train rows would still be scored.
"""

import numpy as np
from numpy.typing import NDArray


def stratified_sample(
    labels: NDArray[np.int16], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw rows so that each class keeps its share, rounded by the largest remainder.

    If there are at least as many rows as classes, a class that rounding leaves without a row gets
    one, from the class that is furthest above its share.

    Args:
        labels: shape (N,), class ids.
        count: rows wanted, in [0, N].
        rng: the random generator; the same state gives the same rows.

    Returns:
        Shape (count,), row numbers in rising order, without repetition.

    Raises:
        ValueError: ``count`` is larger than N.
    """
    if not 0 <= count <= labels.size:
        raise ValueError(f"want 0 to {labels.size} rows, got {count}")
    _, sizes = np.unique(labels, return_counts=True)
    lowest = np.full(sizes.size, 1 if count >= sizes.size else 0)
    return _draw(labels, _quotas(sizes, count, lowest, sizes), rng)


def cut_off(labels: NDArray[np.int16], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw a stratified sample of train rows to hold out, but never the last row of a class.

    Args:
        labels: shape (N,), class ids.
        count: rows wanted.
        rng: the random generator; the same state gives the same rows.

    Returns:
        Shape (count,), row numbers in rising order; a class may be missing from them.

    Raises:
        ValueError: ``count`` rows cannot be held out.
    """
    _, sizes = np.unique(labels, return_counts=True)
    highest = sizes - 1
    if not 0 <= count <= highest.sum():
        raise ValueError(f"want 0 to {highest.sum()} rows, got {count}")
    return _draw(labels, _quotas(sizes, count, np.zeros_like(sizes), highest), rng)


def most_to_cut_off(labels: NDArray[np.int16]) -> int:
    """Count the rows that can be held out while a row of each class stays."""
    return int(labels.size - np.unique(labels).size)


def select_train_and_validation(
    labels: NDArray[np.int16], limit: int | None, validation_fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Apply the limit, then draw the validation split from the remaining rows.

    Args:
        labels: shape (N,), class ids of the whole train split.
        limit: the largest number of rows; None for all.
        validation_fraction: share of the limited rows, in [0, 1); fewer are held out if a class
            would lose its last row.
        seed: draws both samples.

    Returns:
        The row numbers of train and of validation, each rising; no row is in both.
    """
    rng = np.random.default_rng(seed)
    pool = select_limited(labels, limit, rng)
    count = min(round(pool.size * validation_fraction), most_to_cut_off(labels[pool]))
    validation = pool[cut_off(labels[pool], count, rng)]
    return np.setdiff1d(pool, validation, assume_unique=True), validation


def select_limited(
    labels: NDArray[np.int16], limit: int | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Take all rows, or a stratified sample if there are more than the limit.

    Args:
        labels: shape (N,), class ids.
        limit: the largest number of rows; None for all.
        rng: the random generator.

    Returns:
        Row numbers in rising order.
    """
    if limit is None or limit >= labels.size:
        return np.arange(labels.size)
    return stratified_sample(labels, limit, rng)


def _quotas(
    sizes: NDArray[np.int64], count: int, lowest: NDArray[np.int64], highest: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Round the classes' shares to rows, by the largest remainder, and keep them within bounds."""
    exact = sizes * (count / max(int(sizes.sum()), 1))
    quotas: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    largest_remainders = np.argsort(quotas - exact, kind="stable")
    quotas[largest_remainders[: count - quotas.sum()]] += 1
    quotas[:] = np.clip(quotas, lowest, highest)
    while quotas.sum() != count:
        step = 1 if quotas.sum() < count else -1
        is_free = quotas < highest if step > 0 else quotas > lowest
        above_share = np.where(is_free, step * (quotas - exact), np.inf)
        quotas[np.argmin(above_share)] += step
    return quotas


def _draw(
    labels: NDArray[np.int16], quotas: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    drawn = [
        rng.permutation(np.flatnonzero(labels == one))[:quota]
        for one, quota in zip(np.unique(labels), quotas, strict=True)
    ]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)
