"""One rank's share of a global batch, as padded tensors."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.data.batches import NO_TOKEN, TokenisedRows

PaddingSide = Literal["right", "left"]
"""The side on which short rows are padded: right, except for models whose head reads the last
position (XLNet)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One rank's share of one global batch, padded."""

    input_ids: torch.Tensor
    """Shape (B, L), int64: the token ids, padded to the longest row."""
    attention_mask: torch.Tensor | None
    """Shape (B, L), int64: 1 for tokens, 0 for padding; None if no row is padded."""
    labels: torch.Tensor
    """Shape (B,), int64: the class ids."""
    row_weights: torch.Tensor
    """Shape (B,), float32: the weight of each row's loss in the mean over the global batch; 0 for
    copies that only fill a shape."""
    rows: NDArray[np.int64]
    """The row numbers in the source, without copies."""
    num_tokens: int
    """The number of tokens that are not padding, without copies."""
    targets: dict[str, torch.Tensor] = field(default_factory=dict)
    """The tensors that an objective needs beside labels, by name; each has B rows. Those of tokens
    have shape (B, L), with ``NO_TOKEN`` for padding and for copies that only fill a shape."""

    @property
    def tensors(self) -> tuple[torch.Tensor | None, ...]:
        """The tensors that a device needs: ids, mask, labels, weights, then targets by name."""
        others = (self.targets[name] for name in sorted(self.targets))
        return self.input_ids, self.attention_mask, self.labels, self.row_weights, *others


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Fixed tensor sizes, for devices that work best with few different shapes."""

    num_rows: int
    """The number of rows of every rank's share; a short share is filled with copies of weight 0."""
    length_multiple: int
    """The number of tokens of which a padded length is a multiple."""
    max_length: int
    """The longest padded length, in tokens: the model's number of positions."""


def rank_share(
    batch: TokenisedRows,
    rank: int,
    world_size: int,
    pad_id: int,
    shape: Shape | None = None,
    padding_side: PaddingSide = "right",
) -> Batch:
    """Take one rank's rows of a global batch, every ``world_size``-th one, and pad them.

    Args:
        batch: a global batch, with rows of similar length next to each other.
        rank: in [0, world_size).
        world_size: number of ranks.
        pad_id: token id of the padding.
        shape: the sizes to fill, always with a mask; None: no padding beyond the longest row.
        padding_side: the side on which short rows are padded.

    Returns:
        The rank's rows. A rank left without a row by a short batch gets a copy of the first one,
        so that all ranks take part in every gradient exchange.
    """
    index = np.arange(rank, len(batch), world_size)
    num_rows = shape.num_rows if shape else max(1, index.size)
    copies = np.zeros(num_rows - index.size, np.int64)
    share = batch.take(np.concatenate([index, copies]))
    lengths = share.lengths
    multiple = shape.length_multiple if shape else 1
    # A row without tokens (an empty text for a decoder) keeps one padding token: it needs some.
    shown = np.maximum(lengths, 1)
    length = -(-int(shown.max()) // multiple) * multiple
    places = np.arange(min(length, shape.max_length) if shape else length)
    if padding_side == "left":
        places = places[::-1]
    is_token, is_shown = places < lengths[:, None], places < shown[:, None]
    input_ids = np.full(is_token.shape, pad_id, dtype=np.int64)
    input_ids[is_token] = share.ids
    of_tokens = {}
    for name, values in share.token_targets.items():
        padded = np.full(is_token.shape, NO_TOKEN, dtype=np.int64)
        padded[is_token] = values
        padded[index.size :] = NO_TOKEN
        of_tokens[name] = torch.from_numpy(padded)
    has_mask = shape is not None or not is_shown.all()
    weights = np.zeros(num_rows, np.float32)
    weights[: index.size] = 1.0 / len(batch)
    return Batch(
        input_ids=torch.from_numpy(input_ids),
        attention_mask=torch.from_numpy(is_shown.astype(np.int64)) if has_mask else None,
        labels=torch.from_numpy(share.labels.astype(np.int64)),
        row_weights=torch.from_numpy(weights),
        rows=share.rows[: index.size],
        num_tokens=int(lengths[: index.size].sum()),
        targets={name: torch.from_numpy(values) for name, values in share.targets.items()}
        | of_tokens,
    )
