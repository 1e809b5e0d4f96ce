"""Fast tokenizers: a pretrained model's own, or one trained on the train split."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoConfig,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from agnews_ray.model.hub import explain_load_error
from agnews_ray.model.limits import NO_LIMIT, bare_model, counts_from_padding, position_limit
from agnews_ray.model.messages import refused
from agnews_ray.model.zoo import architecture, load_path, sizes
from agnews_ray.spec.variant import VariantSpec

TRAINED_VERSION = 1
"""The version of trained tokenizers, which are kept; raised whenever this code trains another
tokenizer on the same texts."""

SPECIAL_TOKENS = {
    0: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    1: ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"],
}
"""First entries of a trained vocabulary, by the padding's id: BERT's order and RoBERTa's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTokenizer:
    """A pretrained variant's tokenizer, ready for training."""

    tokenizer: PreTrainedTokenizerFast
    notes: tuple[str, ...]
    """The settings that differ from its files, one line each."""


def load_tokenizer(variant: VariantSpec) -> PreTrainedTokenizerFast:
    """Load a pretrained variant's fast tokenizer; see ``ready_tokenizer``."""
    return ready_tokenizer(variant).tokenizer


def ready_tokenizer(variant: VariantSpec) -> LoadedTokenizer:
    """Load a pretrained variant's fast tokenizer and make it fit its model.

    It pads on the side that the model needs, has a pad token, and its ``model_max_length`` is the
    model's limit.

    Args:
        variant: a variant with ``init: pretrained``.

    Returns:
        The tokenizer, and the changes made.

    Raises:
        HubError: neither the hub nor its cache has it.
        ModelError: transformers has no text classifier of this architecture, there is no fast
            tokenizer or no vocabulary, or files are damaged.
    """
    quieten()
    path, revision = load_path(variant), variant.revision
    try:
        # The config too: both must be there before a cluster is started for the weights.
        config = AutoConfig.from_pretrained(path, revision=revision, trust_remote_code=False)
    except Exception as error:  # transformers raises any exception of its parsers
        raise explain_load_error(variant, error) from error
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        found = f"model_type {config.model_type!r}, for which transformers has no classifier"
        hint = "choose an encoder of text, as bert or roberta"
        raise refused(variant.model, "a text classifier's architecture", found, hint)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            path, revision=revision, use_fast=True, trust_remote_code=False
        )
        bare = bare_model(config)
    except Exception as error:
        raise explain_load_error(variant, error) from error
    _check_usable(variant, tokenizer)
    limit = position_limit(bare)
    tokenizer.model_max_length = NO_LIMIT if limit is None else limit
    notes = [*_set_pad_token(variant, tokenizer, bare), *_set_padding_side(tokenizer, config)]
    return LoadedTokenizer(tokenizer=tokenizer, notes=tuple(notes))


def _check_usable(variant: VariantSpec, tokenizer: Any) -> None:
    if not getattr(tokenizer, "is_fast", False):
        hint = "choose a model that ships a tokenizer.json"
        raise refused(variant.model, "a fast tokenizer", "a slow one", hint)
    entries = tokenizer.get_vocab().keys() - tokenizer.added_tokens_encoder.keys()
    if not entries - set(tokenizer.all_special_tokens):  # built from no file
        found = f"{len(tokenizer)} special tokens and nothing else"
        hint = "copy tokenizer.json, or the vocabulary, from the model it was made from"
        raise refused(variant.model, "a tokenizer with a vocabulary", found, hint)


def _set_pad_token(variant: VariantSpec, tokenizer: Any, bare: Any) -> list[str]:
    """Set a missing pad token: the config's, if that is certainly one, else the end token."""
    if tokenizer.pad_token is not None:
        return []
    of_config = bare.config.pad_token_id
    token = tokenizer.convert_ids_to_tokens(of_config) if isinstance(of_config, int) else None
    if token is not None and ("pad" in token.lower() or counts_from_padding(bare)):
        tokenizer.pad_token = token
        return [f"the tokenizer names no pad token; set to its config's, {token!r}"]
    end = tokenizer.eos_token or tokenizer.sep_token
    if end is None:
        hint = "set pad_token in tokenizer_config.json to an entry of the vocabulary"
        raise refused(variant.model, "a pad token or an end token", "neither", hint)
    tokenizer.pad_token = end
    return [f"the tokenizer has no pad token; set to its end token {end!r}"]


def _set_padding_side(tokenizer: Any, config: Any) -> list[str]:
    """Pad on the right, or on the left if the head reads the last position (XLNet)."""
    wanted = "left" if getattr(config, "summary_type", None) == "last" else "right"
    before, tokenizer.padding_side = tokenizer.padding_side, wanted
    if before != wanted:
        return [f"padded on the {wanted}, where its tokenizer uses the other side"]
    return ["padded on the left: its head reads the last position"] if wanted == "left" else []


def unknown_share(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> float:
    """Measure the share of some texts that the vocabulary cannot represent.

    Args:
        tokenizer: any fast tokenizer.
        texts: a sample of rows.

    Returns:
        The share of unknown pieces among all pieces except special tokens, in [0, 1]. If a
        tokenizer has no unknown piece, the share of characters that no piece covers. 0 for
        byte-level tokenizers, which can represent everything, and for empty texts.
    """
    unknown = _unknown_ids(tokenizer)
    encodings = tokenizer.backend_tokenizer.encode_batch(
        [text for text in texts if text.strip()], add_special_tokens=False
    )
    if not unknown:
        covered = sum(_num_covered(e.offsets) for e in encodings)
        total = sum(len("".join(text.split())) for text in texts)
        return max(0.0, 1.0 - covered / total) if total else 0.0
    ids = Counter(id_ for encoding in encodings for id_ in encoding.ids)
    total = ids.total()
    return sum(ids[id_] for id_ in unknown) / total if total else 0.0


def _unknown_ids(tokenizer: PreTrainedTokenizerFast) -> set[int]:
    model = tokenizer.backend_tokenizer.model
    named = {tokenizer.unk_token, getattr(model, "unk_token", None)} - {None}
    vocabulary = tokenizer.get_vocab()
    ids = {vocabulary[token] for token in named if token in vocabulary}
    of_unigram = getattr(model, "unk_id", None)
    return ids if of_unigram is None else ids | {of_unigram}


def _num_covered(offsets: Sequence[tuple[int, int]]) -> int:
    """The number of characters in pieces; a piece's own leading space may be counted."""
    return len({place for start, stop in offsets for place in range(start, stop)})


def train_tokenizer(
    texts: Callable[[], Iterable[str]], variant: VariantSpec
) -> PreTrainedTokenizerFast:
    """Train an uncased WordPiece tokenizer, BERT's kind, for a variant with fresh weights.

    Args:
        texts: a function that returns the texts of the train split; it is called twice.
        variant: a known architecture with ``init: random``; its vocabulary size is the largest
            that the tokenizer may have.

    Returns:
        The tokenizer; [PAD] is where the architecture wants it. The same texts give the same
        tokenizer.
    """
    known = architecture(variant)
    special = SPECIAL_TOKENS[known.pad_id]
    normalizer = normalizers.BertNormalizer(lowercase=True)
    characters = {c for text in texts() for c in normalizer.normalize_str(text) if not c.isspace()}
    alphabet = sorted(characters)
    trainer = trainers.WordPieceTrainer(
        vocab_size=sizes(variant)["vocab_size"],
        # Continuations too: else their ids follow the random order of a hash map, and as ids decide
        # ties between merges, each process would train another tokenizer.
        special_tokens=[*special, *(f"##{character}" for character in alphabet)],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    trained = _wordpiece(models.WordPiece(unk_token="[UNK]"), normalizer, special)  # noqa: S106
    trained.train_from_iterator(texts(), trainer)
    # Made again from the vocabulary, in which only these five are special.
    model = models.WordPiece(trained.get_vocab(), unk_token="[UNK]")  # noqa: S106
    return PreTrainedTokenizerFast(
        tokenizer_object=_wordpiece(model, normalizer, special),
        model_max_length=known.max_length_tokens,
        pad_token="[PAD]",  # noqa: S106
        unk_token="[UNK]",  # noqa: S106
        cls_token="[CLS]",  # noqa: S106
        sep_token="[SEP]",  # noqa: S106
        mask_token="[MASK]",  # noqa: S106
    )


def _wordpiece(
    model: models.WordPiece, normalizer: normalizers.Normalizer, special: list[str]
) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, special.index(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def load_trained_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load a tokenizer made by ``train_tokenizer`` and written by ``save_pretrained``."""
    return PreTrainedTokenizerFast.from_pretrained(str(folder), trust_remote_code=False)


def check_max_length(
    variant: VariantSpec, tokenizer: PreTrainedTokenizerFast, max_length_tokens: int
) -> None:
    """Refuse rows that are longer than the model has positions for.

    Args:
        variant: the model, for the message.
        tokenizer: its tokenizer, whose ``model_max_length`` is the model's limit.
        max_length_tokens: the requested length.

    Raises:
        ModelError: the model takes fewer tokens.
    """
    if max_length_tokens > tokenizer.model_max_length:
        hint = f"use --max-length {tokenizer.model_max_length}"
        wanted = f"at most {tokenizer.model_max_length} tokens"
        raise refused(variant.model, wanted, str(max_length_tokens), hint)


def encoder_json(tokenizer: PreTrainedTokenizerFast, max_length_tokens: int) -> str:
    """Serialise a tokenizer for Ray Data: truncating, not padding.

    Args:
        tokenizer: any fast tokenizer.
        max_length_tokens: the longest row, with special tokens.

    Returns:
        JSON for ``tokenizers.Tokenizer.from_str``; encodes as
        ``tokenizer(text, truncation=True, max_length=max_length_tokens)`` does.
    """
    encoder = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    encoder.enable_truncation(max_length_tokens, direction=tokenizer.truncation_side)
    encoder.no_padding()
    return str(encoder.to_str())


def quieten() -> None:
    """Keep transformers' load reports and progress bars off the terminal."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
