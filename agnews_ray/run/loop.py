"""The fast engine: one trial's training and scoring in plain torch, on one rank, without Ray."""

import math
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from transformers import get_linear_schedule_with_warmup

from agnews_ray.data.batches import Batch, TokenisedRows, rank_share
from agnews_ray.plan.budget import warmup_steps
from agnews_ray.spec.study import Precision, RecipeSpec

StepCallback = Callable[[int, torch.Tensor, float], None]
"""Called with the number of finished steps, this rank's share of the loss (on the device), and
the seconds since training began."""

COLUMNS = ("loss", "rows", "tokens", "computed", "rows_hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Where this process stands among the workers of a trial."""

    index: int = 0
    world_size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


class Predictions(NamedTuple):
    """Logits of one batch of B rows."""

    rows: NDArray[np.int64]
    """Shape (B,), row numbers in the source."""
    labels: NDArray[np.int64]
    """Shape (B,), class ids."""
    logits: NDArray[np.float32]
    """Shape (B, C)."""


@dataclass(slots=True)
class TrainLog:
    """What happened in each step, over all ranks."""

    loss: NDArray[np.float64]
    """Shape (steps,), mean cross-entropy of the global batch in nats."""
    learning_rate: NDArray[np.float64]
    rows: NDArray[np.int64]
    """Shape (steps,), rows of the global batch."""
    tokens: NDArray[np.int64]
    """Shape (steps,), tokens without padding."""
    computed: NDArray[np.int64]
    """Shape (steps,), tokens with padding."""
    rows_hash: NDArray[np.int64]
    """Shape (steps,), order-free hash of the row numbers trained on."""
    seconds: NDArray[np.float64]
    """Shape (steps,), since the first step began; pauses for validation included."""
    num_skipped: int
    """Updates left out by loss scaling."""

    @property
    def padding_share(self) -> float:
        """Share of computed tokens that were padding, in [0, 1]."""
        return 1.0 - float(self.tokens.sum() / self.computed.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class FastEngine:
    """Runs a recipe on one rank: batches of like length, mixed precision, fused AdamW."""

    recipe: RecipeSpec
    precision: Precision
    pad_id: int
    """Token id of the padding."""
    rank: Rank

    def train(
        self,
        model: torch.nn.Module,
        batches: Iterable[TokenisedRows],
        num_steps: int,
        on_step: StepCallback,
    ) -> TrainLog:
        """Optimise a classifier on global batches, as the Hugging Face Trainer would.

        AdamW without decay on biases and LayerNorm, linear warm-up and decay, clipping to a
        global norm, mean loss over the *global* batch however its rows fall on the ranks. After
        an FP16 overflow the update and the schedule's step are left out.

        Args:
            model: a transformers classifier, wrapped for data parallelism on several ranks.
            batches: the global batches of all epochs, the same on each rank.
            num_steps: how many they are, for the schedule.
            on_step: told of each finished step.

        Returns:
            The log, the same on each rank.
        """
        optimizer = make_optimizer(model, self.recipe, self.rank.device)
        num_warmup = warmup_steps(num_steps, self.recipe.warmup_fraction)
        schedule = get_linear_schedule_with_warmup(optimizer, num_warmup, num_steps)
        scaler = torch.amp.GradScaler(self.rank.device.type, enabled=self.precision == "fp16")
        losses: list[torch.Tensor] = []
        facts, rates, seconds, num_skipped = [], [], [], 0
        start = 0.0
        for global_batch in batches:
            start = start or time.perf_counter()  # waiting for the first rows is start-up
            model.train()
            batch = rank_share(global_batch, self.rank.index, self.rank.world_size, self.pad_id)
            rates.append(schedule.get_last_lr()[0])
            losses.append(self._backward(model, batch, scaler))
            if self._update(model, optimizer, scaler):
                schedule.step()
            else:
                num_skipped += 1
            facts.append(_facts(batch))
            if len(losses) == num_steps and self.rank.device.type == "cuda":
                torch.cuda.synchronize(self.rank.device)  # the steps are done, not just queued
            seconds.append(time.perf_counter() - start)
            on_step(len(losses), losses[-1], seconds[-1])
        totals = _sum_over_ranks(losses, facts, self.rank)
        return TrainLog(
            loss=totals["loss"],
            learning_rate=np.array(rates),
            rows=totals["rows"].astype(np.int64),
            tokens=totals["tokens"].astype(np.int64),
            computed=totals["computed"].astype(np.int64),
            rows_hash=totals["rows_hash"].astype(np.int64),
            seconds=np.array(seconds),
            num_skipped=num_skipped,
        )

    def predict(
        self, model: torch.nn.Module, batches: Iterable[TokenisedRows]
    ) -> Iterator[Predictions]:
        """Compute logits for this rank's batches: every ``world_size``-th one.

        Args:
            model: a transformers classifier.
            batches: all batches of the split, the same on each rank.

        Yields:
            One batch at a time.
        """
        model.eval()
        for index, rows in enumerate(batches):
            if index % self.rank.world_size != self.rank.index:
                continue
            batch = rank_share(rows, 0, 1, self.pad_id).to(self.rank.device)
            with torch.inference_mode(), autocast(self.rank.device, self.precision):
                logits = model(
                    input_ids=batch.input_ids, attention_mask=batch.attention_mask
                ).logits
            yield Predictions(rows.rows, rows.labels, logits.float().cpu().numpy())

    def _backward(
        self, model: torch.nn.Module, batch: Batch, scaler: torch.amp.GradScaler
    ) -> torch.Tensor:
        """Compute gradients; return this rank's part of the global mean loss, on the device."""
        on_device = batch.to(self.rank.device)
        with autocast(self.rank.device, self.precision):
            logits = model(
                input_ids=on_device.input_ids, attention_mask=on_device.attention_mask
            ).logits
        total = torch.nn.functional.cross_entropy(logits.float(), on_device.labels, reduction="sum")
        share = total * (0.0 if batch.is_filler else 1.0) / batch.num_global_rows
        # Data parallelism averages gradients over ranks; the loss is a sum over ranks.
        scaled: torch.Tensor = scaler.scale(share * self.rank.world_size)
        torch.autograd.backward(scaled)
        return share.detach()

    def _update(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
    ) -> bool:
        """Clip and step; return whether the update was made."""
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), self.recipe.max_grad_norm)
        scale_before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        return scaler.get_scale() >= scale_before


def make_optimizer(
    model: torch.nn.Module, recipe: RecipeSpec, device: torch.device
) -> torch.optim.AdamW:
    """Build AdamW with the paper's decay exclusions, fused into one kernel.

    Args:
        model: biases and LayerNorm weights (all vectors) get no decay; matrices do.
        recipe: learning rate, betas, epsilon, decay.
        device: where the parameters are.

    Returns:
        The optimiser.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        lr=recipe.learning_rate,
        betas=(recipe.adam_beta1, recipe.adam_beta2),
        eps=recipe.adam_epsilon,
        fused=device.type in ("cpu", "cuda"),
    )


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Enter mixed precision; fp32 enters nothing."""
    if precision == "fp32":
        return nullcontext()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(device.type, dtype=dtype)


def peak_memory_bytes(device: torch.device) -> int:
    """Most memory this process has held: of the GPU, or resident on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def mean_final_loss(losses: NDArray[np.float64]) -> float:
    """Average the last tenth of the steps, at least one."""
    return float(losses[-max(1, math.ceil(losses.size / 10)) :].mean())


def _facts(batch: Batch) -> tuple[int, int, int, int]:
    """Rows, tokens, computed tokens and row hash of one rank's share."""
    computed = batch.input_ids.numel()
    if batch.is_filler:
        return 0, 0, computed, 0
    # Multiplying by a large odd number spreads the row numbers; sums stay exact below 2**53.
    hashed = (batch.rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return len(batch.rows), batch.num_tokens, computed, int((hashed >> np.uint64(24)).sum())


def _sum_over_ranks(
    losses: list[torch.Tensor], facts: list[tuple[int, int, int, int]], rank: Rank
) -> dict[str, NDArray[np.float64]]:
    """Add up the per-step numbers of all ranks in one exchange after the last step."""
    numbers = np.array(facts, dtype=np.float64).reshape(-1, len(COLUMNS) - 1)
    shares = torch.stack(losses).double().cpu()[:, None]
    table = torch.cat([shares, torch.from_numpy(numbers)], dim=1)
    if rank.world_size > 1:
        table = table.to(rank.device)
        dist.all_reduce(table)
    return dict(zip(COLUMNS, table.cpu().numpy().T, strict=True))
