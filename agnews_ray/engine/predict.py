"""The computation of a model's logits, whatever its engine, and its precision."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

import torch

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.data.tensors import PaddingSide, rank_share
from agnews_ray.engine.results import Predictions, Rank
from agnews_ray.model.artifact import DTYPES
from agnews_ray.model.forward import compute_logits
from agnews_ray.spec.base import Precision


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Return a context in which torch computes in mixed precision; with fp32 it changes nothing."""
    if precision == "fp32":
        return nullcontext()
    # A CUDA graph must not hold casts that were made before it.
    is_cached = device.type != "cuda"
    return torch.autocast(device.type, dtype=DTYPES[precision], cache_enabled=is_cached)


def predict(
    model: torch.nn.Module,
    batches: Iterable[TokenisedRows],
    pad_id: int,
    rank: Rank,
    precision: Precision,
    padding_side: PaddingSide = "right",
) -> Iterator[Predictions]:
    """Compute logits for this rank's batches: every ``world_size``-th one.

    Args:
        model: a transformers classifier.
        batches: all batches of the split, the same on each rank.
        pad_id: the token id of the padding.
        rank: the rank for whose batches logits are computed.
        precision: the precision of matrix products.
        padding_side: the side on which short rows are padded.

    Yields:
        The predictions of one batch at a time.
    """
    model.eval()
    for index, rows in enumerate(batches):
        if index % rank.world_size != rank.index:
            continue
        batch = rank_share(rows, 0, 1, pad_id, padding_side=padding_side)
        with autocast(rank.device, precision):
            logits = compute_logits(model, batch.input_ids, batch.attention_mask)
        yield Predictions(rows.rows, rows.labels, logits.numpy())
