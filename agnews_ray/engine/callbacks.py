"""Callbacks, which are called after each step and each epoch of a training and may stop it."""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from agnews_ray.data.batches import TokenisedRows


class Action(enum.Flag):
    """The request of a callback; the requests of several callbacks are combined."""

    GO_ON = 0
    STOP = enum.auto()
    """Make no further step, and call no callback again."""
    SAVE = enum.auto()
    """Save the training's state, before anything else is done."""


class StepDone(NamedTuple):
    """A finished step."""

    step: int
    """The step's number, counted from 1 over all epochs."""
    loss: torch.Tensor
    """Shape (): this rank's share of the loss, on the device; reading it waits for the step."""
    seconds: float
    """The time since training began; in a resumed run, since its own first step began."""


class Callback:
    """The base class of callbacks, which does nothing.

    Every rank has its own callbacks. Their requests must be the same on each rank, or the ranks
    wait for each other without end: a callback decides by values that are the same on all ranks
    (the number of steps, a gathered score), or exchanges values with the other ranks first.
    """

    def after_step(self, done: StepDone) -> Action:  # noqa: ARG002  # for subclasses
        """React to a finished step.

        Args:
            done: the step; its time includes the time of earlier callbacks.
        """
        return Action.GO_ON

    def after_epoch(self, epoch: int) -> Action:  # noqa: ARG002  # for subclasses
        """React to a finished epoch; called after ``after_step`` of its last step.

        Args:
            epoch: the epoch's number, counted from 1.
        """
        return Action.GO_ON

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training's callback must know of the steps before it.

        Returns:
            A tree of dictionaries, lists, tensors, arrays, numbers and texts.
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict`` of rank 0's callback; each rank makes the same call."""


def tell(callbacks: Sequence[Callback], done: StepDone | int) -> Action:
    """Call every callback for a finished step, or for a finished epoch.

    Args:
        callbacks: the callbacks in order; each is called, whatever the ones before request.
        done: the step, or the number of the epoch.

    Returns:
        All their requests, combined.
    """
    wanted = Action.GO_ON
    for callback in callbacks:
        if isinstance(done, int):
            wanted |= callback.after_epoch(done)
        else:
            wanted |= callback.after_step(done)
    return wanted


class Place(NamedTuple):
    """The progress of a training."""

    num_steps: int = 0
    num_epochs: int = 0
    """The number of finished epochs for which the callbacks were called."""


BEGINNING = Place()


def run_epochs(
    epochs: Iterable[Iterable[TokenisedRows]],
    make_step: Callable[[TokenisedRows], StepDone],
    callbacks: Sequence[Callback],
    save: Callable[[int], None],
    start: Place = BEGINNING,
) -> None:
    """Make a step with each batch, until there are no more or a callback requests a stop.

    Args:
        epochs: the global batches of each epoch, including those that are already done.
        make_step: the function that trains on one batch.
        callbacks: the callbacks, called after each step and each epoch.
        save: the function called when a callback requests a save, with the number of finished
            epochs for which the callbacks were called.
        start: the end of an earlier run; its steps and epochs are skipped.
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
