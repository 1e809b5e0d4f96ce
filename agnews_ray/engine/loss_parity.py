"""A comparison of a few steps by each engine on one device: it decides whether ours may run."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, BertConfig, PreTrainedTokenizerBase

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.families import is_fusable
from agnews_ray.engine.fused.graphs import Recorder
from agnews_ray.engine.registry import FAST, REFERENCE, UNRECORDED, Proof
from agnews_ray.engine.results import Rank
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.recipe import RecipeSpec

TOLERANCES = {"fp32": 2e-3, "fp16": 2e-2, "bf16": 2e-2}
"""The largest difference of two losses, in nats, that rounding explains over so few steps. On a
CPU the losses differ by at most 3e-7 in fp32 and 9e-4 in bf16."""

LENGTHS = (16, 24, 16, 16, 24, 16, 24, 16, 24, 16, 24, 16)
"""The number of tokens of each step's longest row: two shapes, each recorded at its first step."""

NUM_ROWS = 8

SIZES = {
    "vocab_size": 1000,
    "num_hidden_layers": 2,
    "hidden_size": 128,
    "embedding_size": 128,  # ELECTRA's
    "num_attention_heads": 2,
    "intermediate_size": 512,
    "hidden_dim": 512,  # DistilBERT's
    "initializer_range": 0.05,
}
"""The sizes of the small model, under every family's names. It learns the rows within these few
steps, so a missing update shows in the next loss."""

RECIPE = RecipeSpec(
    learning_rate=1e-3, global_batch_size=NUM_ROWS, num_epochs=1, warmup_fraction=0.0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The model and the setting to test; it is pickled."""

    config: Any
    """The transformers config of a small model of the trial's family."""
    tokenizer: PreTrainedTokenizerBase
    precision: Precision
    device: Device

    @classmethod
    def like(
        cls,
        model: Any,
        tokenizer: PreTrainedTokenizerBase,
        precision: Precision,
        device: Device = "cuda",
    ) -> "Task":
        """Make a task with a small model of the same family; BERT replaces unrecorded families."""
        config = copy.deepcopy(model.config) if is_fusable(model) else BertConfig()
        pad = tokenizer.pad_token_id or 0
        known = {"num_labels": 4, "problem_type": None, "pad_token_id": pad}
        vocabulary = max(SIZES["vocab_size"], pad + 1)  # an added padding token comes last
        for name, value in {**known, **SIZES, "vocab_size": vocabulary}.items():
            if hasattr(config, name):
                setattr(config, name, value)
        return cls(config=config, tokenizer=tokenizer, precision=precision, device=device)


def answers_of(task: Task, make_recorder: Callable[[], Recorder] | None) -> Iterator[Proof]:
    """Test one engine after the other, in this process.

    Args:
        task: the model and the setting to test.
        make_recorder: the function that makes a recorder of steps; None tests no recording.

    Yields:
        The answer that is right if this process ends before the next one; the last one counts.
    """
    tolerance = TOLERANCES[task.precision]
    ended = "its process ended"
    yield Proof(engine=UNRECORDED, cause=f"in the reference engine {ended}", is_kept=False)
    try:
        expected = _by_reference(task)
    except Exception as error:  # noqa: BLE001  # without its losses nothing can be compared
        cause = f"the reference engine failed: {_reason(error)}"
        yield Proof(engine=UNRECORDED, cause=cause, is_kept=False)
        return
    yield Proof(engine=REFERENCE, cause=f"in the fast engine {ended}", is_kept=False)
    try:
        plain = _by_fast(task, None)
    except Exception as error:  # noqa: BLE001  # after any error, that engine does not work here
        yield Proof(engine=REFERENCE, cause=_reason(error), is_kept=_is_lasting(error))
        return
    if apart := _difference(plain, expected, tolerance):
        yield Proof(engine=REFERENCE, cause=f"the fast engine's {apart} the reference engine's")
        return
    if make_recorder is not None:
        yield Proof(engine=UNRECORDED, cause=f"in recorded steps {ended}", is_kept=False)
        try:
            recorded = _by_fast(task, make_recorder())
        except Exception as error:  # noqa: BLE001  # after any error, recording does not work here
            yield Proof(engine=UNRECORDED, cause=_reason(error), is_kept=_is_lasting(error))
            return
        if apart := _difference(recorded, plain, tolerance):
            yield Proof(engine=UNRECORDED, cause=f"recorded steps' {apart} unrecorded ones'")
            return
    yield Proof(engine=FAST)


def _difference(
    found: NDArray[np.float64], expected: NDArray[np.float64], tolerance: float
) -> str | None:
    apart = np.abs(found - expected)
    too_far = np.flatnonzero(~(apart <= tolerance))  # NaN is too far, too
    if not len(too_far):
        return None
    step = int(too_far[0])
    return f"loss at step {step + 1} is {found[step]:.4f}, not {expected[step]:.4f} as"


def _by_reference(task: Task) -> NDArray[np.float64]:
    from agnews_ray.engine.reference import ReferenceEngine  # slow; few workers test

    rows = _rows(task)
    plan = [batch.rows for batch in _batches(rows)]
    engine = ReferenceEngine(
        recipe=RECIPE,
        precision=task.precision,
        tokenizer=task.tokenizer,
        rank=Rank(device=torch.device(task.device)),
        style="paper",
    )
    model = _model(task)
    return engine.train(model, rows, 0, plan=plan).loss


def _by_fast(task: Task, record: Recorder | None) -> NDArray[np.float64]:
    engine = FastEngine(
        recipe=RECIPE,
        precision=task.precision,
        pad_id=task.tokenizer.pad_token_id or 0,
        rank=Rank(device=torch.device(task.device)),
        padding_side=task.tokenizer.padding_side,
        record=record,
    )
    return engine.train(_model(task), [_batches(_rows(task))], len(LENGTHS)).loss


def _model(task: Task) -> Any:
    """Make the model: the same weights each time, no dropout, which differs between engines."""
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(task.config).float()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.to(task.device).train()


def _rows(task: Task) -> TokenisedRows:
    """Make the rows of all steps: the same few in each step, so that the model learns them fast."""
    rng = np.random.default_rng(0)
    pad = task.tokenizer.pad_token_id or 0
    known = np.setdiff1d(np.arange(task.config.vocab_size), [pad])
    longest = rng.choice(known, (NUM_ROWS, max(LENGTHS)))
    lengths = [length - 4 * (number % 4) for length in LENGTHS for number in range(NUM_ROWS)]
    ids = [longest[n % NUM_ROWS, :length] for n, length in enumerate(lengths)]
    labels = np.arange(NUM_ROWS) % task.config.num_labels
    return TokenisedRows(
        ids=np.concatenate(ids).astype(np.uint32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        labels=np.tile(labels, len(LENGTHS)),
        rows=np.arange(len(lengths)),
    )


def _batches(rows: TokenisedRows) -> list[TokenisedRows]:
    steps = np.arange(len(rows)).reshape(len(LENGTHS), NUM_ROWS)
    return [rows.take(step) for step in steps]


def _is_lasting(error: Exception) -> bool:
    """Whether another test would fail too; out of memory may be due to another process."""
    return "out of memory" not in str(error)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
