"""What is used of transformers that is not public."""

from collections.abc import Container
from typing import Any


def initialise_again(model: Any, fresh: Container[str]) -> None:
    """Draw weights as transformers does for what it found missing: it leaves alone what is marked.

    Args:
        model: of transformers.
        fresh: names of parameters and buffers to be drawn; the others stay.
    """
    for module in model.modules():
        module._is_hf_initialized = False
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        tensor._is_hf_initialized = name not in fresh
    model.initialize_weights()


def on_one_gpu(arguments: Any) -> None:
    """Keep the Trainer from spreading a batch over all GPUs that it sees; no argument does."""
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1


def with_plain_attention(model: Any) -> Any:
    """The same model with new weights, whose attention is made of countable operations.

    ``from_config`` of the Auto classes does it by name; a model of the user's may be in no list.
    """
    return type(model)._from_config(model.config, attn_implementation="eager")
