"""Folders that describe their own content: a hub dataset's card, and what ``datasets`` saved."""

import json
from pathlib import Path
from typing import Any

import yaml

from agnews_ray.errors import DataError
from agnews_ray.record.inside import stays_inside

CARD = "README.md"


def saved_splits(folder: Path) -> dict[str, tuple[Path, ...]] | None:
    """Name the Arrow files of each split that ``save_to_disk`` wrote.

    Args:
        folder: any folder; perhaps a saved ``DatasetDict`` or ``Dataset``.

    Returns:
        Files by split, ``train`` for a single ``Dataset``; None for any other folder.

    Raises:
        DataError: a file of the saved dataset is missing.
    """
    try:
        named = json.loads((folder / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]
    except (OSError, ValueError, KeyError, TypeError):
        alone = saved_files(folder)
        return {"train": alone} if alone else None
    names = [_inside(folder, str(name)) for name in named]
    found = {name: saved_files(folder / name) for name in names}
    for name, files in found.items():
        if not files:
            hint = "copy the folder again"
            raise DataError(str(folder), f"a split {name!r} as saved", "no state.json", hint)
    return {name: files for name, files in found.items() if files}


def saved_files(folder: Path) -> tuple[Path, ...] | None:
    """Name the Arrow files of one saved ``Dataset``, in order; None for any other folder."""
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        names = [str(one["filename"]) for one in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    files = tuple(folder / _inside(folder, name) for name in names)
    missing = next((path for path in files if not path.is_file()), None)
    if missing is not None:
        raise DataError(str(folder), f"{missing.name} as saved", "none", "copy the folder again")
    return files or None


def card_splits(
    folder: Path, wanted: str | None
) -> tuple[dict[str, tuple[Path, ...]] | None, tuple[str, ...] | None]:
    """Read a clone's card: which files are which split, and the classes' names.

    Args:
        folder: any folder; perhaps a clone of a hub dataset.
        wanted: the requested configuration.

    Returns:
        Files by split (None if the card names no files that exist), and class names in label
        order (None if the card has none).

    Raises:
        DataError: several configurations and none requested, or none with the requested name.
    """
    card = _front_matter(folder / CARD)
    configs = [c for c in _listed(card.get("configs")) if isinstance(c, dict)]
    chosen = _choose(folder, configs, wanted)
    name = chosen.get("config_name") if chosen else wanted
    names = _class_names(card, name)
    if chosen is None:
        return None, names
    base = folder / _inside(folder, str(chosen.get("data_dir") or ""))
    found = {split: _matching(base, paths) for split, paths in _patterns(chosen).items()}
    present = {split: files for split, files in found.items() if files}
    is_named = bool(present) and "" not in present  # otherwise the file names say the splits
    return (present if is_named else None), names


def default_of_several(folder: Path) -> str | None:
    """Name the configuration that a card makes the default of several."""
    configs = [
        c for c in _listed(_front_matter(folder / CARD).get("configs")) if isinstance(c, dict)
    ]
    chosen = _choose(folder, configs, None) if len(configs) > 1 else None
    return str(chosen.get("config_name")) if chosen else None


def _front_matter(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        parts = text.split("---", 2)
        content = yaml.safe_load(parts[1]) if text.startswith("---") and len(parts) == 3 else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _choose(
    folder: Path, configs: list[dict[str, Any]], wanted: str | None
) -> dict[str, Any] | None:
    names = [str(config.get("config_name", "default")) for config in configs]
    if wanted is not None:
        if not configs:
            return None
        if wanted not in names:
            hint = f"choose one of them with --config {names[0]}"
            found = ", ".join(names[:12])
            raise DataError(str(folder), f"a configuration {wanted!r}", found, hint)
        return configs[names.index(wanted)]
    default = [c for c in configs if c.get("default") is True]
    default = default or [c for c in configs if c.get("config_name") == "default"]
    if len(configs) > 1 and len(default) == 1:
        return default[0]
    if len(configs) > 1:
        hint = f"choose one with --config {names[0]}"
        raise DataError(str(folder), "one configuration", ", ".join(names[:12]), hint)
    return configs[0] if configs else None


def _patterns(config: dict[str, Any]) -> dict[str, list[str]]:
    """Return each split's patterns; a card may have one, a list, or a list of splits."""
    files = config.get("data_files")
    if isinstance(files, dict):
        return {str(split): [str(p) for p in _listed(paths)] for split, paths in files.items()}
    listed = _listed(files)
    if listed and all(isinstance(one, dict) for one in listed):
        return {str(o.get("split")): [str(p) for p in _listed(o.get("path"))] for o in listed}
    return {"": [str(path) for path in listed]} if listed else {}


def _matching(base: Path, patterns: list[str]) -> tuple[Path, ...]:
    for pattern in patterns:
        if ".." in pattern.split("/"):
            _inside(base, pattern)
        if (
            not set("*?[") & set(pattern)
            and "://" not in pattern
            and not (base / pattern).is_file()
        ):
            hint = "fetch it, or correct the card (README.md)"
            raise DataError(str(base), f"{pattern}, which the card names", "no such file", hint)
    try:
        found = {path for pattern in patterns for path in base.glob(pattern) if path.is_file()}
    except (ValueError, NotImplementedError):  # an address or an absolute path
        return ()
    return tuple(sorted(found))


def _inside(folder: Path, name: str) -> str:
    """Return a name that a folder's own description gives, unless it leaves the folder."""
    if not stays_inside(name):
        hint = "correct the folder's README.md, dataset_dict.json or state.json"
        raise DataError(str(folder), "files inside the folder", f"{name[:80]!r}", hint)
    return name


def _class_names(card: dict[str, Any], config: str | None) -> tuple[str, ...] | None:
    """Read ``class_label: names`` of the one feature that has them."""
    infos = [i for i in _listed(card.get("dataset_info")) if isinstance(i, dict)]
    if len(infos) > 1:
        infos = [info for info in infos if info.get("config_name") == config]
    features = [f for info in infos for f in _listed(info.get("features")) if isinstance(f, dict)]
    kinds = [f["dtype"] for f in features if isinstance(f.get("dtype"), dict)]
    named = [kind["class_label"] for kind in kinds if isinstance(kind.get("class_label"), dict)]
    names = named[0].get("names") if len(named) == 1 else None
    if isinstance(names, dict):
        numbers = {str(key): name for key, name in names.items() if str(key).isdecimal()}
        is_numbered = len(numbers) == len(names)
        names = [numbers[key] for key in sorted(numbers, key=int)] if is_numbered else None
    return tuple(str(name) for name in names) if isinstance(names, list) and names else None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
