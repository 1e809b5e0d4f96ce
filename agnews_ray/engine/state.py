"""All that training changes, by the names of parameters: to go on later, elsewhere, otherwise.

A state depends neither on the number of workers nor on how parameters are laid out, fused or
updated. It holds nothing but tensors, numbers, texts, lists and dictionaries, so that
``torch.load(..., weights_only=True)`` reads it. Taking it changes nothing in the run that goes on.
"""

from collections.abc import Callable
from typing import Any, TypedDict

import torch
import torch.distributed as dist

from agnews_ray.engine.fused.embeddings import WordEmbeddings
from agnews_ray.engine.fused.model import FusedModel
from agnews_ray.engine.optimizer import Optimizer
from agnews_ray.engine.results import Rank, TrainLog
from agnews_ray.errors import TrialError
from agnews_ray.spec.recipe import RecipeSpec

Tensors = dict[str, torch.Tensor]


class TrainingState(TypedDict):
    """Where a training stands; tensors lie on the CPU."""

    num_steps: int
    """Of the whole training, for the schedule."""
    num_done: int
    """Steps made: the place in the data."""
    num_epochs: int
    """Epochs of which callbacks were told that they are done."""
    weights: Tensors
    """By parameter: values; those of lazily updated words as far as each word was updated."""
    means: Tensors
    """By parameter: AdamW's first moments, likewise."""
    squares: Tensors
    """By parameter: AdamW's second moments, likewise."""
    scalars: Tensors
    """Of the optimiser: updates made, loss scale, good updates since it last changed."""
    words: dict[str, Any]
    """What brings lazily updated words up to date, and their parameter's name; {}: they all are."""
    random: list[Tensors]
    """Of each rank: the states of its generators, ``cpu`` and perhaps ``cuda``."""
    log: dict[str, Any]
    """``TrainLog`` of the steps made, over all ranks; arrays as tensors."""


SaveState = Callable[[TrainingState | None], None]
"""Called on every rank at once; rank 0 gets the state, the others None."""


def take_state(
    fused: FusedModel, optimizer: Optimizer, rank: Rank, log: TrainLog, num_epochs: int
) -> TrainingState | None:
    """Copy the state of a training between two steps; each rank makes the same call.

    Args:
        fused: the model as it is trained.
        optimizer: its.
        rank: this one.
        log: of the steps made.
        num_epochs: that callbacks were told of.

    Returns:
        The state on rank 0, None elsewhere.
    """
    whole = [fused.by_name(values) for values in (fused.values(), *optimizer.moments())]
    words: dict[str, Any] = {}
    if fused.embeddings is not None:
        name = fused.name_of(fused.embeddings.embedding.weight)
        words = {"name": name, **fused.embeddings.state_dict()}
        for tensors, held in zip(whole, fused.embeddings.held, strict=True):
            tensors[name] = held
    random = _of_all_ranks(_random_state(rank), rank)
    if rank.index != 0:
        return None
    weights, means, squares = (
        {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
        for tensors in whole
    )
    return TrainingState(
        num_steps=optimizer.num_steps,
        num_done=len(log.loss),
        num_epochs=num_epochs,
        weights=weights,
        means=means,
        squares=squares,
        scalars={name: tensor.cpu().clone() for name, tensor in optimizer.scalars.items()},
        words=words,
        random=random,
        log=log.to_tensors(),
    )


def load_state(
    state: TrainingState, fused: FusedModel, optimizer: Optimizer, recipe: RecipeSpec, rank: Rank
) -> None:
    """Make a prepared model and its optimiser stand where a state says; on each rank.

    Args:
        state: the same on each rank; left as it is.
        fused: prepared anew, on however many ranks, fused or not.
        optimizer: its, made anew.
        recipe: the training's.
        rank: this one. Its generators go on where those of its number were; one that there was not
            keeps its own.

    Raises:
        TrialError: the state is of another training.
    """
    _check(state, fused, optimizer)
    whole = [dict(state[kind]) for kind in ("weights", "means", "squares")]
    if fused.embeddings is not None:
        name = fused.name_of(fused.embeddings.embedding.weight)
        held = tuple(tensors.pop(name) for tensors in whole)
        fused.embeddings.load(held, state["words"], int(state["scalars"]["num_updates"]))
    elif state["words"]:
        name = state["words"]["name"]
        held = _up_to_date([tensors[name] for tensors in whole], state, recipe)
        for tensors, values in zip(whole, held, strict=True):
            tensors[name] = values
    weights, means, squares = (fused.laid_out(tensors) for tensors in whole)
    optimizer.load((means, squares), state["scalars"])
    fused.load(weights)
    if rank.index < len(state["random"]):
        _set_random_state(state["random"][rank.index], rank)


def _check(state: TrainingState, fused: FusedModel, optimizer: Optimizer) -> None:
    hint = "start the training anew, or with the state that it left"
    if state["num_steps"] != optimizer.num_steps:
        wanted = f"one of a training of {optimizer.num_steps} steps"
        raise TrialError("state", wanted, f"one of {state['num_steps']}", hint)
    trained = {name: parameter.shape for name, parameter in fused.trained()}
    for name in sorted(trained.keys() | state["weights"].keys()):
        found = state["weights"].get(name)
        shape = None if found is None else tuple(found.shape)
        wanted_shape = tuple(trained[name]) if name in trained else None
        if shape != wanted_shape:
            wanted = f"{name} {wanted_shape or 'left out'}, as the model has it"
            raise TrialError("state", wanted, f"{shape or 'none'}", hint)


def _up_to_date(
    held: list[torch.Tensor], state: TrainingState, recipe: RecipeSpec
) -> tuple[torch.Tensor, ...]:
    """Make the updates that words have missed, for who updates all words in every step."""
    embedding = torch.nn.Embedding(*held[0].shape)
    words = WordEmbeddings(embedding, recipe, state["num_steps"])
    words.load(tuple(held), state["words"], int(state["scalars"]["num_updates"]))
    words.finish()
    return words.held


def _random_state(rank: Rank) -> Tensors:
    states = {"cpu": torch.get_rng_state()}
    if rank.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(rank.device)
    return states


def _set_random_state(states: Tensors, rank: Rank) -> None:
    torch.set_rng_state(states["cpu"])
    if rank.device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], rank.device)


def _of_all_ranks(mine: Tensors, rank: Rank) -> list[Tensors]:
    if rank.world_size == 1:
        return [mine]
    found: list[Any] = [None] * rank.world_size
    dist.all_gather_object(found, mine)
    return found
