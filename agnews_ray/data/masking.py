"""Masked tokens for a masked language model, drawn for whole global batches, as DistilBERT does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agnews_ray.data.batches import NO_TOKEN, TokenisedRows

MASKED_TOKENS = "masked_tokens"
"""The token target that holds the original ids of the tokens to predict."""

MASK_SHARE, OTHER_TOKEN_SHARE = 0.8, 0.1
"""The shares of the tokens to predict that become the mask, or any token of the vocabulary; the
others stay as they are (Devlin et al. 2019)."""

MASKS = 23
"""A number beside the seed, which makes the masks independent of the order of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """How often each token of a vocabulary is masked."""

    fraction: float
    """The share of the tokens to predict among those that can be masked, in (0, 1)."""
    mask_id: int
    weights: NDArray[np.float64]
    """Shape (V,): how likely each token id is to be masked, in proportion; 0: never."""

    def masked(self, batch: TokenisedRows, rng: np.random.Generator) -> TokenisedRows:
        """Draw the tokens to predict, and hide most of them.

        Tokens are drawn without replacement in proportion to their weights: those whose
        exponential random number, divided by the weight, is smallest.

        Args:
            batch: a whole global batch, so that the masks do not depend on the number of ranks.
            rng: the random generator; the same state gives the same masks.

        Returns:
            The rows with other ``ids``, and the original ids as ``token_targets["masked_tokens"]``.

        Source: Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir".
        """
        weights = self.weights[batch.ids]
        places = np.flatnonzero(weights)
        keys = rng.exponential(size=places.size) / weights[places]
        count = int(np.ceil(self.fraction * places.size))
        smallest = np.argpartition(keys, count - 1)[:count] if count else np.empty(0, np.int64)
        chosen = np.sort(places[smallest])
        target = np.full(batch.ids.size, NO_TOKEN, dtype=np.int64)
        target[chosen] = batch.ids[chosen]
        ids = batch.ids.copy()
        kind = rng.random(chosen.size)
        ids[chosen[kind < MASK_SHARE]] = self.mask_id
        others = chosen[(kind >= MASK_SHARE) & (kind < MASK_SHARE + OTHER_TOKEN_SHARE)]
        ids[others] = rng.integers(self.weights.size, size=others.size)
        targets = batch.token_targets | {MASKED_TOKENS: target}
        return replace(batch, ids=ids, token_targets=targets)


def masking_of(
    counts: NDArray[np.int64],
    special_ids: Iterable[int],
    mask_id: int,
    fraction: float,
    power: float,
) -> Masking:
    """Make tokens likely to be masked in proportion to their count to the power of ``-power``.

    Args:
        counts: shape (V,): how often each token occurs; a token that does not counts as one.
        special_ids: the tokens that are never masked.
        mask_id: the id of the mask.
        fraction: the share of tokens to predict, in (0, 1).
        power: at least 0; 0 makes all tokens equally likely.

    Returns:
        The masking.

    Source: Sanh et al. 2019 (DistilBERT), the code of its training: 0.15 and 0.7.
    """
    weights = np.maximum(counts, 1).astype(np.float64) ** -power
    weights[list(special_ids)] = 0
    return Masking(fraction=fraction, mask_id=mask_id, weights=weights)


def count_tokens(windows: Iterable[TokenisedRows], vocab_size: int) -> NDArray[np.int64]:
    """Count how often each token of a vocabulary occurs.

    Args:
        windows: all rows, each once.
        vocab_size: V, the number of token ids.

    Returns:
        Shape (V,).
    """
    counts = np.zeros(vocab_size, np.int64)
    for window in windows:
        counts += np.bincount(window.ids, minlength=vocab_size)
    return counts


def masked_batches(
    batches: Iterable[TokenisedRows], masking: Masking, seed: int, epoch: int
) -> Iterator[TokenisedRows]:
    """Mask one epoch's global batches, anew in each epoch.

    Args:
        batches: the global batches of the epoch, the same on every rank.
        masking: how often each token is masked.
        seed: the trial's seed.
        epoch: counted from 0.

    Yields:
        The batches with masks, which every rank draws alike.
    """
    for index, batch in enumerate(batches):
        yield masking.masked(batch, np.random.default_rng([seed, epoch, index, MASKS]))
