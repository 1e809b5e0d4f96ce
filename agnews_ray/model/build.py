"""Classifiers: from the hub, from a folder, or fresh from published sizes."""

from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, BertConfig, DistilBertConfig

from agnews_ray.model import zoo
from agnews_ray.model.hub import explain_load_error
from agnews_ray.model.tokenizer import quieten
from agnews_ray.spec.study import VariantSpec


def build_classifier(
    variant: VariantSpec, class_names: tuple[str, ...], seed: int
) -> torch.nn.Module:
    """Build an encoder with a classification head, in float32.

    The head is fresh unless the weights hold one for as many classes.

    Args:
        variant: pretrained weights are read from safetensors only, remote code never runs.
        class_names: in label order; kept in the model's config.
        seed: draws the head, and everything else with ``init: random``.

    Returns:
        A transformers sequence classifier with C = ``len(class_names)`` outputs.

    Raises:
        HubError: neither the hub nor its cache has the weights.
        ModelError: there are no safetensors weights, or no classifier of this architecture.
    """
    quieten()
    torch.manual_seed(seed)
    labels = {
        "num_labels": len(class_names),
        "id2label": dict(enumerate(class_names)),
        "label2id": {name: index for index, name in enumerate(class_names)},
    }
    if variant.init == "random":
        config = _fresh_config(variant, labels)
        fresh: torch.nn.Module = AutoModelForSequenceClassification.from_config(config)
        return fresh
    try:
        model: torch.nn.Module = AutoModelForSequenceClassification.from_pretrained(
            zoo.load_path(variant),
            revision=variant.revision or "main",
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # a head for other classes is replaced
            **labels,
        )
    except Exception as error:  # transformers raises what its parsers raise
        raise explain_load_error(variant, error) from error
    return model


def num_parameters(model: torch.nn.Module) -> int:
    """Count all parameters, embeddings and frozen ones included."""
    return sum(parameter.numel() for parameter in model.parameters())


def _fresh_config(variant: VariantSpec, labels: dict[str, Any]) -> BertConfig | DistilBertConfig:
    sizes, known = zoo.sizes(variant), zoo.known_model(variant.model)
    if known is not None and known.model_type == "distilbert":
        return DistilBertConfig(
            vocab_size=sizes["vocab_size"],
            n_layers=sizes["num_layers"],
            dim=sizes["hidden_size"],
            n_heads=sizes["num_heads"],
            hidden_dim=sizes["intermediate_size"],
            **labels,
        )
    return BertConfig(
        vocab_size=sizes["vocab_size"],
        num_hidden_layers=sizes["num_layers"],
        hidden_size=sizes["hidden_size"],
        num_attention_heads=sizes["num_heads"],
        intermediate_size=sizes["intermediate_size"],
        **labels,
    )
