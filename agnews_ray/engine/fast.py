"""The fast engine: one trial's training on one rank, in plain torch, without Ray.

The reasons for its speed: batches of similar length; blocks with a hand-written backward pass
(``block``) and cheap dropout (``dropout``); parameters in flat buffers (``weights``), updated
without reading values from the device (``optimizer``); on a GPU, whole steps as CUDA graphs
(``graphs``).
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.data.tensors import Batch, PaddingSide, Shape, rank_share
from agnews_ray.engine.callbacks import BEGINNING, Callback, Place, StepDone, run_epochs
from agnews_ray.engine.fused.graphs import GraphedStep, Recorder, recording_error
from agnews_ray.engine.fused.model import FusedModel, Wanted, fused_model
from agnews_ray.engine.malloc import keep_freed_memory
from agnews_ray.engine.objective import PLAIN, Objective, weigh
from agnews_ray.engine.optimizer import Optimizer
from agnews_ray.engine.predict import autocast
from agnews_ray.engine.results import Rank, TrainLog, batch_facts, make_log
from agnews_ray.engine.state import SaveState, TrainingState, load_state, take_state
from agnews_ray.model.artifact import DTYPES
from agnews_ray.model.limits import position_limit
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec

LENGTH_MULTIPLE = 8
"""The number of tokens of which padded lengths on a GPU are a multiple, so that there are few
graphs and matrix products are aligned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FastEngine:
    """The engine that runs a recipe on one rank as the Hugging Face Trainer does, but faster."""

    recipe: RecipeSpec
    precision: Precision
    pad_id: int
    """The token id of the padding."""
    rank: Rank
    padding_side: PaddingSide = "right"
    """The side on which short rows are padded."""
    record: Recorder | None = None
    """The recorder that makes steps repeatable on a GPU; None launches their kernels one by one.
    Steps of a model whose blocks are not fused are never recorded."""
    objective: Objective = PLAIN
    """The objective to minimise; its tensors are on the CPU."""
    passes: int = 1
    """The number of forward and backward passes into which a rank's share of a step is cut; their
    gradients are added up. More passes need less memory and more time."""

    def train(
        self,
        model: torch.nn.Module,
        epochs: Iterable[Iterable[TokenisedRows]],
        num_steps: int,
        callbacks: Sequence[Callback] = (),
        save: SaveState | None = None,
        start: TrainingState | None = None,
    ) -> TrainLog:
        """Train a model on global batches.

        The loss is the objective's mean over the *global* batch, however its rows are divided among
        the ranks.

        Args:
            model: a transformers classifier in float32 on the rank's device, the same on each rank;
                an encoder, with or without another head, for an objective without logits.
            epochs: the global batches of each epoch, the same on each rank.
            num_steps: the number of batches in all epochs, for the schedule.
            callbacks: the callbacks, called after each step and each epoch; they may stop the
                training, or request a save.
            save: the function that saves the state on such a request.
            start: the state to resume from, the same on each rank; the number of ranks may differ.
                The batches that it has seen are skipped.

        Returns:
            The log of the steps that were made, including those before ``start``, the same on each
            rank.

        Raises:
            RecordingError: a step cannot be recorded, or the memory is too small for recorded
                steps. Another process may train without recording.
            TrialError: the state to start from belongs to another training.
        """
        is_cuda = self.rank.device.type == "cuda"
        if not is_cuda:
            keep_freed_memory()
        wanted = Wanted(
            needs=self.objective.needs,
            is_recorded=self.record is not None,
            adds_up=self.passes > 1,
        )
        how = (DTYPES[self.precision], self.recipe, num_steps, self.rank, wanted)
        # CUDA graphs require that their operations ran before, and not on the default stream.
        with _own_stream() if is_cuda else nullcontext(), fused_model(model, *how) as fused:
            try:
                log = _Training(self, fused, num_steps).run(epochs, callbacks, save, start)
            except torch.OutOfMemoryError as error:
                if self.record and fused.is_fused:
                    raise recording_error(error) from error
                raise
        if is_cuda:
            torch.cuda.synchronize(self.rank.device)  # later code uses another stream
        return log


class _Training:
    """The state of one call of ``train``: the model, its optimiser, and the log on the device."""

    def __init__(self, engine: FastEngine, fused: FusedModel, num_steps: int) -> None:
        self._engine = engine
        self._fused = fused
        self._num_steps = num_steps
        self._facts: list[NDArray[np.float64]] = []
        self._seconds: list[float] = []
        self._start = 0.0
        self._earlier: TrainLog | None = None
        self._model: Any = fused.model
        self._objective = engine.objective.to(engine.rank.device)
        self._optimizer = Optimizer(fused, engine.recipe, num_steps, engine.precision)
        device = engine.rank.device
        num_parts = len(engine.objective.parts)
        self._log = torch.zeros((num_steps, 2 + num_parts), device=device)
        """Shape (steps, 2 + P), float32: this rank's share of the loss, the learning rate, and
        this rank's shares of the loss's parts."""
        self._position = torch.zeros(1, dtype=torch.int64, device=device)
        self._loss = torch.zeros(1 + num_parts, device=device)
        """Shape (1 + P,): this rank's share of the latest loss and of its parts."""
        self._is_whole = engine.rank.world_size == engine.passes == 1
        """Whether one call of ``_compute`` makes a whole step, its update included."""
        self._compute: Callable[..., None] = self._whole if self._is_whole else self._backward
        self._shape: Shape | None = None
        """The shape of batches if steps are recorded; else None."""
        if engine.record and fused.is_fused:
            num_passes = engine.rank.world_size * engine.passes
            num_rows = -(-engine.recipe.global_batch_size // num_passes)
            self._shape = Shape(
                num_rows=num_rows,
                length_multiple=LENGTH_MULTIPLE,
                max_length=position_limit(fused.model) or sys.maxsize,
            )
            self._compute = GraphedStep(self._compute, engine.record)

    def run(
        self,
        epochs: Iterable[Iterable[TokenisedRows]],
        callbacks: Sequence[Callback],
        save: SaveState | None,
        start: TrainingState | None,
    ) -> TrainLog:
        """Make all steps; see ``FastEngine.train``."""
        engine, place = self._engine, BEGINNING
        if start is not None:
            load_state(start, self._fused, self._optimizer, engine.recipe, engine.rank)
            self._earlier = TrainLog.from_tensors(start["log"])
            place = Place(start["num_done"], start["num_epochs"])

        def hand_over(num_epochs: int) -> None:
            if save is None:
                raise ValueError("a callback asks for a save, and train was given none")
            log = self._make_log()
            save(take_state(self._fused, self._optimizer, engine.rank, log, num_epochs))

        run_epochs(epochs, self.step, callbacks, hand_over, place)
        log = self._make_log()
        del self._compute  # recorded steps refer to this object, which would keep their memory
        return log

    def step(self, global_batch: TokenisedRows) -> StepDone:
        """Make one update; on a GPU, only queue it."""
        self._start = self._start or time.perf_counter()  # waiting for the first rows is start-up
        rank = self._engine.rank
        shares = [self._share(global_batch, number) for number in range(self._engine.passes)]
        has_table = self._fused.embeddings is not None
        self._run(shares, _words(global_batch, self._engine.pad_id) if has_table else None)
        facts = [batch_facts(one.rows, one.num_tokens, one.input_ids.numel()) for one in shares]
        self._facts.append(np.sum(facts, axis=0))
        index = len(self._facts) - 1
        number = index + 1 + (len(self._earlier.loss) if self._earlier else 0)
        if number == self._num_steps and rank.device.type == "cuda":
            torch.cuda.synchronize(rank.device)  # the steps are done, not just queued
        self._seconds.append(time.perf_counter() - self._start)
        return StepDone(number, self._log[index, 0], self._seconds[-1])

    def _share(self, batch: TokenisedRows, number: int) -> Batch:
        """Take the rows of one pass: those of a rank, if there were as many ranks as passes."""
        engine, rank = self._engine, self._engine.rank
        index = rank.index + number * rank.world_size
        place = (index, engine.passes * rank.world_size, engine.pad_id)
        share = rank_share(batch, *place, self._shape, engine.padding_side)
        return weigh(share, batch, engine.objective)

    def _run(self, shares: Sequence[Batch], words: torch.Tensor | None) -> None:
        if not self._model.training:
            self._model.train()
        if self._fused.embeddings is not None and words is not None:
            self._fused.embeddings.begin(words)
        device = self._engine.rank.device
        if not self._is_whole:
            self._zero()
        for share in shares:
            self._compute(*(_move(tensor, device) for tensor in share.tensors))
        if not self._is_whole:
            if self._engine.rank.world_size > 1:
                self._fused.add_up_ranks()
            self._update()

    def _make_log(self) -> TrainLog:
        """Combine the device's log with the host's, as far as the training has come."""
        facts, seconds, rank = self._facts, list(self._seconds), self._engine.rank
        if not facts and self._earlier is not None:
            return self._earlier
        if rank.device.type == "cuda":  # after an early stop, some steps are only queued
            waiting = time.perf_counter()
            torch.cuda.synchronize(rank.device)
            seconds[-1] += time.perf_counter() - waiting
        loss, rates, *parts = self._log[: len(facts)].cpu().T
        num_made = len(facts) + (len(self._earlier.loss) if self._earlier else 0)
        num_skipped = num_made - int(self._optimizer.num_updates)
        losses = {"loss": loss} | dict(zip(self._objective.parts, parts, strict=True))
        log = make_log(losses, rates.tolist(), facts, seconds, num_skipped, rank)
        return log if self._earlier is None else self._earlier.followed_by(log)

    def _whole(self, *batch: torch.Tensor) -> None:
        self._zero()
        self._backward(*batch)
        self._update()

    def _zero(self) -> None:
        self._fused.zero()
        self._loss.zero_()

    def _backward(
        self,
        input_ids: torch.Tensor,
        mask: torch.Tensor | None,
        labels: torch.Tensor,
        row_weights: torch.Tensor,
        *others: torch.Tensor,
    ) -> None:
        """Add one pass's part of the loss and its gradients, from ``Batch.tensors``."""
        engine = self._engine
        with autocast(engine.rank.device, engine.precision):
            output = self._fused.compute(input_ids, mask)
        targets = dict(zip(sorted(self._objective.targets), others, strict=True))
        each = self._objective.losses(output, labels, targets)
        each = each if each.dim() == 2 else each[:, None]
        shares = (each * row_weights[:, None]).sum(dim=0)
        torch.autograd.backward(shares[0] * self._optimizer.loss_scale)
        self._loss.add_(shares.detach())

    def _update(self) -> None:
        self._optimizer.step()
        rate = self._optimizer.learning_rate.reshape(1)
        entry = torch.cat([self._loss[:1], rate, self._loss[1:]])
        self._log.index_copy_(0, self._position, entry[None])
        self._position.add_(1)


def _own_stream() -> AbstractContextManager[object]:
    make_stream: Any = torch.cuda.Stream  # no type information
    stream = make_stream()
    stream.wait_stream(torch.cuda.current_stream())  # the model's copy may not be finished
    return torch.cuda.stream(stream)


def _words(batch: TokenisedRows, pad_id: int) -> torch.Tensor:
    """Return the global batch's distinct token ids, sorted, including that of the padding."""
    return torch.from_numpy(np.unique(np.append(batch.ids, pad_id)).astype(np.int64))


def _move(tensor: torch.Tensor | None, device: torch.device) -> Any:
    if tensor is None or tensor.device == device:
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)
