"""A short probe of models on the device that will train them: what steps, scoring, saving take.

Batches of several lengths are trained by the variant's own engine, in its precision, with its rows
per step and its threads. So a step's time is known by its length, and a study's lengths say the
rest: other numbers of rows or epochs need no other probe.
"""

import dataclasses
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.engine.artifact_check import replay
from agnews_ray.engine.callbacks import Action, Callback, StepDone
from agnews_ray.engine.first_pass import reason_of
from agnews_ray.engine.fused.graphs import switched_off
from agnews_ray.engine.machine_load import OtherPrograms
from agnews_ray.engine.malloc import give_back_memory
from agnews_ray.engine.objective import CrossEntropy
from agnews_ray.engine.predict import predict
from agnews_ray.engine.registry import FAST, RUNNERS, UNRECORDED, TrainingJob
from agnews_ray.engine.results import Rank
from agnews_ray.engine.thread_waiting import SpinByLoad
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.build import build_classifier
from agnews_ray.model.memory import peak_memory_bytes, reset_peak_memory
from agnews_ray.model.saving import save_artifact
from agnews_ray.plan.probed import Measured, Probed
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec

TRAIN_RANKS = (1.0, 0.1, 0.5, 0.9, 0.3, 0.7)
"""The places in the distribution of lengths at which steps are timed, the longest first: it needs
the most memory."""

MIN_RANKS, ENOUGH_S = 3, 15.0
"""Of a slow model so many lengths are timed, and further ones only within this time."""

SCORED_RANKS = (1.0, 0.7, 0.3)

NUM_UNTIMED, MIN_TIMED, MAX_STEPS, MAX_FORWARDS = 2, 3, 400, 50
SECONDS_AT_LENGTH = {"train": 1.6, "score": 0.5}
"""The time for which batches of one length are repeated."""

WORKER_BYTES = 512 << 20
"""The memory of a worker on a CPU besides a probe's: Ray, rows, and what trials before left."""

NUM_REPLAYED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTask:
    """A model to probe; it is pickled."""

    variant: VariantSpec
    recipe: RecipeSpec
    precision: Precision
    class_weights: tuple[float, ...] | None
    device: Device
    num_threads: int
    """The number of CPU threads; 0: all processors of the machine."""
    num_workers: int
    """The number of workers of a trial: the probe trains one worker's rows of each batch."""
    seed: int
    facts: ArtifactFacts
    tokenizer: PreTrainedTokenizerFast
    tokenizer_hash: str
    texts_per_second: float
    train: TokenisedRows
    """Train rows at equal distances in the split."""
    test: TokenisedRows
    texts: tuple[str, ...]
    """A few texts, which a saved model computes."""

    @property
    def rows_per_step(self) -> int:
        """The number of rows of a train batch on one worker."""
        return max(1, self.recipe.global_batch_size // self.num_workers)


def measure(task: ProbeTask, scratch: Path) -> Probed:
    """Measure a model in this process.

    Args:
        task: the model.
        scratch: a folder on the disk of the results, for a saved model.

    Returns:
        The times and sizes.
    """
    started, others = time.perf_counter(), OtherPrograms()
    torch.set_num_threads(task.num_threads or num_usable_cpus())
    rank = Rank(device=torch.device(task.device))
    reset_peak_memory(rank.device)
    model = build_classifier(task.variant, task.facts.class_names, task.seed, task.tokenizer)
    model = model.to(rank.device)
    loading_s = time.perf_counter() - started
    with SpinByLoad():  # as a trial's worker does
        steps = _time_lengths(task, model, rank)
        peak = peak_memory_bytes(rank.device)
        scored = _time_scoring(task, model, rank)
    untimed_s = float(np.median([one.untimed_s for one in steps]))
    saving_s, size_bytes = _time_saving(task, model, rank, scratch)
    return Probed(
        rows_per_step=task.rows_per_step,
        step_seconds=_by_length((one.length, one.seconds) for one in steps),
        first_seconds=max(0.0, steps[0].untimed_s - untimed_s),
        seconds_per_shape=max(0.0, untimed_s) if task.device == "cuda" else 0.0,
        rows_per_forward=task.recipe.evaluation_batch_size,
        forward_seconds=_by_length(scored),
        loading_seconds=loading_s,
        saving_seconds=saving_s,
        tokenizer=task.tokenizer_hash,
        texts_per_second=task.texts_per_second,
        train_lengths=tuple(np.sort(task.train.lengths).tolist()),
        test_lengths=tuple(np.sort(task.test.lengths).tolist()),
        peak_memory_bytes=peak + (WORKER_BYTES if task.device == "cpu" else 0),
        size_bytes=size_bytes,
        others_cores=others.cores(),
        probe_seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimedSteps:
    """The steps of one length."""

    length: int
    seconds: float
    """The time of a step."""
    untimed_s: float
    """What the first steps took beyond it."""


def _time_lengths(task: ProbeTask, model: Any, rank: Rank) -> list[_TimedSteps]:
    start = time.perf_counter()
    found: list[_TimedSteps] = []
    for place in TRAIN_RANKS:
        if len(found) >= MIN_RANKS and time.perf_counter() - start > ENOUGH_S:
            break
        found.append(_time_steps(task, model, rank, place))
    return found


def _time_steps(task: ProbeTask, model: Any, rank: Rank, place: float) -> _TimedSteps:
    batches = partial(_batches, task.train, task.rows_per_step, place, task.seed)
    watch = _Stopwatch(rank.device)
    recipe = task.recipe.model_copy(
        update={"global_batch_size": task.rows_per_step, "num_epochs": 1}
    )
    job = TrainingJob(
        recipe=recipe,
        precision=task.precision,
        tokenizer=task.tokenizer,
        rank=rank,
        seed=task.seed,
        num_steps=MAX_STEPS,
        epochs=lambda: [batches(MAX_STEPS)],
        rows=lambda: _joined(list(batches(MAX_STEPS))),
        objective=CrossEntropy.of(task.recipe, task.class_weights),
    )
    engine: str = task.variant.engine
    if engine == FAST and switched_off() is not None:
        engine = UNRECORDED
    log = RUNNERS[engine](job, model, [watch])
    seconds = (watch.ended_s - watch.began_s) / (watch.num_steps - NUM_UNTIMED)
    length = round(float(log.computed[NUM_UNTIMED:].mean()) / task.rows_per_step)
    return _TimedSteps(
        length=length, seconds=seconds, untimed_s=watch.began_s - NUM_UNTIMED * seconds
    )


class _Stopwatch(Callback):
    """Times steps after the first ones, until there are enough."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.began_s = self.ended_s = 0.0
        """The end of the untimed steps and of all, from the first step's beginning."""
        self.num_steps = 0

    def after_step(self, done: StepDone) -> Action:
        self.num_steps = done.step
        if done.step == NUM_UNTIMED:
            self.began_s = self._finished(done)
        num_timed = done.step - NUM_UNTIMED
        is_long = done.seconds - self.began_s >= SECONDS_AT_LENGTH["train"]
        if done.step == MAX_STEPS or (num_timed >= MIN_TIMED and is_long):
            self.ended_s = self._finished(done)
            return Action.STOP
        return Action.GO_ON

    def _finished(self, done: StepDone) -> float:
        """The time at which the step's work is done, not only queued."""
        waiting = time.perf_counter()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return done.seconds + time.perf_counter() - waiting


def _time_scoring(task: ProbeTask, model: Any, rank: Rank) -> list[tuple[int, float]]:
    size, side = task.recipe.evaluation_batch_size, task.tokenizer.padding_side
    found = []
    for place in SCORED_RANKS:
        batches = list(_batches(task.test, size, place, task.seed, MAX_FORWARDS))
        predicted = predict(
            model, iter(batches), task.tokenizer.pad_token_id or 0, rank, task.precision, side
        )
        next(predicted)  # untimed
        start, count = time.perf_counter(), 0
        while count < 1 or time.perf_counter() - start < SECONDS_AT_LENGTH["score"]:
            if next(predicted, None) is None:
                break
            count += 1
        seconds = (time.perf_counter() - start) / count
        found.append((int(max(batch.lengths.max() for batch in batches[: count + 1])), seconds))
    return found


def _time_saving(task: ProbeTask, model: Any, rank: Rank, scratch: Path) -> tuple[float, int]:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        size_bytes = save_artifact(Path(folder) / "artifact", model, task.tokenizer, task.facts)
        if task.texts:
            replay(Path(folder) / "artifact", task.texts, rank.device, task.precision)
    return time.perf_counter() - start, size_bytes


def _batches(
    rows: TokenisedRows, size: int, place: float, seed: int, count: int
) -> Iterator[TokenisedRows]:
    """Make batches whose longest row is at one place in the distribution of lengths.

    The other rows of a batch are somewhat shorter, as in a batch of a plan.

    Args:
        rows: the sample.
        size: the number of rows of a batch.
        place: the place, in (0, 1].
        seed: chooses the rows.
        count: the number of batches.
    """
    order = np.argsort(rows.lengths, kind="stable")
    last = max(0, int(np.ceil(place * len(order))) - 1)
    near = order[max(0, last - max(size, len(order) // 50)) : last + 1]
    rng = np.random.default_rng(seed)
    for _ in range(count):
        chosen: NDArray[np.int64] = rng.choice(near, size - 1, replace=len(near) < size - 1)
        yield rows.take(np.append(chosen, order[last]))


def _joined(batches: Sequence[TokenisedRows]) -> TokenisedRows:
    joined = batches[0]
    for batch in batches[1:]:
        joined = joined.followed_by(batch)
    return dataclasses.replace(joined, rows=np.arange(len(joined)))


def _by_length(found: Any) -> tuple[tuple[int, float], ...]:
    """Sort by length; of equal lengths the mean counts."""
    times: dict[int, list[float]] = {}
    for length, seconds in found:
        times.setdefault(length, []).append(seconds)
    return tuple((length, float(np.mean(times[length]))) for length in sorted(times))


def measure_all(tasks: Mapping[str, ProbeTask | str], scratch: Path | None = None) -> Measured:
    """Measure models one after another; one that fails does not affect the others.

    Args:
        tasks: the task of each variant by its name, or why there is none.
        scratch: a folder for saved models; None: the folder for temporary files.
    """
    found: Measured = {}
    for name, task in tasks.items():
        if isinstance(task, str):
            found[name] = task
            continue
        try:
            found[name] = measure(task, scratch or Path(tempfile.gettempdir()))
        except Exception as error:  # noqa: BLE001  # a model's or library's code may raise anything
            found[name] = reason_of(error)
        give_back_memory()
    return found
