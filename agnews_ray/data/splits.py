"""Which rows of a split are used: stratified, seeded samples, the same for every trial."""

import numpy as np
from numpy.typing import NDArray


def stratified_sample(
    labels: NDArray[np.int16], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw rows so that each class keeps its share, rounded by the largest remainder.

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
    classes, sizes = np.unique(labels, return_counts=True)
    exact = sizes * (count / max(labels.size, 1))
    quotas = np.floor(exact).astype(np.int64)
    largest_remainders = np.argsort(quotas - exact, kind="stable")
    quotas[largest_remainders[: count - quotas.sum()]] += 1
    drawn = [
        rng.permutation(np.flatnonzero(labels == one))[:quota]
        for one, quota in zip(classes, quotas, strict=True)
    ]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)


def select_train_and_validation(
    labels: NDArray[np.int16], limit: int | None, validation_fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Apply the limit, then cut the validation split from what is left.

    Args:
        labels: shape (N,), class ids of the whole train split.
        limit: most rows to use; None for all.
        validation_fraction: share of the limited rows, in [0, 1).
        seed: draws both samples.

    Returns:
        Row numbers of train and of validation, each rising; they share no row.
    """
    rng = np.random.default_rng(seed)
    pool = select_limited(labels, limit, rng)
    count = round(pool.size * validation_fraction)
    validation = pool[stratified_sample(labels[pool], count, rng)]
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
