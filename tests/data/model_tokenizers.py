"""Folders whose tokenizer is no tokenizer.json, or names no padding."""

import json
from pathlib import Path

from tests.data.model_families import FAMILIES, byte_pairs, wordpiece


def _without_tokenizer(folder: Path, family: str, **settings: object) -> None:
    FAMILIES[family].save(folder)
    for file in folder.glob("token*"):
        file.unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def sentencepiece_only(folder: Path) -> None:
    """The files of microsoft/deberta-v3-small on the hub."""
    _without_tokenizer(folder, "deberta-v2", vocab_type="spm")
    (folder / "spm.model").write_bytes(b"\x0a\x0e\x0a\x05<unk>\x15\x00\x00\x00\x00\x18\x02")


def phobert(folder: Path) -> None:
    """A BPE in Python, like BERTweet's."""
    _without_tokenizer(folder, "roberta", tokenizer_class="PhobertTokenizer")
    vocab, merges = byte_pairs("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    (folder / "vocab.txt").write_text("".join(f"{piece} 1\n" for piece in list(vocab)[5:]))
    (folder / "bpe.codes").write_text("".join(f"{a} {b} 1\n" for a, b in merges))


def xlm(folder: Path) -> None:
    """A BPE in Python that needs a library of its own."""
    _without_tokenizer(folder, "xlm", tokenizer_class="XLMTokenizer")
    vocab, merges = byte_pairs("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_text("".join(f"{a} {b} 1\n" for a, b in merges))


def japanese(folder: Path) -> None:
    """Words by MeCab, through a library of its own."""
    _without_tokenizer(
        folder, "bert", tokenizer_class="BertJapaneseTokenizer", word_tokenizer_type="mecab"
    )
    pieces = wordpiece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    (folder / "vocab.txt").write_text("\n".join(pieces))


def without_padding(folder: Path) -> None:
    """An encoder whose tokenizer and config name no padding."""
    _without(folder, "pad_token")


def without_padding_and_end(folder: Path) -> None:
    """Nor a token that could stand for it."""
    _without(folder, "pad_token", "sep_token", "eos_token")


def _without(folder: Path, *tokens: str) -> None:
    FAMILIES["bert"].save(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings |= {"tokenizer_class": "PreTrainedTokenizerFast", **dict.fromkeys(tokens)}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"pad_token_id": None}))
