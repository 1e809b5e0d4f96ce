"""What is told of a training while it runs, and may stop it: after each step, after each epoch."""

import enum
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch

from agnews_ray.data.batches import TokenisedRows


class Action(enum.Flag):
    """What a callback wants; of several callbacks, all that any of them wants is done."""

    GO_ON = 0
    STOP = enum.auto()
    """Make no further step; nothing is told any more."""
    SAVE = enum.auto()
    """Hand the training's state over, before anything else is done."""


class StepDone(NamedTuple):
    """A finished step."""

    step: int
    """Counted from 1, over all epochs."""
    loss: torch.Tensor
    """Shape (), this rank's share, on the device: to read it waits for the step."""
    seconds: float
    """Since training began; of a run that goes on, since its own first step began."""


class Callback:
    """Is told of a training; a subclass says what it does with it.

    Every rank has callbacks of its own. What they want must be the same on each rank, or the ranks
    wait for each other for ever: a callback decides by what all of them know (the number of steps,
    a score that was gathered), or asks the others first.
    """

    def after_step(self, done: StepDone) -> Action:  # noqa: ARG002  # for subclasses
        """Be told of a finished step.

        Args:
            done: the step. Its time includes what callbacks did before.
        """
        return Action.GO_ON

    def after_epoch(self, epoch: int) -> Action:  # noqa: ARG002  # for subclasses
        """Be told that all batches of an epoch are done, after its last step was told.

        Args:
            epoch: counted from 1.
        """
        return Action.GO_ON


def tell(callbacks: Sequence[Callback], done: StepDone | int) -> Action:
    """Tell every callback of a step, or of an epoch by its number.

    Args:
        callbacks: in their order; each is told, whatever the ones before want.
        done: what is finished.

    Returns:
        All that they want.
    """
    wanted = Action.GO_ON
    for callback in callbacks:
        if isinstance(done, int):
            wanted |= callback.after_epoch(done)
        else:
            wanted |= callback.after_step(done)
    return wanted


class Place(NamedTuple):
    """How far a training has come."""

    num_steps: int = 0
    num_epochs: int = 0
    """Of which callbacks were told that they are done."""


BEGINNING = Place()


def run_epochs(
    epochs: Iterable[Iterable[TokenisedRows]],
    make_step: Callable[[TokenisedRows], StepDone],
    callbacks: Sequence[Callback],
    save: Callable[[int], None],
    start: Place = BEGINNING,
) -> None:
    """Make a step with each batch, until there are no more or a callback wants to stop.

    Args:
        epochs: the global batches of each, those that are done already included.
        make_step: trains on one.
        callbacks: told of steps and epochs.
        save: called where a callback wants that, with the number of epochs told of.
        start: where an earlier run ended; what it did is passed over.
    """

    def does_stop(done: StepDone | int, num_epochs: int) -> bool:
        wanted = tell(callbacks, done)
        if Action.SAVE in wanted:
            save(num_epochs)
        return Action.STOP in wanted

    num_done = 0
    for number, batches in enumerate(epochs, start=1):
        for batch in batches:
            num_done += 1
            if num_done > start.num_steps and does_stop(make_step(batch), number - 1):
                return
        if number > start.num_epochs and does_stop(number, number):
            return
