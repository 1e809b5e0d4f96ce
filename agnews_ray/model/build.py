"""Tokenizers and classifiers: from the hub, from a folder, or fresh from published sizes."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    DistilBertConfig,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from agnews_ray.errors import AgnewsError, HubError, ModelError
from agnews_ray.model.zoo import KnownModel, known_model, load_path
from agnews_ray.spec.study import ArchitectureSpec, VariantSpec

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OFFLINE_WAYS = (
    "go online once to fill the cache, set HF_ENDPOINT to a mirror, "
    "pass a folder written by save_pretrained, or use --init random"
)


def load_tokenizer(variant: VariantSpec) -> PreTrainedTokenizerFast:
    """Load a pretrained variant's fast tokenizer.

    Args:
        variant: with ``init: pretrained``.

    Returns:
        The tokenizer.

    Raises:
        HubError: neither the hub nor its cache has it.
        ModelError: there is no fast tokenizer, or the folder's files are damaged.
    """
    quieten()
    try:
        # The config too: both must be there before a cluster is started for the weights.
        AutoConfig.from_pretrained(
            load_path(variant), revision=variant.revision, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(
            load_path(variant), revision=variant.revision, use_fast=True, trust_remote_code=False
        )
    except Exception as error:  # noqa: BLE001  # transformers raises what its parsers raise
        raise _explain(variant, error) from error
    if not getattr(tokenizer, "is_fast", False):
        hint = "choose a model that ships a tokenizer.json"
        raise ModelError(f"model {variant.model!r}", "a fast tokenizer", "a slow one", hint)
    return tokenizer


def train_tokenizer(
    texts: Callable[[], Iterable[str]], variant: VariantSpec
) -> PreTrainedTokenizerFast:
    """Train an uncased WordPiece tokenizer, BERT's kind, for a variant with fresh weights.

    Args:
        texts: gives the texts of the train split; called twice.
        variant: a known architecture with ``init: random``; its vocabulary size is the most the
            tokenizer may use.

    Returns:
        The tokenizer; [PAD] is id 0. The same texts give the same tokenizer.
    """
    normalizer = normalizers.BertNormalizer(lowercase=True)
    characters = {c for text in texts() for c in normalizer.normalize_str(text) if not c.isspace()}
    alphabet = sorted(characters)
    trainer = trainers.WordPieceTrainer(
        vocab_size=_sizes(variant)["vocab_size"],
        # Continuations too, or they get ids in the random order of a hash map, and ties between
        # merges, which ids break, would fall differently in each process.
        special_tokens=[*SPECIAL_TOKENS, *(f"##{character}" for character in alphabet)],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    trained = _wordpiece(models.WordPiece(unk_token="[UNK]"), normalizer)  # noqa: S106
    trained.train_from_iterator(texts(), trainer)
    # Anew from the vocabulary, in which only the five are special.
    model = models.WordPiece(trained.get_vocab(), unk_token="[UNK]")  # noqa: S106
    return PreTrainedTokenizerFast(
        tokenizer_object=_wordpiece(model, normalizer),
        model_max_length=512,
        pad_token="[PAD]",  # noqa: S106
        unk_token="[UNK]",  # noqa: S106
        cls_token="[CLS]",  # noqa: S106
        sep_token="[SEP]",  # noqa: S106
        mask_token="[MASK]",  # noqa: S106
    )


def _wordpiece(model: models.WordPiece, normalizer: normalizers.Normalizer) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def load_trained_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load what ``train_tokenizer`` made and ``save_pretrained`` wrote."""
    return PreTrainedTokenizerFast.from_pretrained(str(folder))


def encoder_json(tokenizer: PreTrainedTokenizerFast, max_length_tokens: int) -> str:
    """Serialise a tokenizer for Ray Data: truncating, not padding.

    Args:
        tokenizer: any fast tokenizer.
        max_length_tokens: longest row, special tokens included.

    Returns:
        JSON for ``tokenizers.Tokenizer.from_str``; encodes as
        ``tokenizer(text, truncation=True, max_length=max_length_tokens)`` does.
    """
    encoder = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    encoder.enable_truncation(max_length_tokens)
    encoder.no_padding()
    return str(encoder.to_str())


def build_classifier(
    variant: VariantSpec, class_names: tuple[str, ...], seed: int
) -> torch.nn.Module:
    """Build an encoder with a fresh classification head, in float32.

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
        return AutoModelForSequenceClassification.from_config(_fresh_config(variant, labels))
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            load_path(variant),
            revision=variant.revision or "main",
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            **labels,
        )
    except Exception as error:  # noqa: BLE001  # transformers raises what its parsers raise
        raise _explain(variant, error) from error
    return model


def num_parameters(model: torch.nn.Module) -> int:
    """Count all parameters, embeddings and frozen ones included."""
    return sum(parameter.numel() for parameter in model.parameters())


def quieten() -> None:
    """Keep transformers' load reports and progress bars off the terminal."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def _sizes(variant: VariantSpec) -> dict[str, int]:
    """The published sizes, replaced by the variant's own where it gives them."""
    known = known_model(variant.model)
    if known is None:
        raise ModelError(f"model {variant.model!r}", "a known architecture", "another", "see --help")
    names = tuple(ArchitectureSpec.model_fields)
    own = variant.architecture or ArchitectureSpec()
    sizes = {name: getattr(own, name) or getattr(known, name) for name in names}
    if sizes["hidden_size"] % sizes["num_heads"]:
        found = f"hidden_size {sizes['hidden_size']} and num_heads {sizes['num_heads']}"
        hint = "change one of them"
        raise ModelError(f"model {variant.model!r}", "hidden_size / num_heads whole", found, hint)
    return sizes


def _fresh_config(variant: VariantSpec, labels: dict[str, Any]) -> BertConfig | DistilBertConfig:
    sizes = _sizes(variant)
    known: KnownModel | None = known_model(variant.model)
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


def _explain(variant: VariantSpec, error: Exception) -> AgnewsError:
    """Turn what transformers and the hub raise into one line."""
    where = f"model {variant.model!r}"
    text = " ".join(str(error).split())
    if Path(load_path(variant)).is_dir():
        hint = "save the model again with save_pretrained"
        return ModelError(where, "a loadable model folder", text[:200], hint)
    if "safetensors" in text and "does not appear to have" in text:
        hint = "convert it once with save_pretrained and pass the folder"
        return ModelError(where, "safetensors weights on the hub", "none", hint)
    if "not a valid model identifier" in text or "RepositoryNotFound" in type(error).__name__:
        hint = "check the name at https://huggingface.co/models, or log in if it is private"
        return ModelError(where, "a model on the hub", "none of that name", hint)
    found = f"no answer ({type(error).__name__})"
    return HubError(where, "the Hugging Face hub or its cache", found, OFFLINE_WAYS)
