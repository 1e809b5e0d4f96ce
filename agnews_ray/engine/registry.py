"""Engines by name: what each is given, and what runs it.

The Hugging Face Trainer is imported when it is to run: a worker of the fast engine would wait a
second for it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedTokenizerBase

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.engine.callbacks import Callback
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.graphs import CudaRecorder
from agnews_ray.engine.objective import PLAIN, CrossEntropy
from agnews_ray.engine.results import Rank, TrainLog
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec

if TYPE_CHECKING:
    from agnews_ray.engine.reference import Style

FAST, UNRECORDED, REFERENCE = BY_TRUST = ("fast", "fast, unrecorded", "reference")
"""What may run on a GPU where the fast engine was asked for, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What may run on a device."""

    engine: str
    """A name in ``RUNNERS``."""
    cause: str | None = None
    """Why not more."""
    is_kept: bool = True
    """Whether another try would find the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """What an engine is to train a model on, and how."""

    recipe: RecipeSpec
    precision: Precision
    tokenizer: PreTrainedTokenizerBase
    rank: Rank
    seed: int
    num_steps: int
    """Updates of all epochs."""
    epochs: Callable[[], Iterable[Iterable[TokenisedRows]]]
    """Gives the global batches of each epoch, the same on each rank."""
    rows: Callable[[], TokenisedRows]
    """Gives all train rows, for an engine that makes its own batches."""
    objective: CrossEntropy = PLAIN


Runner = Callable[[TrainingJob, Any, Sequence[Callback]], TrainLog]


def _by_fast(
    job: TrainingJob, model: Any, callbacks: Sequence[Callback], *, is_recorded: bool
) -> TrainLog:
    engine = FastEngine(
        recipe=job.recipe,
        precision=job.precision,
        pad_id=job.tokenizer.pad_token_id or 0,
        rank=job.rank,
        padding_side=job.tokenizer.padding_side,
        record=CudaRecorder() if is_recorded and job.rank.device.type == "cuda" else None,
        objective=job.objective,
    )
    return engine.train(model, job.epochs(), job.num_steps, callbacks)


def _by_trainer(
    job: TrainingJob, model: Any, callbacks: Sequence[Callback], *, style: "Style"
) -> TrainLog:
    from agnews_ray.engine.reference import ReferenceEngine

    engine = ReferenceEngine(
        recipe=job.recipe,
        precision=job.precision,
        tokenizer=job.tokenizer,
        rank=job.rank,
        style=style,
        objective=job.objective,
    )
    return engine.train(model, job.rows(), job.seed, callbacks)


RUNNERS: Mapping[str, Runner] = {
    FAST: partial(_by_fast, is_recorded=True),
    UNRECORDED: partial(_by_fast, is_recorded=False),
    REFERENCE: partial(_by_trainer, style="paper"),
    "reference-best": partial(_by_trainer, style="best"),
    "reference-compiled": partial(_by_trainer, style="compiled"),
}
"""By an engine's name, or by what is left of it on a GPU."""
