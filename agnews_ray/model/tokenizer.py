"""Fast tokenizers: a pretrained model's own, or one trained on the train split. Not torch."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from agnews_ray.errors import ModelError
from agnews_ray.model.hub import explain_load_error
from agnews_ray.model.zoo import load_path, sizes
from agnews_ray.spec.study import VariantSpec

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


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
        config = AutoConfig.from_pretrained(
            load_path(variant), revision=variant.revision, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(
            load_path(variant), revision=variant.revision, use_fast=True, trust_remote_code=False
        )
    except Exception as error:  # transformers raises what its parsers raise
        raise explain_load_error(variant, error) from error
    if not getattr(tokenizer, "is_fast", False):
        hint = "choose a model that ships a tokenizer.json"
        raise ModelError(f"model {variant.model!r}", "a fast tokenizer", "a slow one", hint)
    # Some tokenizers do not say how long a row may be; the positions do.
    positions = getattr(config, "max_position_embeddings", tokenizer.model_max_length)
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
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
        vocab_size=sizes(variant)["vocab_size"],
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


def check_max_length(
    variant: VariantSpec, tokenizer: PreTrainedTokenizerFast, max_length_tokens: int
) -> None:
    """Refuse rows that are longer than the model has positions for.

    Args:
        variant: names the model.
        tokenizer: its tokenizer, which knows the longest row.
        max_length_tokens: asked for.

    Raises:
        ModelError: the model is shorter.
    """
    if max_length_tokens > tokenizer.model_max_length:
        hint = f"use --max-length {tokenizer.model_max_length}"
        wanted = f"at most {tokenizer.model_max_length} tokens"
        raise ModelError(f"model {variant.model!r}", wanted, str(max_length_tokens), hint)


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


def quieten() -> None:
    """Keep transformers' load reports and progress bars off the terminal."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
