"""What checkpoints cost: a training with the default interval against one without, as a table.

    python benchmarks/checkpoints.py DATASET MODEL [ROWS] [ROUNDS]

Both take turns in one process, in another order each round, with the real callback and real files
in a temporary folder; the driver's part of the reporter is left out. A shared machine drifts by
more than checkpoints cost, so steps are compared one by one: both make the same batches, and the
cost is what the steps from each save until ten seconds after it took longer than those without, by
more than all other steps did.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from common import make_task  # beside this file
from numpy.typing import NDArray

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Rank
from agnews_ray.engine.state import TrainingState
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.record.checkpoints import CheckpointFolder
from agnews_ray.run.checkpointing import Checkpoints
from agnews_ray.run.device import resolve_precision
from agnews_ray.run.worker_callbacks import TrainingClock
from agnews_ray.spec.recovery import RecoverySpec

AFTER_S = 10.0
"""The time after a save in which its thread may write."""


class Reporter:
    """Stands in for what tells the driver."""

    def is_save_wanted(self) -> bool:
        return False

    def saved(self, step: int) -> None:
        """Tell nobody."""

    def tell(self, text: str) -> None:
        print(text)


def run(task: Any, is_kept: bool) -> tuple[NDArray[np.float64], list[int]]:
    """Train once; return the seconds of each step, and the steps after which it was saved."""
    torch.manual_seed(1)
    model = build_classifier(task.variant, task.class_names, 1, task.tokenizer)
    batches = list(train_batches([task.rows], task.recipe.global_batch_size, 1, 0))
    rank, clock, saves = Rank(), TrainingClock(PauseWatch()), []
    engine = FastEngine(
        recipe=task.recipe,
        precision=resolve_precision(task.recipe, "cpu"),
        pad_id=task.tokenizer.pad_token_id,
        rank=rank,
    )
    with tempfile.TemporaryDirectory() as folder:
        setup: Any = SimpleNamespace(rank=rank, reporter=Reporter())
        place = CheckpointFolder(str(Path(folder, "one")), "one", "a")
        kept = Checkpoints(place, setup, RecoverySpec(), clock, [clock])
        kept.expect(num_parameters(model), 0)

        def save(state: TrainingState) -> None:
            saves.append(state["num_done"])
            kept.save(state)

        callbacks = [clock, kept] if is_kept else [clock]
        log = engine.train(model, [batches], len(batches), callbacks, save)
        kept.close()
    return np.diff(log.seconds, prepend=0.0), saves


def main(dataset: str, model: str, num_rows: int = 8000, num_rounds: int = 3) -> None:
    """Run both in turns and print."""
    task = make_task(model, dataset, num_rows, torch.get_num_threads())
    run(make_task(model, dataset, 160, torch.get_num_threads()), is_kept=False)  # warm-up
    print("| Round | Without (s) | With (s) | Other steps | Checkpoints | Each (s) | Share |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    shares = []
    for number in range(num_rounds):
        order = [False, True] if number % 2 else [True, False]
        found = {is_kept: run(task, is_kept) for is_kept in order}
        (plain, _), (kept, saves) = found[False], found[True]
        ends = np.cumsum(kept)
        is_near = np.zeros(len(kept), dtype=bool)
        for save in saves:  # a step's time contains the copy after the step before it
            is_near[save:] |= ends[save:] - ends[save - 1] <= AFTER_S
        drift = kept[~is_near].sum() / plain[~is_near].sum()
        cost_s = (kept[is_near] - drift * plain[is_near]).sum()
        shares.append(cost_s / kept.sum())
        print(
            f"| {number + 1} | {plain.sum():.1f} | {kept.sum():.1f} | {drift:.3f} x | {len(saves)} "
            f"| {cost_s / max(1, len(saves)):.2f} | {100 * shares[-1]:.2f} % |",
            flush=True,
        )
    print(f"| median | | | | | | {100 * median(shares):.2f} % |")


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:5]))
