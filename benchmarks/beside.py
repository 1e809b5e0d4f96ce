"""What other programs cost a training: ways of waiting for each other's threads, side by side.

    python benchmarks/beside.py MODEL DATASET [ROUNDS] [BUSY,BUSY] [SETTING ...]

MODEL is a folder or an alias (with fresh weights), DATASET as for `agnews-ray submit`, BUSY how
many processes compute beside (0,1,2,4), SETTING a key of ``SETTINGS`` (all of them). Each setting
has a process of its own, since libraries read their environment when they are loaded; they take
turns and train on one batch of 16 rows by the fast engine, over and over. Those that do not train
sleep. Prints a Markdown table: medians of samples/s, and of the ratios to the first setting, round
by round; and what programs that are not ours took of the processors meanwhile: a turn that they
disturb is made once more, and the less disturbed one counts. With LIBIOMP=FOLDER/libiomp5.so (of
PyPI's `intel-openmp`) in the environment Intel's OpenMP is measured too.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from statistics import median

import numpy as np
import psutil
import torch
from common import make_task  # beside this file

from agnews_ray.bench.timing import TimingTask
from agnews_ray.data.batches import TokenisedRows, train_batches
from agnews_ray.engine.callbacks import Action, Callback, StepDone
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.machine_load import OtherPrograms
from agnews_ray.engine.results import Rank
from agnews_ray.engine.thread_waiting import SpinByLoad
from agnews_ray.model.build import build_classifier
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.run.device import resolve_precision

READ_BY_OPENMP = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "KMP_BLOCKTIME", "LD_PRELOAD")

# Environment variables of each; the first is what the others are compared with.
SETTINGS: dict[str, dict[str, str]] = {
    "default": {},
    "by load": {},
    "spin 0": {"GOMP_SPINCOUNT": "0"},
    "spin 1000": {"GOMP_SPINCOUNT": "1000"},
    "spin 10000": {"GOMP_SPINCOUNT": "10000"},
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "1 thread": {},
}
if "LIBIOMP" in os.environ:
    SETTINGS["intel"] = {"LD_PRELOAD": os.environ["LIBIOMP"]}
    SETTINGS["intel 0"] = SETTINGS["intel"] | {"KMP_BLOCKTIME": "0"}

TURN_S = 4.0
"""How long a turn lasts at least, after its untimed steps."""

UNTIMED_S = 2.5
"""How long a turn is not timed at its start: ``by load`` looks at the load once a second."""

MIN_TIMED, MAX_STEPS = 3, 10_000
"""Steps of a turn."""

BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: sum(range(1_000_000))"
"""A program that computes until its parent ends."""

DISTURBED = 0.15
"""Processors that other programs take in a turn which is made again."""


def serve(task: TimingTask, name: str, asked: Connection) -> None:
    """Train for a turn whenever asked, until the other end is closed."""
    torch.set_num_threads(1 if name == "1 thread" else num_usable_cpus())
    precision = resolve_precision(task.recipe, "cpu")
    model = build_classifier(task.variant, task.class_names, task.seed, task.tokenizer)
    pad_id = task.tokenizer.pad_token_id or 0
    engine = FastEngine(recipe=task.recipe, precision=precision, pad_id=pad_id, rank=Rank())
    batch = one_batch(task)
    with SpinByLoad() if name == "by load" else nullcontext():
        while True:
            try:
                seconds = asked.recv()
            except EOFError:
                return
            turn = Turn(batch, seconds)
            engine.train(model, [turn], MAX_STEPS, [turn])
            asked.send(turn.speed())


def one_batch(task: TimingTask) -> TokenisedRows:
    """The batch of median size: each turn of each setting computes the same."""
    batches = list(train_batches([task.rows], task.recipe.global_batch_size, task.seed, epoch=0))
    return sorted(batches, key=lambda batch: batch.lengths.max())[len(batches) // 2]


class Turn(Callback):
    """One batch over and over, until so many seconds of timed steps are over."""

    def __init__(self, batch: TokenisedRows, seconds: float) -> None:
        self._batch, self._seconds = batch, seconds
        self._start = time.perf_counter()
        self._ends: list[float] = []

    def __iter__(self) -> Iterator[TokenisedRows]:
        while len(self._ends) <= MIN_TIMED or self._timed() < self._seconds:
            yield self._batch

    def after_step(self, done: StepDone) -> Action:  # noqa: ARG002  # only the time counts
        """Note when a step ended."""
        end = time.perf_counter()
        if not self._ends or self._ends[0] < self._start + UNTIMED_S:
            self._ends = []  # the last untimed step's end is the first one kept
        self._ends.append(end)
        return Action.GO_ON

    def speed(self) -> float:
        """Samples/s of the timed steps."""
        return len(self._batch) * (len(self._ends) - 1) / self._timed()

    def _timed(self) -> float:
        return self._ends[-1] - self._ends[0]


def start(name: str, task: TimingTask) -> Connection:
    """Start a setting's process, with its environment; where to ask it for turns."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    before = dict(os.environ)
    for variable in READ_BY_OPENMP:
        os.environ.pop(variable, None)
    os.environ.update(SETTINGS[name])
    context.Process(target=serve, args=(task, name, theirs), daemon=True).start()
    os.environ.clear()
    os.environ.update(before)
    theirs.close()
    return ours


@contextmanager
def busy(number: int) -> Iterator[None]:
    """So many processes that compute beside."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def cpu_seconds_of_ours() -> float:
    """CPU seconds of this process and of those that it started, ended ones included."""
    me = psutil.Process()
    times = [sum(child.cpu_times()[:2]) for child in me.children(recursive=True)]
    return sum(times) + sum(me.cpu_times()[:4])


def quiet_turn(trainer: Connection) -> tuple[float, float]:
    """What others took of the processors, and samples/s; of the less disturbed turn."""
    turns: list[tuple[float, float]] = []
    while len(turns) < 2 and (not turns or min(turns)[0] > DISTURBED):
        others = OtherPrograms(own=cpu_seconds_of_ours)
        trainer.send(TURN_S)
        speed = trainer.recv()
        turns.append((others.cores() or 0.0, speed))
    return min(turns)


def main() -> None:
    """Take turns, then print the table."""
    model, dataset = sys.argv[1:3]
    num_rounds = int((*sys.argv[3:], "3")[0])
    counts = [int(n) for n in (*sys.argv[4:], "0,1,2,4")[0].split(",")]
    names = sys.argv[5:] or list(SETTINGS)
    task = make_task(model, dataset, 1600, num_usable_cpus())
    tokens = one_batch(task).lengths.max()
    print(f"16 rows of up to {tokens} tokens, {num_usable_cpus()} cores, torch {torch.__version__}")
    trainers = {name: start(name, task) for name in names}
    for trainer in trainers.values():
        trainer.send(0.0)  # to load, and to make kernels
        trainer.recv()
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    others: list[float] = []
    for number in range(num_rounds):
        for count in counts:
            with busy(count):
                for name in np.roll(names, -number):
                    taken, speed = quiet_turn(trainers[name])
                    others.append(taken)
                    found[name, count].append(speed)
                    line = f"{number + 1}, {count} busy, {name}: {speed:.1f} samples/s"
                    print(f"{line}, others {taken:.2f}", file=sys.stderr, flush=True)
    for trainer in trainers.values():
        trainer.close()
    print("| setting | " + " | ".join(f"{count} busy" for count in counts) + " |")
    print("| --- " * (len(counts) + 1) + "|")
    for name in names:
        cells = []
        for count in counts:
            firsts = found[names[0], count]
            ratio = median(a / b for a, b in zip(found[name, count], firsts, strict=True))
            cells.append(f"{median(found[name, count]):.1f} ({ratio:.2f} x)")
        print(f"| {name} | " + " | ".join(cells) + " |")
    print(f"{num_rounds} rounds; others used {median(others):.2f} cores, at most {max(others):.2f}")


if __name__ == "__main__":
    main()
