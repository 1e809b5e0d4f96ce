"""The best epoch of a training: its weights are kept, and training stops when none is better."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from agnews_ray.engine.callbacks import Action, Callback
from agnews_ray.spec.recipe import StopSpec


class BestEpoch(Callback):
    """Keeps a copy of the weights of the best epoch, and stops by the recipe's rule.

    Every rank has its own copy, in ordinary memory. The copy is made through the model's state
    dictionary, which is right under each engine and on each rank, as long as all ranks call this
    callback at the same time, as callbacks are.

    Args:
        model: the classifier that is trained.
        rule: the recipe's rule.
        score: the function that gives the validation score of the epoch that has just ended, the
            same on each rank; None if logits are not numbers.
        left_out: the function that gives a context whose time does not count as training.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        rule: StopSpec,
        score: Callable[[], float | None],
        left_out: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._model, self._rule, self._score, self._left_out = model, rule, score, left_out
        self._weights: dict[str, torch.Tensor] = {}
        self._best: float | None = None
        self._to_beat: float | None = None
        """The score that the next epochs have to exceed by more than ``min_delta``."""
        self._improved_in = 0
        self.epoch: int | None = None
        """The best epoch so far, counted from 1, the earliest of equals; None if none has a
        score."""
        self.stopped_after: int | None = None
        """The epoch after which the rule stopped the training; None if it did not."""

    def after_epoch(self, epoch: int) -> Action:
        score = self._score()
        if score is not None:
            if self._best is None or score > self._best:
                self._best, self.epoch = score, epoch
                self._keep()
            if self._to_beat is None or score > self._to_beat + self._rule.min_delta:
                self._to_beat, self._improved_in = score, epoch
        if epoch - self._improved_in < self._rule.patience:
            return Action.GO_ON
        self.stopped_after = epoch
        return Action.STOP

    def _keep(self) -> None:
        with self._left_out():
            self._weights = {
                name: tensor.detach().to("cpu", copy=True)
                for name, tensor in self._model.state_dict().items()
            }

    def state_dict(self) -> dict[str, Any]:
        return {
            "weights": self._weights,
            "best": self._best,
            "to_beat": self._to_beat,
            "improved_in": self._improved_in,
            "epoch": self.epoch,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._weights = dict(state["weights"])
        self._best, self._to_beat = state["best"], state["to_beat"]
        self._improved_in, self.epoch = state["improved_in"], state["epoch"]

    def restore(self) -> None:
        """Give the model the weights of the best epoch, after the engine has released it."""
        if self._weights:
            self._model.load_state_dict(self._weights)
            self._weights = {}
