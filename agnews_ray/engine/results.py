"""An engine's rank, and its results."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """The place of this process among the workers of a trial."""

    index: int = 0
    world_size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


class Predictions(NamedTuple):
    """The logits of one batch of B rows."""

    rows: NDArray[np.int64]
    """Shape (B,): the row numbers in the source."""
    labels: NDArray[np.int64]
    """Shape (B,): the class ids."""
    logits: NDArray[np.float32]
    """Shape (B, C): the logits."""


@dataclass(slots=True)
class TrainLog:
    """The facts about each step, over all ranks."""

    loss: NDArray[np.float64]
    """Shape (steps,): the objective's mean over the global batch (cross-entropy: in nats)."""
    learning_rate: NDArray[np.float64]
    rows: NDArray[np.int64]
    """Shape (steps,): the number of rows of the global batch."""
    tokens: NDArray[np.int64]
    """Shape (steps,): the number of tokens without padding."""
    computed: NDArray[np.int64]
    """Shape (steps,): the number of tokens with padding."""
    rows_hash: NDArray[np.int64]
    """Shape (steps,): a hash of the batch's row numbers that does not depend on their order."""
    seconds: NDArray[np.float64]
    """Shape (steps,): the time at the end of each step, from the beginning of the first step,
    validation included."""
    num_skipped: int
    """The number of updates that loss scaling skipped."""
    parts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """Shape (steps,) each: the means of the objective's parts over the global batch, by name."""

    def followed_by(self, later: "TrainLog") -> "TrainLog":
        """Append the steps of a run that continued from the end of this one.

        Args:
            later: the log of that run's own steps, with seconds from its own first step on; its
                ``num_skipped`` is that of the whole training.
        """
        joined: dict[str, Any] = {"num_skipped": later.num_skipped}
        joined |= {
            name: np.concatenate([array, getattr(later, name)])
            for name, array in asdict(self).items()
            if isinstance(array, np.ndarray)
        }
        joined["seconds"][len(self.seconds) :] += self.seconds[-1]
        joined["parts"] = {
            name: np.concatenate([part, later.parts[name]]) for name, part in self.parts.items()
        }
        return TrainLog(**joined)

    def to_tensors(self) -> dict[str, Any]:
        """Return all fields by name, arrays as tensors."""
        return {
            name: _exchange_arrays(value, to_tensor=True) for name, value in asdict(self).items()
        }

    @classmethod
    def from_tensors(cls, fields: Mapping[str, Any]) -> "TrainLog":
        """Make a log from the result of ``to_tensors``."""
        return cls(**{n: _exchange_arrays(v, to_tensor=False) for n, v in fields.items()})

    @property
    def padding_share(self) -> float:
        """The share of padding in all computed tokens, in [0, 1]."""
        return 1.0 - float(self.tokens.sum() / self.computed.sum())

    @property
    def final_loss(self) -> float | None:
        """The mean loss of the last tenth of the steps, at least one; None if not a number."""
        return self._final(self.loss)

    @property
    def final_parts(self) -> dict[str, float | None]:
        """The same for each part of the loss, by name."""
        return {name: self._final(part) for name, part in self.parts.items()}

    def _final(self, values: NDArray[np.float64]) -> float | None:
        mean = float(values[-max(1, math.ceil(values.size / 10)) :].mean())
        return mean if math.isfinite(mean) else None


def _exchange_arrays(value: Any, *, to_tensor: bool) -> Any:
    """Turn arrays into tensors or back, also those in a mapping."""
    if isinstance(value, Mapping):
        return {name: _exchange_arrays(one, to_tensor=to_tensor) for name, one in value.items()}
    if isinstance(value, np.ndarray) and to_tensor:
        return torch.from_numpy(value)
    return value.numpy() if isinstance(value, torch.Tensor) else value


def batch_facts(rows: NDArray[np.int64], num_tokens: int, num_computed: int) -> NDArray[np.float64]:
    """Count the rows and tokens of one rank's share of a batch.

    Args:
        rows: shape (B,), the row numbers in the source.
        num_tokens: the number of tokens without padding.
        num_computed: the number of tokens with padding.

    Returns:
        Shape (4,): rows, tokens, computed tokens, and a hash of the row numbers that does not
        depend on their order.
    """
    # Multiplying by a large odd number spreads the row numbers; sums stay exact below 2**53.
    hashed = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    rows_hash = int((hashed >> np.uint64(24)).sum())
    return np.array([len(rows), num_tokens, num_computed, rows_hash], dtype=np.float64)


def make_log(
    losses: Mapping[str, torch.Tensor],
    learning_rate: Sequence[float],
    facts: Sequence[NDArray[np.float64]],
    seconds: Sequence[float],
    num_skipped: int,
    rank: Rank | None = None,
) -> TrainLog:
    """Add up the per-step numbers of all ranks, in one exchange after the last step.

    Args:
        losses: shape (steps,) each, this rank's shares of ``loss`` and of its parts, by name.
        learning_rate: the learning rate of each step.
        facts: the result of ``batch_facts`` for each step.
        seconds: the time at the end of each step.
        num_skipped: the number of skipped updates.
        rank: this rank; None if there is only one.

    Returns:
        The log, the same on each rank.
    """
    shares = torch.stack(list(losses.values()), dim=1).detach().double().cpu()
    table = torch.cat([torch.from_numpy(np.array(facts[: len(shares)])), shares], dim=1)
    if rank is not None and rank.world_size > 1:
        table = table.to(rank.device)
        dist.all_reduce(table)
    counts, summed = np.split(table.cpu().numpy().T, [4])
    rows, tokens, computed, rows_hash = (count.astype(np.int64) for count in counts)
    parts = dict(zip(losses, summed, strict=True))
    return TrainLog(
        loss=parts.pop("loss"),
        learning_rate=np.array(learning_rate),
        rows=rows,
        tokens=tokens,
        computed=computed,
        rows_hash=rows_hash,
        seconds=np.array(seconds),
        num_skipped=num_skipped,
        parts=parts,
    )
