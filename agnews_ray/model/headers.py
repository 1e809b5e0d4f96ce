"""Weight files, checked by their first bytes: complete, and in a format that is loaded."""

import json
from pathlib import Path
from typing import Any

from agnews_ray.errors import ModelError
from agnews_ray.model.messages import refused

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
"""The names that transformers looks for, in this order."""

POINTER = b"version https://git-lfs"
"""The start of a file that Git LFS has not fetched."""

OTHER_WEIGHTS = (
    ("*.gguf", "GGUF weights", "pass the model's original folder, with model.safetensors"),
    ("*.onnx", "ONNX weights", "pass the folder that it was exported from"),
    ("onnx/*.onnx", "ONNX weights", "pass the folder that it was exported from"),
    ("tf_model.h5", "TensorFlow weights", "load them with an older transformers, from_tf=True, "
     "and save_pretrained"),
    ("saved_model.pb", "TensorFlow weights", "load them with an older transformers, from_tf=True, "
     "and save_pretrained"),
    ("*.ckpt*", "a TensorFlow checkpoint", "load it with an older transformers, from_tf=True, "
     "and save_pretrained"),
    ("flax_model.msgpack", "Flax weights", "load them with an older transformers, from_flax=True, "
     "and save_pretrained"),
    ("consolidated*.pth", "Meta's own format", "convert it with transformers' script for it"),
)  # fmt: skip
"""Weights in formats that are not loaded: file pattern, name of the format, what to do."""

PICKLED = ("pytorch_model*.bin", "*.bin", "*.pt", "*.pth")

NOT_WEIGHTS = (
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pt",
    "optimizer.bin",
    "rng_state.pth",
)
"""Files that a Trainer writes beside a model."""

CONVERT = (
    "convert it once: python -c \"from transformers import AutoModel as A; m = 'FOLDER'; "
    'A.from_pretrained(m).save_pretrained(m)"'
)


def check_weights(folder: Path) -> None:
    """Refuse weights that are missing, cut short, or not in safetensors.

    A safetensors file starts with the length of its header (8 bytes) and the header, which is JSON
    with each tensor's position; these give the file's length.
    (https://huggingface.co/docs/safetensors/index#format)

    Args:
        folder: a folder with a config.json.

    Raises:
        ModelError: names the file, and says what to do.
    """
    single, index = folder / WEIGHTS, folder / INDEX
    if _is_there(folder, single):
        _check_file(folder, single)
    elif _is_there(folder, index):
        for shard in _shards(folder, index):
            if not _is_there(folder, shard):
                hint = "download the model again, or copy the missing file"
                found = f"no {shard.name}, which {INDEX} names"
                raise refused(str(folder), "all shards of the weights", found, hint)
            _check_file(folder, shard)
    else:
        raise _without_safetensors(folder)


def read_json(folder: Path, file: Path) -> dict[str, Any]:
    """Read a JSON object of a model folder.

    Args:
        folder: the model folder, for the message.
        file: the file inside it.

    Returns:
        Its content.

    Raises:
        ModelError: the file is a Git LFS pointer, not JSON, or not an object.
    """
    content = file.read_bytes()
    refuse_pointer(folder, file, content)
    try:
        found = json.loads(content)
    except ValueError as error:
        reason = "an empty file" if not content.strip() else f"{type(error).__name__}: {error}"
        hint = f"download {file.name} again, or save the model again with save_pretrained"
        raise refused(str(folder), f"JSON in {file.name}", reason, hint) from error
    if not isinstance(found, dict):
        hint = "save the model again with save_pretrained"
        what = f"a JSON {type(found).__name__}"
        raise refused(str(folder), f"a JSON object in {file.name}", what, hint)
    return found


def refuse_pointer(folder: Path, file: Path, content: bytes) -> None:
    """Refuse a pointer that Git LFS wrote in place of a file.

    Raises:
        ModelError: the content is a pointer.
    """
    if content.startswith(POINTER):
        hint = "run `git lfs pull` in that folder, or download the file"
        found = f"a Git LFS pointer of {len(content)} bytes"
        raise refused(str(folder), f"the content of {file.name}", found, hint)


def _is_there(folder: Path, file: Path) -> bool:
    if file.is_symlink() and not file.exists():
        hint = "copy the file itself, or download the model again"
        found = f"a link to {file.readlink()}, which does not exist"
        raise refused(str(folder), f"the content of {file.name}", found, hint)
    return file.is_file()


def _shards(folder: Path, index: Path) -> list[Path]:
    names = read_json(folder, index).get("weight_map")
    if not isinstance(names, dict) or not names:
        hint = "save the model again with save_pretrained"
        raise refused(str(folder), f"a weight_map in {INDEX}", "none", hint)
    shards = sorted({str(name) for name in names.values()})
    outside = next((name for name in shards if Path(name).name != name), None)
    if outside is not None:
        hint = "do not use it: save_pretrained never writes such an index"
        raise refused(str(folder), f"names of files in {INDEX}", f"{outside!r}, a path", hint)
    return [folder / name for name in shards]


def _check_file(folder: Path, file: Path) -> None:
    size = file.stat().st_size
    again = "download the file again, or save the model again with save_pretrained"
    with file.open("rb") as content:
        start = content.read(200)
        refuse_pointer(folder, file, start)
        length = int.from_bytes(start[:8], "little")
        if size < 10 or start[8:9] != b"{" or length > 100_000_000:
            found = f"{_kind(start)} of {size:,} bytes"
            raise refused(str(folder), f"safetensors weights in {file.name}", found, again)
        content.seek(8)
        header = content.read(length)
    if len(header) < length:
        found = f"{size:,} bytes, less than its header of {length:,}"
        raise refused(str(folder), f"the whole of {file.name}", found, again)
    ends = _ends(header)
    if not ends:
        raise refused(str(folder), f"tensors in {file.name}", "a header that names none", again)
    whole = 8 + length + max(ends)
    if size != whole:
        found = f"{size:,}: {'cut short' if size < whole else 'more than it names'}"
        raise refused(str(folder), f"{whole:,} bytes in {file.name}", found, again)


def _ends(header: bytes) -> list[int]:
    """Where each tensor ends, in bytes from the header's end; empty if the header is unreadable."""
    try:
        entries = json.loads(header)
        return [int(entries[name]["data_offsets"][1]) for name in entries if name != "__metadata__"]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return []


def _kind(start: bytes) -> str:
    if not start.strip(b"\0 \n"):
        return "an empty file"
    if start.startswith((b"PK", b"\x80")):
        return "pickled weights under another name"
    if start.lstrip().startswith(b"<"):
        return "a web page"
    return "another kind of file"


def _without_safetensors(folder: Path) -> ModelError:
    wanted = "safetensors weights"
    others = sorted(folder.glob("*.safetensors"))
    if others and "-of-" in others[0].name:
        hint = f"download {INDEX} as well, or save the model again with save_pretrained"
        found = f"{others[0].name} without it"
        return refused(str(folder), f"an index of the shards, {INDEX}", found, hint)
    if others:
        hint = f"rename it to {WEIGHTS} if it is the model, or save it with save_pretrained"
        return refused(str(folder), f"weights named {WEIGHTS}", others[0].name, hint)
    for pattern in PICKLED:
        pickled = sorted(p for p in folder.glob(pattern) if p.name not in NOT_WEIGHTS)
        if pickled:
            found = f"only {pickled[0].name}; pickled weights are not loaded"
            return refused(str(folder), wanted, found, CONVERT)
    for pattern, name, hint in OTHER_WEIGHTS:
        if any(folder.glob(pattern)):
            return refused(str(folder), wanted, f"only {name}", hint)
    return refused(str(folder), wanted, "none", "save the model there with save_pretrained")
