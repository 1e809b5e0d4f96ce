"""Which rows of a split are used: stratified, seeded samples, the same for every trial.

A sample has a row of each class wherever it has that many rows, and what is cut off from train
leaves a row of each class to train on: a class without a train row would be scored all the same.
"""

import numpy as np
from numpy.typing import NDArray


def stratified_sample(
    labels: NDArray[np.int16], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw rows so that each class keeps its share, rounded by the largest remainder.

    A class that rounding leaves without a row gets one, from the class that has most above its
    share, where there are as many rows as classes. Otherwise the rows are those of rounding alone.

    Args:
        labels: shape (N,), class ids.
        count: rows wanted, in [0, N].
        rng: source of randomness; the same state gives the same rows.

    Returns:
        Shape (count,), row numbers in rising order, without repetition.

    Raises:
        ValueError: more rows are wanted than there are.
    """
    if not 0 <= count <= labels.size:
        raise ValueError(f"want 0 to {labels.size} rows, got {count}")
    _, sizes = np.unique(labels, return_counts=True)
    lowest = np.full(sizes.size, 1 if count >= sizes.size else 0)
    return _draw(labels, _quotas(sizes, count, lowest, sizes), rng)


def cut_off(labels: NDArray[np.int16], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows to be held out of train, stratified, but never the last row of a class.

    Args:
        labels: shape (N,), class ids.
        count: rows wanted.
        rng: source of randomness; the same state gives the same rows.

    Returns:
        Shape (count,), row numbers in rising order; a class may be missing from them.

    Raises:
        ValueError: so many rows cannot be held out.
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
    """Apply the limit, then cut the validation split from what is left.

    Args:
        labels: shape (N,), class ids of the whole train split.
        limit: most rows to use; None for all.
        validation_fraction: share of the limited rows, in [0, 1); fewer are cut off where a class
            would lose its last row.
        seed: draws both samples.

    Returns:
        Row numbers of train and of validation, each rising; they share no row.
    """
    rng = np.random.default_rng(seed)
    pool = select_limited(labels, limit, rng)
    count = min(round(pool.size * validation_fraction), most_to_cut_off(labels[pool]))
    validation = pool[cut_off(labels[pool], count, rng)]
    return np.setdiff1d(pool, validation, assume_unique=True), validation


def select_limited(
    labels: NDArray[np.int16], limit: int | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Take all rows, or a stratified sample where the limit is lower.

    Args:
        labels: shape (N,), class ids.
        limit: most rows to use; None for all.
        rng: source of randomness.

    Returns:
        Row numbers in rising order.
    """
    if limit is None or limit >= labels.size:
        return np.arange(labels.size)
    return stratified_sample(labels, limit, rng)


def _quotas(
    sizes: NDArray[np.int64], count: int, lowest: NDArray[np.int64], highest: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Rows of each class: shares rounded by the largest remainder, then kept within bounds."""
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
