"""The word embeddings on a CPU: each step reads and updates only the words of its batch.

A dense AdamW passes over 30,522 rows of which a batch touches some hundred. Without a gradient a
row still moves on by its momentum and decays, so a row is brought up to date before it is read
again, all its missed updates in one closed form.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.plan.budget import learning_rate
from agnews_ray.spec.study import RecipeSpec

NO_MOMENTUM = 1e-12
"""Share of its momentum after which a row is taken to stand still; 263 updates at 0.9."""


class Table:
    """Word embeddings with an AdamW of their own.

    Args:
        embedding: the module; its lookup is replaced.
        recipe: the same hyperparameters as for all parameters.
        num_steps: updates of the whole trial, for the schedule.
    """

    def __init__(self, embedding: torch.nn.Embedding, recipe: RecipeSpec, num_steps: int) -> None:
        self.embedding = embedding
        self._weight = embedding.weight.detach()
        self._mean = torch.zeros_like(self._weight)
        self._square = torch.zeros_like(self._weight)
        self._recipe = recipe
        self._rates = learning_rate(np.arange(num_steps + 1), num_steps, recipe)
        self._num_updates = 0
        self._num_updates_of = np.zeros(len(self._weight), dtype=np.int64)
        self.words = torch.zeros(0, dtype=torch.int64)
        """Shape (U,), sorted: words of the global batch."""
        self.gradient = torch.zeros(0, embedding.embedding_dim)
        """Shape (U, H): of this rank's rows, or of all ranks' once they are added up."""

    def begin(self, words: torch.Tensor) -> None:
        """Prepare for a batch.

        Args:
            words: shape (U,), sorted: all words of the global batch, the same on each rank.
        """
        self._catch_up(words)
        self.words = words
        self.gradient = torch.zeros(len(words), self.embedding.embedding_dim)

    def look_up(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Do what the embedding's ``forward`` does.

        Args:
            input_ids: shape (B, L); when training, of the words given to ``begin``.

        Returns:
            Shape (B, L, H).
        """
        if not self.embedding.training:
            self.finish()  # all of them: ranks score other rows, and must stay alike
        return _look_up(self.embedding.weight, input_ids, self)

    def add(self, input_ids: torch.Tensor, gradient: torch.Tensor) -> None:
        """Add the gradient of a lookup; padding gets none, as in ``torch.nn.Embedding``."""
        position = torch.searchsorted(self.words, input_ids.reshape(-1))
        self.gradient.index_add_(0, position, gradient.flatten(0, 1).float())
        if self.embedding.padding_idx is not None:
            self.gradient[self.words == self.embedding.padding_idx] = 0.0

    def update(self, divisor: torch.Tensor) -> None:
        """Make one AdamW update of the batch's words.

        Args:
            divisor: of the gradient, for clipping and loss scaling.
        """
        recipe, count = self._recipe, self._num_updates + 1
        rate = self._rates[self._num_updates]
        gradient = self.gradient / divisor
        weight, mean, square = (t[self.words] for t in (self._weight, self._mean, self._square))
        mean.lerp_(gradient, 1 - recipe.adam_beta1)
        square.mul_(recipe.adam_beta2).addcmul_(gradient, gradient, value=1 - recipe.adam_beta2)
        corrected = (square / (1 - recipe.adam_beta2**count)).sqrt_().add_(recipe.adam_epsilon)
        weight.mul_(1 - rate * recipe.weight_decay)
        weight.addcdiv_(mean, corrected, value=-rate / (1 - recipe.adam_beta1**count))
        self._store(self.words, weight, mean, square)
        self._num_updates = count
        self._num_updates_of[self.words.numpy()] = count

    def finish(self) -> None:
        """Bring every row up to date."""
        self._catch_up(torch.arange(len(self._weight)))

    def _catch_up(self, words: torch.Tensor) -> None:
        """Make the updates that rows have missed, all without a gradient."""
        made = self._num_updates_of[words.numpy()]
        is_late = made < self._num_updates
        if not is_late.any():
            return
        words, made = words[torch.from_numpy(is_late)], made[is_late]
        moved, width, shrunk = self._missed(made)
        num_missed = torch.from_numpy(self._num_updates - made)[:, None]
        weight, mean, square = (t[words] for t in (self._weight, self._mean, self._square))
        deviation = square.sqrt().mul_(width).add_(self._recipe.adam_epsilon)
        weight.sub_(mean.mul(moved).div_(deviation)).mul_(shrunk)
        mean.mul_(self._recipe.adam_beta1 ** num_missed.float())
        square.mul_(self._recipe.adam_beta2 ** num_missed.float())
        self._store(words, weight, mean, square)
        self._num_updates_of[words.numpy()] = self._num_updates

    def _missed(self, made: NDArray[np.int64]) -> tuple[torch.Tensor, ...]:
        """Sum up what each row has missed, one shape (U, 1) for each factor.

        Update j moves a row by a_j m / (c_j sqrt(v) + eps), where a_j and c_j are known numbers.
        c_j hardly changes while momentum lasts, so the sum is taken as sum(a_j) m / (c sqrt(v) +
        eps) with the harmonic mean c that makes it exact where eps vanishes beside c sqrt(v), and
        where it rules. In between it errs, most in the first updates, by parts in ten thousand.
        """
        recipe = self._recipe
        starts, position = np.unique(made, return_inverse=True)
        fading = math.log(NO_MOMENTUM) / math.log(max(recipe.adam_beta1, NO_MOMENTUM))
        missed = np.arange(1, min(math.ceil(fading), self._num_updates) + 1)
        count = np.minimum(starts[:, None] + missed, self._num_updates)
        is_missed = starts[:, None] + missed <= self._num_updates
        a = self._rates[count - 1] * recipe.adam_beta1**missed / (1 - recipe.adam_beta1**count)
        decay = np.concatenate([[0.0], np.cumsum(np.log1p(-self._rates * recipe.weight_decay))])
        a *= is_missed * np.exp(decay[starts, None] - decay[count])  # as if decay came after all
        c = np.sqrt(recipe.adam_beta2**missed / (1 - recipe.adam_beta2**count))
        c = c.clip(min=np.finfo(np.float32).tiny)
        moved = a.sum(axis=1)
        width = np.divide(moved, (a / c).sum(axis=1), out=np.ones_like(moved), where=moved > 0)
        shrunk = np.exp(decay[self._num_updates] - decay[starts])
        factors = (moved, width, shrunk)
        return tuple(torch.from_numpy(f[position].astype(np.float32))[:, None] for f in factors)

    def _store(
        self, words: torch.Tensor, weight: torch.Tensor, mean: torch.Tensor, square: torch.Tensor
    ) -> None:
        held = (self._weight, self._mean, self._square)
        for whole, rows in zip(held, (weight, mean, square), strict=True):
            whole.index_copy_(0, words, rows)


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weight: torch.Tensor, input_ids: torch.Tensor, table: Table
    ) -> torch.Tensor:
        ctx.input_ids, ctx.table = input_ids, table
        return torch.nn.functional.embedding(input_ids, weight)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[None, None, None]:
        ctx.table.add(ctx.input_ids, gradient)
        return None, None, None


_look_up: Callable[[torch.Tensor, torch.Tensor, Table], torch.Tensor] = _LookUp.apply
