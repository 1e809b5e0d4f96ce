"""What a model folder must hold, checked from its small files and its weights' headers.

Only JSON and first bytes are read, without torch or transformers, so a dry run is fast.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agnews_ray.errors import ModelError
from agnews_ray.model.headers import check_weights, read_json, refuse_pointer
from agnews_ray.model.layouts import CONFIG, MERGE, explain_no_config
from agnews_ray.model.messages import refused
from agnews_ray.record.inside import leads_out

VOCABULARIES = (
    "tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "spm.model", "tokenizer.model",
    "sentencepiece.bpe.model", "sentencepiece.model", "source.spm", "tekken.json",
)  # fmt: skip
"""Files that hold a tokenizer's entries, besides ``*.tiktoken``."""

TOKENIZER_JSON = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json",
)  # fmt: skip

NOT_TEXT = (
    "image_size", "patch_size", "vision_config", "audio_config", "num_mel_bins", "conv_kernel",
    "num_channels", "backbone_config",
)  # fmt: skip
"""Config keys of models for pictures and sound."""


SLOW_ONLY = ("canine", "perceiver")
"""Models whose tokenizers have no file."""


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be loaded as a text classifier, without loading it.

    Args:
        folder: an existing folder.

    Raises:
        ModelError: one line says what is wrong and what to do.
    """
    try:
        _check_links(folder)
        if not (folder / CONFIG).is_file():
            raise explain_no_config(folder)
        config = read_json(folder, folder / CONFIG)
        _check_config(folder, config)
        check_weights(folder)
        _check_tokenizer(folder, config)
    except OSError as error:
        hint = "check the folder's permissions"
        raise refused(str(folder), "a readable folder", str(error), hint) from error


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder has any file that could hold a tokenizer's entries."""
    return any((folder / name).is_file() for name in VOCABULARIES) or any(folder.glob("*.tiktoken"))


def _check_links(folder: Path) -> None:
    """Refuse links out of a folder: a stranger's may bring private files into an artifact.

    The hub's cache is made of links: ``snapshots/<commit>/*`` lead to ``blobs`` beside it.
    """
    place = folder.resolve()
    home = place.parent.parent if place.parent.name == "snapshots" else place
    for file in sorted(folder.iterdir()):
        if file.is_symlink() and file.exists() and leads_out(file, home):
            hint = f"replace {file.name} by the file itself, or pass the folder that holds it"
            found = f"{file.name}, a link to {file.readlink()}"
            raise refused(str(folder), "files of the folder's own", found, hint)


def _check_config(folder: Path, config: Mapping[str, Any]) -> None:
    if (folder / "adapter_config.json").is_file():
        hint = f"{MERGE}; if it is merged, delete adapter_config.json"
        raise refused(str(folder), "a whole model", "an adapter (PEFT) in it", hint)
    if not isinstance(config.get("model_type"), str):
        found = "an empty one" if not config else "none"
        hint = 'add it, as "model_type": "bert", or save the model again with save_pretrained'
        raise refused(str(folder), f'a "model_type" in {CONFIG}', found, hint)
    quantised = config.get("quantization_config")
    if quantised:
        method = quantised.get("quant_method", "") if isinstance(quantised, dict) else ""
        hint = "pass the model that it was made from, or dequantize() and save_pretrained"
        raise refused(
            str(folder), "weights in full precision", f"quantised ones {method}".strip(), hint
        )


def _check_tokenizer(folder: Path, config: Mapping[str, Any]) -> None:
    for name in TOKENIZER_JSON:
        if (folder / name).is_file():
            read_json(folder, folder / name)
    for name in (*VOCABULARIES, "merges.txt", "bpe.codes"):
        if (folder / name).is_file():
            _check_content(folder, folder / name)
    is_incomplete = (folder / "vocab.json").is_file() and not (folder / "merges.txt").is_file()
    if is_incomplete and not (folder / "tokenizer.json").is_file():
        hint = "copy merges.txt from the model that it was made from"
        raise refused(str(folder), "tokenizer.json, or vocab.json and merges.txt",
                      "vocab.json alone", hint)  # fmt: skip
    if not has_tokenizer(folder):
        raise _without_tokenizer(folder, config)


def _without_tokenizer(folder: Path, config: Mapping[str, Any]) -> ModelError:
    model_type = config["model_type"]
    if model_type in SLOW_ONLY:
        hint = "choose a model that ships a tokenizer.json"
        found = f"a slow one: that of {model_type!r} reads characters or bytes, in Python"
        return refused(str(folder), "a fast tokenizer", found, hint)
    if any(name in config for name in NOT_TEXT):
        found = f"model_type {model_type!r}, of pictures or sound"
        return refused(str(folder), "a model of text", found, "pass a text encoder")
    hint = "copy them from the model it was made from, or AutoTokenizer's save_pretrained there"
    wanted = "a tokenizer (tokenizer.json or its vocabulary)"
    return refused(str(folder), wanted, "no such file", hint)


def _check_content(folder: Path, file: Path) -> None:
    with file.open("rb") as content:
        start = content.read(200)
    refuse_pointer(folder, file, start)
    if not start.strip():
        hint = f"download {file.name} again"
        raise refused(str(folder), f"the content of {file.name}", "an empty file", hint)
