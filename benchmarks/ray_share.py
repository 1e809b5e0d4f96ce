"""What Ray and Ray Data cost while training: `agnews-ray submit` against a plain torch loop.

    python benchmarks/ray_share.py MODEL DATASET [ROWS] [ROUNDS]

Both train the same batches from the same weights by the fast engine for one epoch, in bf16 where
the CPU has instructions for it, else in fp32. They take turns of some seconds within their
trainings: one of them is stopped, with all its processes, while the other runs. So each step is
compared with the same step of the other a few seconds later, and a machine that others use too
does not count. Prints samples/s and Ray's share of the training time.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import pyarrow.parquet as pq
import torch
import torch.multiprocessing
from common import make_task  # beside this file

from agnews_ray.bench.timing import WARM_UP_SHARE, TimingTask
from agnews_ray.data.batches import train_batches
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.results import Rank
from agnews_ray.model.build import build_classifier
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.record.store import StudyStore
from agnews_ray.run.device import resolve_precision

TURN_S = 5.0
"""How long a turn lasts. A step takes much less, so one that takes longer was stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """One training, step by step."""

    seconds: np.ndarray
    """Shape (steps,), what each took; at least ``TURN_S`` where a turn ended within it."""
    rows: np.ndarray
    """Shape (steps,), rows trained on."""
    rows_hash: np.ndarray
    """Shape (steps,), order-free hash of the row numbers."""


def train_plain(task: TimingTask, answer: Connection) -> None:
    """Train as `submit` does, with nothing around it."""
    torch.set_num_threads(task.num_threads)
    precision = resolve_precision(task.recipe, task.device)
    model = build_classifier(task.variant, task.class_names, task.seed, task.tokenizer)
    pad_id = task.tokenizer.pad_token_id or 0
    engine = FastEngine(recipe=task.recipe, precision=precision, pad_id=pad_id, rank=Rank())
    batch_size = task.recipe.global_batch_size
    batches = train_batches([task.rows], batch_size, task.seed, epoch=0)
    num_steps = steps_per_epoch(len(task.rows), batch_size)
    log = engine.train(model, [batches], num_steps)
    seconds = np.diff(log.seconds, prepend=0.0)
    answer.send(Steps(seconds=seconds, rows=log.rows, rows_hash=log.rows_hash))


def submit(model: str, dataset: str, num_rows: int, folder: str) -> subprocess.Popen:
    """Start the command and wait until it trains."""
    init = "pretrained" if Path(model).is_dir() else "random"
    flags = f"--init {init} --limit-train {num_rows} --limit-test 100 --epochs 1 --name share"
    words = ["submit", "--models", model, "--dataset", dataset, "--runs", folder, *flags.split()]
    command = [sys.executable, "-m", "agnews_ray", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if not any(" step " in line for line in process.stdout):
        sys.exit(f"{' '.join(command)} ended before its first step")
    return process


def submitted_steps(folder: str) -> Steps:
    """Read what `submit` left."""
    store = StudyStore(Path(folder), "share")
    file = store.trial_folder(store.records()[0].trial_id) / "curve.parquet"
    curve = pq.read_table(file).to_pydict()
    return Steps(
        seconds=np.diff(curve["seconds"], prepend=0.0),
        rows=np.diff(curve["samples_seen"], prepend=0),
        rows_hash=np.array(curve["rows_hash"]),
    )


def take_turns(pids: list[int]) -> None:
    """Let one process run at a time, with its children, until one of them has ended."""
    processes = [psutil.Process(pid) for pid in pids]
    try:
        while all(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes):
            _signal(processes[1], "suspend")
            _signal(processes[0], "resume")
            time.sleep(TURN_S)
            processes.reverse()
    finally:
        for process in processes:
            _signal(process, "resume")


def _signal(process: psutil.Process, what: str) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                getattr(one, what)()


def measure(task: TimingTask, model: str, dataset: str) -> float:
    """Run both once; print and return Ray's share."""
    context = torch.multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    alone = context.Process(target=train_plain, args=(task, sender))
    alone.start()  # returns once it has imported all it needs and read its task
    sender.close()  # so that its end is the answer's, should it fail
    try:
        _signal(psutil.Process(alone.pid), "suspend")
        with tempfile.TemporaryDirectory() as folder:
            with submit(model, dataset, len(task.rows), folder) as submitted:
                take_turns([submitted.pid, alone.pid])
                plain = receiver.recv()
            if submitted.returncode:
                sys.exit("submit failed")
            ray = submitted_steps(folder)
    finally:
        alone.kill()
    if not np.array_equal(plain.rows_hash, ray.rows_hash):
        sys.exit("the two trained other batches")
    compared = (plain.seconds < TURN_S) & (ray.seconds < TURN_S)
    compared[: max(1, int(WARM_UP_SHARE * len(compared)))] = False
    num_rows = plain.rows[compared].sum()
    plain_s, ray_s = plain.seconds[compared].sum(), ray.seconds[compared].sum()
    share = 1 - plain_s / ray_s
    print(
        f"{compared.sum()} steps: plain {num_rows / plain_s:.1f}, under Ray {num_rows / ray_s:.1f} "
        f"samples/s: Ray's share {share:.1%}",
        flush=True,
    )
    return share


def main() -> None:
    """Print a line a round, then the median."""
    model, dataset = sys.argv[1:3]
    num_rows, num_rounds = (int(n) for n in (*sys.argv[3:], "3200", "3")[:2])
    task = make_task(model, dataset, num_rows, num_usable_cpus())
    print(f"{num_rows} rows, {resolve_precision(task.recipe, 'cpu')}, turns of {TURN_S:.0f} s")
    shares = [measure(task, model, dataset) for _ in range(num_rounds)]
    print(f"median {median(shares):.1%}")


if __name__ == "__main__":
    main()
