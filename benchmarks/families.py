"""Each encoder family: our engine against the Trainer at its best, as a Markdown table.

    python benchmarks/families.py DATASET [ROWS] [ROUNDS] [LAYERS] [MODEL ...]

A family is an alias with fresh weights, at its published width and with LAYERS of its layers (0:
all), or a folder with real ones. It has a process of its own, in which the two take turns, in
another order each round; so each round gives a ratio, and a machine that others use too hits both
alike. Our setting of the allocator stays for the Trainer too, which is in its favour. In bf16
where the CPU has instructions for it, else in fp32.
"""

import dataclasses
import sys
from pathlib import Path
from statistics import median

from common import make_task  # beside this file

from agnews_ray.bench.ratios import Contender
from agnews_ray.bench.timing import TimingTask, time_training
from agnews_ray.engine.child_process import call_alone
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.run.device import resolve_precision
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec

FAMILIES = (
    "bert", "roberta", "electra-small", "mpnet", "albert", "deberta-v3-small", "modernbert",
)  # fmt: skip
"""One alias for each kind of block; DistilBERT, MiniLM and XLM-R have BERT's."""

HEADER = (
    "| Family | Ours (samples/s) | Trainer's best | Ours is faster by |\n| --- | --- | --- | --- |"
)


def take_turns(
    task: TimingTask, precision: Precision, num_rounds: int
) -> list[tuple[float, float]]:
    """Train by both engines.

    Args:
        task: what to train.
        precision: of both.
        num_rounds: at least 1.

    Returns:
        Samples per second, ours and the Trainer's, for each round.
    """
    ours = Contender(engine="fast", precision=precision)
    theirs = Contender(engine="reference-best", precision=precision)
    rounds = []
    for number in range(num_rounds):
        seeded = dataclasses.replace(task, seed=task.seed + number)
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        speeds = {one: time_training(seeded, one).samples_per_second for one in order}
        rounds.append((speeds[ours], speeds[theirs]))
    return rounds


def main(
    dataset: str, num_rows: int = 320, num_rounds: int = 2, num_layers: int = 0, *models: str
) -> None:
    """Print one row for each family: both engines' speed, and their paired ratio."""
    print(HEADER, flush=True)
    precision = resolve_precision(RecipeSpec(), "cpu")
    for model in models or FAMILIES:
        task = make_task(model, dataset, num_rows, num_usable_cpus())
        if num_layers and task.variant.init == "random":
            fewer = {"architecture": ArchitectureSpec(num_layers=num_layers)}
            task = dataclasses.replace(task, variant=task.variant.model_copy(update=fewer))
        rounds = call_alone(take_turns, task, precision, num_rounds)
        ratios = [ours / theirs for ours, theirs in rounds]
        speeds = " | ".join(f"{median(column):.1f}" for column in zip(*rounds, strict=True))
        spread = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) x"
        name = Path(model).name
        print(f"| {name}, {precision} | {speeds} | {spread} |", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0], *(int(number) for number in given[1:4]), *given[4:])
