"""The state of a training by parameter name, to resume it later, elsewhere or differently.

A state depends neither on the number of workers nor on how parameters are laid out, fused or
updated. It contains only tensors, numbers, texts, lists and dictionaries, so that ``state_file``
can keep it. Each rank takes a part of it; ``merge_parts`` makes it whole. Taking a state does not
change the running training.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import torch

from agnews_ray.engine.fused.embeddings import WordEmbeddings
from agnews_ray.engine.fused.model import FusedModel
from agnews_ray.engine.optimizer import Optimizer
from agnews_ray.engine.results import Rank, TrainLog
from agnews_ray.errors import TrialError
from agnews_ray.spec.recipe import RecipeSpec

Tensors = dict[str, torch.Tensor]


class TrainingState(TypedDict):
    """The state of a training; its tensors are on the CPU."""

    num_steps: int
    """The number of steps of the whole training, for the schedule."""
    num_done: int
    """The number of steps made, which is the place in the data."""
    num_epochs: int
    """The number of finished epochs for which the callbacks were called."""
    weights: Tensors
    """The values by parameter; those of lazily updated words as far as each word was updated."""
    means: Tensors
    """AdamW's first moments by parameter, likewise."""
    squares: Tensors
    """AdamW's second moments by parameter, likewise."""
    scalars: Tensors
    """The optimiser's numbers: updates made, loss scale, good updates since it last changed."""
    words: dict[str, Any]
    """The data to bring lazily updated words up to date, and their parameter's name; empty if all
    words are up to date."""
    random: list[Tensors]
    """The states of each rank's random generators, ``cpu`` and perhaps ``cuda``."""
    log: dict[str, Any]
    """The ``TrainLog`` of the steps made, over all ranks; arrays as tensors."""


SaveState = Callable[[TrainingState], None]
"""The function that saves a state, called on every rank at once, each with its part."""


def take_state(
    fused: FusedModel, optimizer: Optimizer, rank: Rank, log: TrainLog, num_epochs: int
) -> TrainingState:
    """Copy a rank's part of a training's state, between two steps; each rank makes the same call.

    Args:
        fused: the model as it is trained.
        optimizer: the model's optimiser.
        rank: this rank.
        log: the log of the steps made.
        num_epochs: the number of finished epochs for which the callbacks were called.

    Returns:
        The part: some of the parameters with their moments, the rank's random generators, and on
        rank 0 all that is not divided.
    """
    whole = [fused.by_name(values) for values in (fused.values(), *optimizer.moments())]
    words: dict[str, Any] = {}
    if fused.embeddings is not None:
        name = fused.name_of(fused.embeddings.embedding.weight)
        words = {"name": name, **fused.embeddings.state_dict()}
        for tensors, held in zip(whole, fused.embeddings.held, strict=True):
            tensors[name] = held
    sizes = {name: tensor.numel() for name, tensor in whole[0].items()}
    mine = _divided(sizes, rank.world_size)[rank.index]
    weights, means, squares = (
        {name: tensors[name].detach().to("cpu", copy=True) for name in mine} for tensors in whole
    )
    is_first = rank.index == 0
    return TrainingState(
        num_steps=optimizer.num_steps,
        num_done=len(log.loss),
        num_epochs=num_epochs,
        weights=weights,
        means=means,
        squares=squares,
        scalars={name: tensor.to("cpu", copy=True) for name, tensor in optimizer.scalars.items()},
        words=_copied(words) if is_first else {},
        random=[_random_state(rank)],
        log=log.to_tensors() if is_first else {},
    )


def merge_parts(parts: Sequence[TrainingState]) -> TrainingState:
    """Make a whole state of the parts of all ranks.

    Args:
        parts: the parts, in the order of the ranks.
    """
    untyped: list[Any] = list(parts)
    whole: Any = dict(parts[0])
    for kind in ("weights", "means", "squares"):
        whole[kind] = {name: value for part in untyped for name, value in part[kind].items()}
    whole["random"] = [state for part in parts for state in part["random"]]
    merged: TrainingState = whole
    return merged


def _divided(sizes: Mapping[str, int], count: int) -> list[list[str]]:
    """Divide names into groups of about the same size, the same on each rank."""
    groups: list[list[str]] = [[] for _ in range(count)]
    filled = [0] * count
    for name in sorted(sizes, key=lambda one: (-sizes[one], one)):
        smallest = filled.index(min(filled))
        groups[smallest].append(name)
        filled[smallest] += sizes[name]
    return groups


def _copied(value: Any) -> Any:
    """Copy the tensors of a tree to the CPU, as the training goes on while they are written."""
    if isinstance(value, Mapping):
        return {name: _copied(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(one) for one in value]
    return value.detach().to("cpu", copy=True) if isinstance(value, torch.Tensor) else value


def load_state(
    state: TrainingState, fused: FusedModel, optimizer: Optimizer, recipe: RecipeSpec, rank: Rank
) -> None:
    """Load a state into a prepared model and its optimiser; each rank makes the same call.

    Args:
        state: the state, the same on each rank; it is not changed.
        fused: a newly prepared model, on any number of ranks, fused or not.
        optimizer: the model's new optimiser.
        recipe: the training's recipe.
        rank: this rank. Its random generators continue from those of the rank with the same number
            in the state; if there is none, they are not changed.

    Raises:
        TrialError: the state belongs to another training.
    """
    _check(state, fused, optimizer)
    whole = [dict(state["weights"]), dict(state["means"]), dict(state["squares"])]
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
    hint = "start the training from its beginning, or use the state that it saved"
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
    """Make the updates that words have missed, for a model that updates all words in each step."""
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
