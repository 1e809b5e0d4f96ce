"""Word embeddings on a CPU: each step reads and updates only the words of its batch.

A dense AdamW updates 30,522 rows, of which a batch uses some hundred. Without a gradient a row
still moves by its momentum and decays. So before a row is read again, all its missed updates are
made in one closed form.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from agnews_ray.plan.budget import learning_rate
from agnews_ray.spec.recipe import RecipeSpec

NO_MOMENTUM = 1e-12
"""The remaining share of a row's momentum below which the row counts as still; with 0.9, it is
reached after 263 updates."""


class WordEmbeddings:
    """Word embeddings with their own AdamW.

    Args:
        embedding: the module whose lookup is replaced.
        recipe: the recipe, with the same hyperparameters as for all parameters.
        num_steps: the number of updates of the whole trial, for the schedule.
    """

    def __init__(self, embedding: torch.nn.Embedding, recipe: RecipeSpec, num_steps: int) -> None:
        self.embedding = embedding
        weight = embedding.weight.detach()
        self._held = (weight, torch.zeros_like(weight), torch.zeros_like(weight))
        """Shape (V, H) each: weights, and AdamW's means and squares of gradients, of all V words,
        as far as each was updated."""
        self._recipe = recipe
        self._rates = learning_rate(np.arange(num_steps + 1), num_steps, recipe)
        decay = np.log1p(-self._rates * recipe.weight_decay)
        self._decay = np.concatenate([[0.0], np.cumsum(decay)])
        self._num_updates = 0
        self._num_updates_of = np.zeros(len(weight), dtype=np.int64)
        self._missed = np.zeros((2, num_steps + 1))
        """Shape (2, steps + 1): the missed updates by a row's number of updates; see ``_miss``."""
        self._rows = tuple(t[:0] for t in self._held)
        """Shape (U, H) each: the same for the batch's words, up to date."""
        self._padding: int | None = None
        """The position of the padding among them; it gets no gradient, as in
        ``torch.nn.Embedding``."""
        self.words = torch.zeros(0, dtype=torch.int64)
        """Shape (U,), sorted: the words of the global batch."""
        self.gradient = torch.zeros(0, embedding.embedding_dim)
        """Shape (U, H): the gradient of this rank's rows, or of all ranks' rows after they are
        added up."""

    @property
    def held(self) -> tuple[torch.Tensor, ...]:
        """Shape (V, H) each: weights, means and squares of gradients, as far as updated."""
        return self._held

    def state_dict(self) -> dict[str, Any]:
        """Copy each word's number of updates, and the data about missed updates."""
        return {
            "num_updates_of": torch.from_numpy(self._num_updates_of.copy()),
            "missed": torch.from_numpy(self._missed.copy()),
        }

    def load(
        self, held: tuple[torch.Tensor, ...], state: Mapping[str, Any], num_updates: int
    ) -> None:
        """Load words from ``held`` and ``state_dict``.

        Args:
            held: shape (V, H) each, the weights, means and squares of gradients.
            state: the result of ``state_dict``; empty if all words are up to date.
            num_updates: the number of updates that the whole training has made.
        """
        for mine, given in zip(self._held, held, strict=True):
            mine.copy_(given)
        self._num_updates = num_updates
        self._num_updates_of[:] = num_updates
        self._missed[:] = 0.0
        if state:
            self._num_updates_of[:] = state["num_updates_of"].numpy()
            self._missed[:] = state["missed"].numpy()

    def begin(self, words: torch.Tensor) -> None:
        """Prepare for a batch.

        Args:
            words: shape (U,), sorted, all words of the global batch, the same on each rank.
        """
        self.words = words
        self._rows = self._up_to_date(words)
        self.gradient = torch.zeros_like(self._rows[0])
        self._rows[0].requires_grad_().grad = self.gradient
        (padding,) = np.nonzero(words.numpy() == self.embedding.padding_idx)
        self._padding = int(padding[0]) if len(padding) else None

    def look_up(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Replace the embedding's ``forward``.

        Args:
            input_ids: shape (B, L), the token ids; in training, only words given to ``begin``.

        Returns:
            Shape (B, L, H): the embeddings.
        """
        if not self.embedding.training:
            self.finish()  # all words: ranks score different rows, but must keep equal weights
            return torch.nn.functional.embedding(input_ids, self._held[0])
        positions = torch.searchsorted(self.words, input_ids)
        return torch.nn.functional.embedding(positions, self._rows[0], self._padding)

    @torch.no_grad()
    def update(self, divisor: torch.Tensor) -> None:
        """Make one AdamW update of the batch's words.

        Args:
            divisor: the divisor of the gradient, for clipping and loss scaling.
        """
        recipe, count = self._recipe, self._num_updates + 1
        rate = self._rates[self._num_updates]
        gradient = self.gradient / divisor
        weight, mean, square = self._rows
        mean.lerp_(gradient, 1 - recipe.adam_beta1)
        square.mul_(recipe.adam_beta2).addcmul_(gradient, gradient, value=1 - recipe.adam_beta2)
        corrected = (square / (1 - recipe.adam_beta2**count)).sqrt_().add_(recipe.adam_epsilon)
        weight.mul_(1 - rate * recipe.weight_decay)
        weight.addcdiv_(mean, corrected, value=-rate / (1 - recipe.adam_beta1**count))
        self._num_updates = count
        self._miss()
        self._store(self.words)

    def finish(self) -> None:
        """Bring every row up to date; this is cheap if all are."""
        if (self._num_updates_of == self._num_updates).all():
            return
        words = torch.arange(len(self._held[0]))
        self._rows = self._up_to_date(words)
        self._store(words)

    def _up_to_date(self, words: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Copy rows and make the updates that they have missed, all without a gradient."""
        made = self._num_updates_of[words.numpy()]
        num_missed = self._num_updates - made
        moved, weighed = self._missed[:, made]
        width = np.divide(moved, weighed, out=np.ones_like(moved), where=weighed > 0)
        factors = np.array(
            [
                moved,
                width,
                np.exp(self._decay[self._num_updates] - self._decay[made]),
                self._recipe.adam_beta1**num_missed,
                self._recipe.adam_beta2**num_missed,
            ]
        )
        weight, mean, square = (held.index_select(0, words) for held in self._held)
        moves, widths, shrinks, fades, narrows = torch.from_numpy(factors).float()[..., None]
        deviation = square.sqrt().mul_(widths).add_(self._recipe.adam_epsilon)
        weight.sub_((mean * moves).div_(deviation)).mul_(shrinks)
        return weight, mean.mul_(fades), square.mul_(narrows)

    def _miss(self) -> None:
        """Add the latest update to those that rows without a gradient have missed.

        Update j moves a row by a_j m / (c_j sqrt(v) + eps), where a_j and c_j are known numbers.
        c_j hardly changes while momentum lasts, so the sum is computed as
        sum(a_j) m / (c sqrt(v) + eps). The harmonic mean c makes this exact if eps is much smaller
        than c sqrt(v), and if it is much larger. In between there is an error of parts in ten
        thousand, the largest in the first updates. The stored values are sum(a_j) and
        sum(a_j / c_j), for each number of updates that a row may have made.
        """
        recipe, count = self._recipe, self._num_updates
        fading = math.log(NO_MOMENTUM) / math.log(max(recipe.adam_beta1, NO_MOMENTUM))
        made = np.arange(max(0, count - math.ceil(fading)), count)
        fades = recipe.adam_beta1 ** (count - made)
        grown = np.exp(self._decay[made] - self._decay[count])  # as if all decay came last
        a = self._rates[count - 1] * fades / (1 - recipe.adam_beta1**count) * grown
        narrows = recipe.adam_beta2 ** (count - made)
        c = np.sqrt(narrows / (1 - recipe.adam_beta2**count)).clip(min=np.finfo(np.float32).tiny)
        self._missed[:, made] += (a, a / c)

    def _store(self, words: torch.Tensor) -> None:
        for held, rows in zip(self._held, self._rows, strict=True):
            held.index_copy_(0, words, rows)
        self._num_updates_of[words.numpy()] = self._num_updates
