"""Published encoders, with all facts that are needed to build each without a download.

Sizes and settings are those of each hub id's config.json; for others, transformers' default of the
type is used. A test compares the number of parameters with the published one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A published architecture, with all facts that are needed to build it without a download."""

    hub_id: str
    model_type: str
    """The name of the type in transformers."""
    num_layers: int
    hidden_size: int
    num_heads: int
    intermediate_size: int
    vocab_size: int = 30522
    max_length_tokens: int = 512
    """The longest row, in tokens, with special tokens."""
    pad_id: int = 0
    """The pad id of a tokenizer trained here; 1 if positions are counted from it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the config, besides sizes."""


def _bert(hub_id: str, num_layers: int, hidden_size: int, num_heads: int) -> KnownModel:
    return KnownModel(
        hub_id=hub_id,
        model_type="bert",
        num_layers=num_layers,
        hidden_size=hidden_size,
        num_heads=num_heads,
        intermediate_size=4 * hidden_size,
    )


_COUNTS_FROM_PADDING = {
    "max_position_embeddings": 514,
    "layer_norm_eps": 1e-5,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
}
"""RoBERTa's and MPNet's first position is the one after the pad id, so two rows are unused."""


def _roberta(hub_id: str, num_layers: int, vocab_size: int, model_type: str) -> KnownModel:
    return KnownModel(
        hub_id=hub_id,
        model_type=model_type,
        num_layers=num_layers,
        hidden_size=768,
        num_heads=12,
        intermediate_size=3072,
        vocab_size=vocab_size,
        pad_id=1,
        settings={**_COUNTS_FROM_PADDING, "type_vocab_size": 1},
    )


def _deberta(hub_id: str, num_layers: int, hidden_size: int, num_heads: int) -> KnownModel:
    return KnownModel(
        hub_id=hub_id,
        model_type="deberta-v2",  # the third differs from it in how it was trained only
        num_layers=num_layers,
        hidden_size=hidden_size,
        num_heads=num_heads,
        intermediate_size=4 * hidden_size,
        vocab_size=128100,
        settings={
            "type_vocab_size": 0,
            "layer_norm_eps": 1e-7,
            "relative_attention": True,
            "position_buckets": 256,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
        },
    )


KNOWN_MODELS = {
    # Sanh et al. 2020, arXiv:1910.01108
    "distilbert": KnownModel(
        hub_id="distilbert-base-uncased",
        model_type="distilbert",
        num_layers=6,
        hidden_size=768,
        num_heads=12,
        intermediate_size=3072,
    ),
    # Wang et al. 2020, arXiv:2002.10957
    "minilm": _bert("microsoft/MiniLM-L12-H384-uncased", 12, 384, 12),
    # Devlin et al. 2019, arXiv:1810.04805
    "bert": _bert("bert-base-uncased", 12, 768, 12),
    # Turc et al. 2019, arXiv:1908.08962
    "bert-tiny": _bert("google/bert_uncased_L-2_H-128_A-2", 2, 128, 2),
    "bert-mini": _bert("google/bert_uncased_L-4_H-256_A-4", 4, 256, 4),
    "bert-small": _bert("google/bert_uncased_L-4_H-512_A-8", 4, 512, 8),
    "bert-medium": _bert("google/bert_uncased_L-8_H-512_A-8", 8, 512, 8),
    # Jiao et al. 2020, arXiv:1909.10351
    "tinybert": KnownModel(
        hub_id="huawei-noah/TinyBERT_General_4L_312D",
        model_type="bert",
        num_layers=4,
        hidden_size=312,
        num_heads=12,
        intermediate_size=1200,
    ),
    # Clark et al. 2020, arXiv:2003.10555
    "electra-small": KnownModel(
        hub_id="google/electra-small-discriminator",
        model_type="electra",
        num_layers=12,
        hidden_size=256,
        num_heads=4,
        intermediate_size=1024,
        settings={"embedding_size": 128},
    ),
    # Liu et al. 2019, arXiv:1907.11692; Sanh et al. 2020; Conneau et al. 2020, arXiv:1911.02116
    "roberta": _roberta("FacebookAI/roberta-base", 12, 50265, "roberta"),
    "distilroberta": _roberta("distilbert/distilroberta-base", 6, 50265, "roberta"),
    "xlm-r": _roberta("FacebookAI/xlm-roberta-base", 12, 250002, "xlm-roberta"),
    # Song et al. 2020, arXiv:2004.09297
    "mpnet": KnownModel(
        hub_id="microsoft/mpnet-base",
        model_type="mpnet",
        num_layers=12,
        hidden_size=768,
        num_heads=12,
        intermediate_size=3072,
        vocab_size=30527,
        pad_id=1,
        settings={**_COUNTS_FROM_PADDING, "relative_attention_num_buckets": 32},
    ),
    # Lan et al. 2020, arXiv:1909.11942; the second version has no dropout
    "albert": KnownModel(
        hub_id="albert/albert-base-v2",
        model_type="albert",
        num_layers=12,
        hidden_size=768,
        num_heads=12,
        intermediate_size=3072,
        vocab_size=30000,
        settings={
            "embedding_size": 128,
            "hidden_act": "gelu_new",
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "classifier_dropout_prob": 0.1,
        },
    ),
    # He et al. 2023, arXiv:2111.09543
    "deberta-v3-xsmall": _deberta("microsoft/deberta-v3-xsmall", 12, 384, 6),
    "deberta-v3-small": _deberta("microsoft/deberta-v3-small", 6, 768, 12),
    # Warner et al. 2024, arXiv:2412.13663
    "modernbert": KnownModel(
        hub_id="answerdotai/ModernBERT-base",
        model_type="modernbert",
        num_layers=22,
        hidden_size=768,
        num_heads=12,
        intermediate_size=1152,
        vocab_size=50368,
        max_length_tokens=8192,
        settings={
            "classifier_pooling": "mean",
            # For a tokenizer trained here: the published ids are beyond a smaller vocabulary.
            "pad_token_id": 0,
            "cls_token_id": 2,
            "bos_token_id": 2,
            "sep_token_id": 3,
            "eos_token_id": 3,
        },
    ),
}


SIZES = {
    "num_layers": "num_hidden_layers",
    "hidden_size": "hidden_size",
    "num_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "vocab_size": "vocab_size",
}
"""What transformers' configs call an encoder's sizes."""

SIZES_OF_DISTILBERT = {
    **SIZES,
    "num_layers": "n_layers",
    "hidden_size": "dim",
    "num_heads": "n_heads",
    "intermediate_size": "hidden_dim",
}


def size_names(model_type: str) -> Mapping[str, str]:
    """Return what the config of a type calls each size."""
    return SIZES_OF_DISTILBERT if model_type == "distilbert" else SIZES
