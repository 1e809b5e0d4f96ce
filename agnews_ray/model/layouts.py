"""Folders that do not hold a model themselves: what they are, and where the model is."""

import re
from collections.abc import Callable
from pathlib import Path

from agnews_ray.errors import ModelError
from agnews_ray.model.headers import OTHER_WEIGHTS
from agnews_ray.model.messages import refused

CONFIG = "config.json"

MERGE = "merge it first: merge_and_unload().save_pretrained(FOLDER), and pass that folder"


def explain_no_config(folder: Path) -> ModelError:
    """Explain what a folder without config.json is.

    Args:
        folder: an existing folder.

    Returns:
        An error that names the folder to pass, if there is one.
    """
    rules: tuple[Callable[[Path], tuple[str, str] | None], ...] = (
        _adapter, _checkpoints, _cache, _sentence_transformer, _another_format, _one_below,
    )  # fmt: skip
    for rule in rules:
        answer = rule(folder)
        if answer:
            return refused(str(folder), f"a {CONFIG} in it", *answer)
    found = "none" if any(folder.iterdir()) else "an empty folder"
    hint = "pass a folder written by save_pretrained"
    return refused(str(folder), f"a {CONFIG} in it", found, hint)


def explain_file(file: Path) -> ModelError:
    """Explain what to do with a file that was given as a model.

    Args:
        file: an existing file.

    Returns:
        An error that names the file's folder, if that holds a model.
    """
    hint = "pass a folder written by save_pretrained"
    if (file.parent / CONFIG).is_file():
        hint = "pass the folder that it lies in"
    if file.suffix == ".gguf":
        hint = "pass the model's original folder, with model.safetensors"
    if file.suffix in (".zip", ".gz", ".tar", ".tgz", ".zst"):
        hint = "unpack it and pass the folder"
    return refused(str(file), "a folder", "a file", hint)


def _adapter(folder: Path) -> tuple[str, str] | None:
    if (folder / "adapter_config.json").is_file():
        return "an adapter (PEFT), without its model", MERGE
    return None


def _checkpoints(folder: Path) -> tuple[str, str] | None:
    """The error for a folder of a Trainer's checkpoints; the newest has the highest step."""
    numbered = [
        (int(match[1]), path)
        for path in folder.glob("checkpoint-*")
        if (match := re.fullmatch(r"checkpoint-(\d+)", path.name)) and path.is_dir()
    ]
    whole = [(step, path) for step, path in numbered if (path / CONFIG).is_file()]
    if not numbered:
        return None
    found = f"{len(numbered)} checkpoint(s) of a Trainer"
    if not whole:
        return f"{found}, none with a {CONFIG}", "save the model with save_pretrained"
    return found, f"pass the newest one, its {max(whole)[1].name}"


def _cache(folder: Path) -> tuple[str, str] | None:
    """The error for ``models--owner--name/snapshots/<commit>``, huggingface_hub's layout."""
    at = next((p for p in (folder / "snapshots", folder) if _has_commits(p)), None)
    if at is None:
        return None
    whole = [path for path in at.iterdir() if (path / CONFIG).is_file()]
    if not whole:
        return "the hub's cache, with nothing whole in it", "download the model again"
    main = folder / "refs" / "main"
    commit = main.read_text(encoding="utf-8").strip() if main.is_file() else ""
    newest = max(whole, key=lambda path: (path.name == commit, path.stat().st_mtime))
    return "the hub's cache of a model", f"pass its {newest.relative_to(folder)}"


def _has_commits(folder: Path) -> bool:
    return folder.is_dir() and any(
        re.fullmatch(r"[0-9a-f]{40}", path.name) for path in folder.iterdir()
    )


def _sentence_transformer(folder: Path) -> tuple[str, str] | None:
    for path in sorted(folder.glob("*_Transformer")):
        if (path / CONFIG).is_file():
            return "a sentence-transformers model of the old layout", f"pass its {path.name}"
    return None


def _another_format(folder: Path) -> tuple[str, str] | None:
    if any(folder.glob("bert_config.json")):
        return "a TensorFlow checkpoint", "convert it with an older transformers, and save it"
    for pattern, name, hint in OTHER_WEIGHTS:
        if any(folder.glob(pattern)):
            return name, hint
    return None


def _one_below(folder: Path) -> tuple[str, str] | None:
    """The error for a model one folder below, as in an unpacked archive or a trial's folder."""
    below = sorted(path.parent for path in folder.glob(f"*/{CONFIG}"))
    if not below:
        return None
    if len(below) == 1:
        return f"one in its {below[0].name}", f"pass {below[0].name} inside it"
    return f"{len(below)} models below it", f"pass one of them, as its {below[0].name}"
