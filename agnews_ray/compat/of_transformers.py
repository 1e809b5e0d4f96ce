"""The parts of transformers that are used but not public."""

from collections.abc import Container
from typing import Any


def initialise_again(model: Any, fresh: Container[str]) -> None:
    """Draw weights as transformers does for missing ones; it skips parameters that are marked.

    Args:
        model: a transformers model.
        fresh: the names of the parameters and buffers to draw; the others stay.
    """
    for module in model.modules():
        module._is_hf_initialized = False
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        tensor._is_hf_initialized = name not in fresh
    model.initialize_weights()


def on_one_gpu(arguments: Any) -> None:
    """Stop the Trainer from dividing a batch over all visible GPUs; it has no argument for this."""
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1


def with_plain_attention(model: Any) -> Any:
    """Return the same model with new weights and attention of countable operations.

    ``from_config`` of the Auto classes does it by name, but a user's model may be in no list.
    """
    return type(model)._from_config(model.config, attn_implementation="eager")
