"""What checkpoints cost: a training with the default interval against one without, as a table.

    python benchmarks/checkpoints.py DATASET MODEL [ROWS] [ROUNDS]

Both take turns in one process, in another order each round, with the real callback and real files
in a temporary folder; the driver's part of the reporter is left out. Wall time and processor time,
which contains that of the thread that writes, are compared.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import torch
from common import make_task  # beside this file

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Rank
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.record.checkpoints import CheckpointFolder
from agnews_ray.run.checkpointing import Checkpoints
from agnews_ray.run.device import resolve_precision
from agnews_ray.run.worker_callbacks import TrainingClock
from agnews_ray.spec.recovery import RecoverySpec


class Reporter:
    """Stands in for what tells the driver; counts checkpoints."""

    def __init__(self) -> None:
        self.count = 0

    def is_save_wanted(self) -> bool:
        return False

    def saved(self, step: int) -> None:  # noqa: ARG002  # as the real one
        self.count += 1

    def tell(self, text: str) -> None:
        print(text)


def run(task: Any, is_kept: bool) -> tuple[float, float, int]:
    """Train once; return seconds, seconds of processors, and the number of checkpoints."""
    torch.manual_seed(1)
    model = build_classifier(task.variant, task.class_names, 1, task.tokenizer)
    batches = list(train_batches([task.rows], task.recipe.global_batch_size, 1, 0))
    rank, reporter, clock = Rank(), Reporter(), TrainingClock(PauseWatch())
    engine = FastEngine(
        recipe=task.recipe,
        precision=resolve_precision(task.recipe, "cpu"),
        pad_id=task.tokenizer.pad_token_id,
        rank=rank,
    )
    with tempfile.TemporaryDirectory() as folder:
        setup: Any = SimpleNamespace(rank=rank, reporter=reporter)
        kept = Checkpoints(
            CheckpointFolder(str(Path(folder, "one")), "one", "a"),
            setup,
            RecoverySpec(),
            clock,
            [clock],
        )
        kept.expect(num_parameters(model), 0)
        wall, processor = time.perf_counter(), time.process_time()
        callbacks = [clock, kept] if is_kept else [clock]
        engine.train(model, [batches], len(batches), callbacks, kept.save)
        kept.close()
        return time.perf_counter() - wall, time.process_time() - processor, reporter.count


def main(dataset: str, model: str, num_rows: int = 8000, num_rounds: int = 3) -> None:
    """Run both in turns and print."""
    task = make_task(model, dataset, num_rows, torch.get_num_threads())
    run(make_task(model, dataset, 160, torch.get_num_threads()), is_kept=False)  # warm-up
    print("| Round | Without (s) | With (s) | Wall | Processors | Checkpoints |")
    print("| --- | --- | --- | --- | --- | --- |")
    walls, processors = [], []
    for number in range(num_rounds):
        found = {kept: run(task, kept) for kept in ([False, True] if number % 2 else [True, False])}
        (wall, processor, _), (kept_wall, kept_processor, count) = found[False], found[True]
        walls.append(kept_wall / wall)
        processors.append(kept_processor / processor)
        print(
            f"| {number + 1} | {wall:.1f} | {kept_wall:.1f} | {walls[-1]:.3f} x "
            f"| {processors[-1]:.3f} x | {count} |",
            flush=True,
        )
    print(f"| median | | | {median(walls):.3f} x | {median(processors):.3f} x | |")


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:5]))
