"""The cost of a classifier before it runs: its number of floating-point operations."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from agnews_ray.compat.of_transformers import with_plain_attention
from agnews_ray.model.embedding import ENCODER_FOLDER
from agnews_ray.model.linear_classifier import has_encoder, head_shape, is_linear_artifact

ANY_TOKEN = 5
"""A token id that every vocabulary has; lower ids are padding in some models, which look for it."""


def flops_per_row(folder: Path, lengths: Iterable[int]) -> float:
    """Count the operations of the forward pass, mean over rows, each unpadded.

    The model is built without weights on torch's meta device, so nothing is computed. A model that
    reads a tensor's values, which meta tensors lack, runs on the CPU. Matrix products are counted,
    with two operations for each multiply-add, as ``torch.utils.flop_counter`` does.

    Args:
        folder: an artifact.
        lengths: the result of ``Classifier.num_tokens``; at least one.

    Returns:
        Operations per row; of TF-IDF only those with the weights of the classes.
    """
    rows_of = Counter(lengths)
    if is_linear_artifact(folder):
        return _linear_flops(folder, rows_of)
    return _mean_flops(folder, AutoModelForSequenceClassification, rows_of)


def _linear_flops(folder: Path, rows_of: Counter[int]) -> float:
    """Count the products of weights: of an encoder and its vector, or of the terms in a row."""
    num_classes, num_features = head_shape(folder)
    if has_encoder(folder):
        encoder = _mean_flops(folder / ENCODER_FOLDER, AutoModel, rows_of)
        return encoder + 2 * num_classes * num_features
    num_terms = sum(length * num_rows for length, num_rows in rows_of.items())
    return 2 * num_classes * num_terms / rows_of.total()


def _mean_flops(folder: Path, auto: Any, rows_of: Counter[int]) -> float:
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    try:
        flops = _flops_by_length(config, auto, rows_of, "meta")
    except (RuntimeError, NotImplementedError):  # each family fails with another exception
        flops = _flops_by_length(config, auto, rows_of, "cpu")
    return sum(num_rows * flops[length] for length, num_rows in rows_of.items()) / rows_of.total()


def training_flops_per_row(model: Any, lengths: Iterable[int]) -> float:
    """Count the operations of forward and backward pass, mean over rows, each unpadded.

    Args:
        model: a transformers classifier; it is copied without its weights.
        lengths: the number of tokens of each row, with special tokens; at least one.

    Returns:
        Operations per row, counted as in ``flops_per_row``.
    """
    rows_of = Counter(lengths)
    with torch.device("meta"):
        bare = with_plain_attention(model)
    total = 0
    for length, num_rows in rows_of.items():
        ids = torch.zeros((1, length), dtype=torch.int64, device="meta")
        with FlopCounterMode(display=False) as counter:
            bare(input_ids=ids).logits.sum().backward()
        total += num_rows * int(counter.get_total_flops())
    return total / rows_of.total()


def _flops_by_length(config: Any, auto: Any, lengths: Iterable[int], device: str) -> dict[int, int]:
    with torch.device(device):
        # Fused attention lacks a formula on some devices; unfused, it is matrix products.
        model = auto.from_config(config, attn_implementation="eager")
    model.eval().requires_grad_(False)  # the counter fails on parameters that are given as inputs
    end = getattr(config, "eos_token_id", None)
    flops = {}
    for length in lengths:
        ids = torch.full((1, max(length, 1)), ANY_TOKEN, device=device)  # 0: an empty text
        if isinstance(end, int) and end < config.vocab_size:
            ids[0, -1] = end  # encoder-decoders classify at this token
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(input_ids=ids)  # a mask's values would be read, and meta tensors have none
        flops[length] = int(counter.get_total_flops())
    return flops
