"""A training's state as safetensors files, one for each rank, and back.

A file holds any tree of dictionaries, lists, tensors, arrays, numbers and texts: its tensors by
number, and the tree, in which their numbers stand for them, as JSON in the file's header. Nothing
is unpickled.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import safetensors.torch
import torch
from safetensors import safe_open

from agnews_ray.engine.state import TrainingState, merge_parts
from agnews_ray.errors import StoreError

TENSOR, ARRAY = "$tensor", "$array"
"""The keys that stand for a tensor, and for an array, in the tree."""


class Saved(TypedDict):
    """The content of all files of one checkpoint."""

    state: TrainingState
    callbacks: dict[str, Any]
    """The states of the callbacks of rank 0, by class name."""


def write_part(path: Path, state: TrainingState, callbacks: Mapping[str, Any]) -> None:
    """Write one rank's part of a state.

    Args:
        path: the file, which does not exist.
        state: the rank's part, from ``take_state``.
        callbacks: the states of its callbacks by class name; empty but on rank 0.
    """
    tensors: dict[str, torch.Tensor] = {}
    tree = _without_tensors({"state": state, "callbacks": callbacks}, tensors)
    seen: set[int] = set()
    for name, tensor in tensors.items():
        if (
            tensor.untyped_storage().data_ptr() in seen and tensor.numel()
        ):  # safetensors refuses shared memory
            tensors[name] = tensor.clone()
        seen.add(tensor.untyped_storage().data_ptr())
    safetensors.torch.save_file(tensors, str(path), {"tree": json.dumps(tree)})


def read_parts(paths: Sequence[Path]) -> Saved:
    """Read the parts of all ranks that wrote; any number of ranks may read them.

    Args:
        paths: the files, in the order of the ranks.

    Returns:
        The whole state, and the states of the callbacks.

    Raises:
        StoreError: a file is not one of these, although its checksum was right.
    """
    parts = [_read(path) for path in paths]
    try:
        return Saved(
            state=merge_parts([part["state"] for part in parts]), callbacks=parts[0]["callbacks"]
        )
    except (KeyError, TypeError) as error:
        found, hint = f"no {error}", "delete this checkpoint, and submit again"
        raise StoreError(str(paths[0]), "a state of a training", found, hint) from error


def _read(path: Path) -> Any:
    try:
        with safe_open(str(path), framework="pt") as file:
            tree = json.loads(file.metadata()["tree"])
            return _with_tensors(tree, file)
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        found = " ".join(str(error).split())[:100]
        hint = "delete this checkpoint, and submit again"
        raise StoreError(str(path), "a part of a checkpoint", found, hint) from error


def _without_tensors(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """Move all tensors and arrays of a tree to a dictionary, and leave their numbers in it."""
    if isinstance(value, Mapping):
        return {str(name): _without_tensors(one, tensors) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_tensors(one, tensors) for one in value]
    if not isinstance(value, torch.Tensor | np.ndarray):
        return value
    number = str(len(tensors))
    if isinstance(value, np.ndarray):
        tensors[number] = torch.from_numpy(value)
        return {ARRAY: number}
    tensors[number] = value.contiguous()
    return {TENSOR: number}


def _with_tensors(value: Any, file: Any) -> Any:
    if isinstance(value, list):
        return [_with_tensors(one, file) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {TENSOR}:
        return file.get_tensor(value[TENSOR])
    if value.keys() == {ARRAY}:
        return file.get_tensor(value[ARRAY]).numpy()
    return {name: _with_tensors(one, file) for name, one in value.items()}
