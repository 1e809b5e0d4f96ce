"""The head of a pretrained classifier: found, made fresh, or kept and matched to the classes.

The head is every parameter outside the base model. BERT's pooler is in the base; RoBERTa's
``classifier.dense`` and DistilBERT's ``pre_classifier`` are not.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from agnews_ray.compat.of_transformers import initialise_again
from agnews_ray.model.messages import clipped, refused

Order = Sequence[int]
"""The row of the kept head that belongs to each class, in class order."""


@dataclass(frozen=True, slots=True)
class LoadedKeys:
    """Which of a model's parameters its weight files have."""

    missing: frozenset[str]
    """The parameters that the files lack; they are fresh."""
    mismatched: Mapping[str, tuple[Any, Any]]
    """The parameters with another shape in the files, with both shapes; they are fresh too."""

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> "LoadedKeys":
        """Make it from the result of ``output_loading_info``."""
        mismatched = {key: tuple(shapes) for key, *shapes in info["mismatched_keys"]}
        return cls(frozenset(info["missing_keys"]), mismatched)


def check_body(model_name: str, model: Any, loaded: LoadedKeys) -> list[str]:
    """Refuse weights that do not fit the config, as the rest would silently be random.

    A pooler may be missing, as in models saved without one.

    Args:
        model_name: the name that the user wrote.
        model: the loaded model.
        loaded: the parameters that were found.

    Returns:
        Notes for the user.

    Raises:
        ModelError: parameters of the base model are missing or of another shape.
    """
    base = _base_keys(model)
    hint = "pass a folder whose config.json and weights belong together"
    for key, shapes in loaded.mismatched.items():
        if key in base:
            there, wanted = (tuple(shape) for shape in shapes)
            raise refused(model_name, f"{wanted} in {key}, as config.json says", f"{there}", hint)
    missing = sorted(loaded.missing & base)
    poolers = [key for key in missing if "pooler" in key]
    others = [key for key in missing if key not in poolers]
    if others:
        found = f"{len(others)} of {len(base)} missing, as {others[0]}"
        raise refused(model_name, "weights for all of its config", found, hint)
    return ["its weights lack the pooler, which gets fresh weights"] if poolers else []


def refresh(model: Any, loaded: LoadedKeys, seed: int) -> list[str]:
    """Draw a new head if the files held one.

    Args:
        model: the loaded model; changed in place.
        loaded: the parameters that were found.
        seed: the seed; it gives the same head as for a folder without one.

    Returns:
        Notes for the user.
    """
    out, _ = _output(model)
    if f"{out}.weight" in loaded.missing:
        return []  # the files held only the encoder, so the head is already fresh
    draw(model, seed, loaded.missing)
    return ["the folder's own classification head is not used; this one is fresh"]


def draw(model: Any, seed: int, others: frozenset[str] = frozenset()) -> None:
    """Draw a classification head's weights.

    Args:
        model: any classifier; changed in place.
        seed: the seed; it gives the same head as for a folder without one.
        others: the parameters to draw beside the head's.
    """
    torch.manual_seed(seed)
    initialise_again(model, _head_keys(model) | others)


def kept_order(model_name: str, config: Any, class_names: tuple[str, ...]) -> Order:
    """Match the rows of a head to keep with the classes, by name.

    Args:
        model_name: the name that the user wrote.
        config: the folder's own config, with its labels.
        class_names: the class names of the data, in label order.

    Returns:
        The row in the head of each class.

    Raises:
        ModelError: a class has no row, or a row has no class; the message names both.
    """
    rows = {_normal(name): int(row) for row, name in config.id2label.items()}
    wanted = [_normal(name) for name in class_names]
    without_row = [n for n, key in zip(class_names, wanted, strict=True) if key not in rows]
    without_class = [str(n) for n in config.id2label.values() if _normal(n) not in wanted]
    if without_row or without_class or len(rows) != len(class_names):
        is_unnamed = all(re.fullmatch(r"LABEL_\d+", str(n)) for n in config.id2label.values())
        hint = (
            "write the names into id2label in config.json" if is_unnamed else "leave keep_head out"
        )
        classes = clipped(", ".join(without_row or class_names), 60)
        names = clipped(", ".join(without_class or map(str, config.id2label.values())), 60)
        found = f"{len(config.id2label)} ({names})"
        raise refused(model_name, f"a head for the {len(class_names)} classes ({classes})",
                      found, hint)  # fmt: skip
    return [rows[key] for key in wanted]


def keep(model_name: str, model: Any, loaded: LoadedKeys, order: Order) -> list[str]:
    """Put the rows of a kept head into the classes' order.

    Args:
        model_name: the name that the user wrote.
        model: the loaded model with its head; changed in place.
        loaded: the parameters that were found.
        order: the row of each class.

    Returns:
        Notes for the user.

    Raises:
        ModelError: the files hold no head, or only a part of one.
    """
    name, out = _output(model)
    absent = sorted((loaded.missing | loaded.mismatched.keys()) & _head_keys(model))
    if absent:
        hint = "leave keep_head out for a fresh one"
        raise refused(model_name, "a classification head to keep", f"no {absent[0]}", hint)
    with torch.no_grad():
        for parameter in out.parameters():
            parameter.copy_(parameter[list(order)].clone())
    moved = "" if list(order) == sorted(order) else ", put into another order"
    return [f"the folder's own head {name} is kept, its rows matched by class name{moved}"]


def _base_keys(model: Any) -> set[str]:
    start = "" if model.base_model is model else f"{model.base_model_prefix}."
    return {name for name, _ in model.named_parameters() if name.startswith(start)}


def _head_keys(model: Any) -> set[str]:
    return {name for name, _ in model.named_parameters()} - _base_keys(model)


def _output(model: Any) -> tuple[str, Any]:
    """The last layer, which has one row for each class."""
    start = f"{model.base_model_prefix}."
    found = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and not name.startswith(start)
        and module.out_features == model.config.num_labels
    ]
    return found[-1]


def _normal(name: object) -> str:
    return unicodedata.normalize("NFC", str(name))
