"""How many tokens a model takes: from its table of positions, not from what its config is called.

RoBERTa's kin count positions from behind the padding's id, so 514 rows hold 512 tokens; OPT and
BART leave out two rows; XLNet and T5 have no positions of their own, and no limit.
"""

import re
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

TABLE_NAME = re.compile(
    r"(?:^|\.)(?:position_embeddings?|positions?_embed|embed_positions|pos_embeddings?|wpe)$"
)
"""What transformers calls the modules that hold one row for each position."""

NO_LIMIT = int(1e30)
"""What transformers writes where a tokenizer knows none."""


def bare_model(config: Any) -> Any:
    """Build a classifier without weights, on torch's meta device."""
    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(config)


def position_limit(model: Any) -> int | None:
    """Say how many tokens a row may have, special tokens included.

    Args:
        model: a transformers model, on whatever device.

    Returns:
        The smallest of its tables' limits and the config's; None where there is none.
    """
    tables = [_places(module) for name, module in _tables(model)]
    stated = getattr(model.config, "max_position_embeddings", None)
    if not tables and getattr(model.config, "relative_attention", False):
        return None  # DeBERTa: distances beyond the stated one are treated alike
    if isinstance(stated, int) and stated > 0:
        tables.append(stated)
    return min(tables, default=None)


def counts_from_padding(model: Any) -> bool:
    """Whether positions begin behind the padding's id, as RoBERTa's do."""
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
