"""The number of tokens a model takes, from its table of positions, not from its config's names.

RoBERTa and similar models count positions from after the pad id, so 514 rows hold 512 tokens; OPT
and BART leave out two rows; XLNet and T5 have no absolute positions, and no limit.
"""

import re
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

TABLE_NAME = re.compile(
    r"(?:^|\.)(?:position_embeddings?|positions?_embed|embed_positions|pos_embeddings?|wpe)$"
)
"""The names in transformers of modules that hold one row for each position."""

NO_LIMIT = int(1e30)
"""The value that transformers writes if a tokenizer has no limit."""


def bare_model(config: Any) -> Any:
    """Build a classifier without weights, on torch's meta device."""
    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(config)


def position_limit(model: Any) -> int | None:
    """Return how many tokens a row may have, with special tokens.

    Args:
        model: a transformers model, on any device.

    Returns:
        The smallest limit of its tables and its config; None if there is none.
    """
    tables = [_places(module) for name, module in _tables(model)]
    stated = getattr(model.config, "max_position_embeddings", None)
    if not tables and getattr(model.config, "relative_attention", False):
        return None  # DeBERTa: distances beyond the stated one are treated the same
    if isinstance(stated, int) and stated > 0:
        tables.append(stated)
    return min(tables, default=None)


def counts_from_padding(model: Any) -> bool:
    """Whether positions start after the pad id, as RoBERTa's do."""
    return any(getattr(module, "padding_idx", None) is not None for _, module in _tables(model))


def _tables(model: Any) -> list[tuple[str, Any]]:
    return [
        (name, module)
        for name, module in model.named_modules()
        if TABLE_NAME.search(name) and getattr(getattr(module, "weight", None), "ndim", 0) == 2
    ]


def _places(table: Any) -> int:
    rows = int(table.weight.shape[0])
    if getattr(table, "padding_idx", None) is not None:
        return rows - int(table.padding_idx) - 1
    return rows - int(getattr(table, "offset", 0))
