"""What a second worker brings: two workers on a core each against one worker on one core.

    python benchmarks/workers.py MODEL DATASET [ROWS] [ROUNDS] [BATCH]

MODEL is a folder or an alias (with fresh weights), DATASET as for `agnews-ray submit`. Both train
the same rows by the fast engine for one epoch, in turns, each worker a process of its own, in bf16
where the CPU has instructions for it, else in fp32; the global batch (16 rows, unless said
otherwise) is the same. Prints samples/s, the ratio of each round and its median.
"""

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

import torch
import torch.distributed as dist
import torch.multiprocessing
from common import make_task  # beside this file

from agnews_ray.bench import timing
from agnews_ray.bench.ratios import Contender
from agnews_ray.engine.results import Rank
from agnews_ray.run.device import resolve_precision


def work(rank: int, world_size: int, task: timing.TimingTask, meeting: str, answer: object) -> None:
    """Train as one of several workers; rank 0 answers with samples/s."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank]})
    torch.set_num_threads(1)
    if world_size > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=world_size
        )
    contender = Contender(engine="fast", precision=resolve_precision(task.recipe, "cpu"))
    run = timing.time_training(task, contender, Rank(index=rank, world_size=world_size))
    if rank == 0:
        answer.put(run.samples_per_second)


def measure(world_size: int, task: timing.TimingTask) -> float:
    """Start the workers, see them end, and give rank 0's answer."""
    answer = torch.multiprocessing.get_context("spawn").SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        torch.multiprocessing.spawn(work, (world_size, task, meeting, answer), world_size)
    return answer.get()


def main() -> None:
    """Print a line a round, then the median."""
    defaults = [6400, 4, 16]
    given = [int(n) for n in sys.argv[3:6]]
    num_rows, num_rounds, batch_size = given + defaults[len(given) :]
    task = make_task(sys.argv[1], sys.argv[2], num_rows, 1, batch_size)
    print(f"{num_rows} rows, batches of {batch_size}, {resolve_precision(task.recipe, 'cpu')}")
    ratios = []
    for number in range(num_rounds):
        order = (1, 2) if number % 2 == 0 else (2, 1)
        found = {world_size: measure(world_size, task) for world_size in order}
        ratios.append(found[2] / found[1])
        print(f"1 worker {found[1]:.1f}, 2 workers {found[2]:.1f} samples/s: {ratios[-1]:.2f} x")
    print(f"median {median(ratios):.2f} x")


if __name__ == "__main__":
    main()
