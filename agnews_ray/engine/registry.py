"""The engines by name: their input, and the function that runs each.

The Hugging Face Trainer is imported only before it runs: importing it would cost a worker of the
fast engine a second.
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
from agnews_ray.engine.objective import PLAIN, Objective
from agnews_ray.engine.results import Rank, TrainLog
from agnews_ray.engine.state import SaveState, TrainingState
from agnews_ray.errors import ResourceError
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec

if TYPE_CHECKING:
    from agnews_ray.engine.reference import Style

FAST, UNRECORDED, REFERENCE = BY_TRUST = ("fast", "fast, unrecorded", "reference")
"""The engines that may run on a GPU if the fast engine was requested, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The best engine that may run on a device."""

    engine: str
    """A name in ``RUNNERS``."""
    cause: str | None = None
    """The reason why no better engine may run."""
    is_kept: bool = True
    """Whether another test would give the same answer, so that this one can be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """The data and settings with which an engine trains a model."""

    recipe: RecipeSpec
    precision: Precision
    tokenizer: PreTrainedTokenizerBase
    rank: Rank
    seed: int
    num_steps: int
    """The number of updates in all epochs."""
    epochs: Callable[[], Iterable[Iterable[TokenisedRows]]]
    """The function that returns the global batches of each epoch, the same on each rank."""
    rows: Callable[[], TokenisedRows]
    """The function that returns all train rows, for an engine that makes its own batches."""
    objective: Objective = PLAIN
    """The objective to minimise; its tensors are on the CPU."""
    passes: int = 1
    """The number of passes into which a rank's share of a step is cut; only the fast engine can."""
    save: SaveState | None = None
    """The function that saves a state when a callback requests it."""
    start: TrainingState | None = None
    """The state from which the training goes on; None for its beginning. Only the fast engine has
    states."""


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
        passes=job.passes,
    )
    return engine.train(
        model, job.epochs(), job.num_steps, callbacks, save=job.save, start=job.start
    )


def _by_trainer(
    job: TrainingJob, model: Any, callbacks: Sequence[Callback], *, style: "Style"
) -> TrainLog:
    if job.passes > 1:
        found, hint = "memory full in a whole pass", "lower --global-batch-size or --max-length"
        raise ResourceError("engine reference", "a GPU with enough memory", found, hint)
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
"""The functions that run the engines, by a name in a recipe or in ``BY_TRUST``."""
