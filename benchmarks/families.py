"""Each encoder family: our engine against the Trainer at its best, as a Markdown table.

    python benchmarks/families.py DATASET [ROWS] [ROUNDS] [small|full] [MODEL ...]

A family is an alias with fresh weights, at its published size (full) or with six layers of 256
(small), or a folder with real weights. It has a process of its own, in which the two take turns,
in another order each round. They use one thread and are timed by the processor's time, which is
the time on the clock where nobody else uses the machine, and does not change where others do. Our
setting of the allocator stays for the Trainer too, which is in its favour. In bf16 where the CPU
has instructions for it, else in fp32.
"""

import dataclasses
import sys
import time
from pathlib import Path
from statistics import median

import torch
from common import make_task  # beside this file

from agnews_ray.bench.ratios import Contender
from agnews_ray.bench.timing import WARM_UP_SHARE, TimingTask, train_by
from agnews_ray.engine.callbacks import Action, Callback, StepDone
from agnews_ray.engine.child_process import call_alone
from agnews_ray.engine.results import Rank
from agnews_ray.model.build import build_classifier
from agnews_ray.model.zoo import known_model
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.run.device import resolve_precision
from agnews_ray.spec.base import Precision
from agnews_ray.spec.variant import ArchitectureSpec

FAMILIES = (
    "bert", "roberta", "electra-small", "mpnet", "albert", "deberta-v3-small", "modernbert",
)  # fmt: skip
"""One alias for each kind of block; DistilBERT, MiniLM and XLM-R have BERT's."""

SMALL = ArchitectureSpec(
    num_layers=6, hidden_size=256, num_heads=4, intermediate_size=1024, vocab_size=8000
)

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
        Samples per second of processor time, ours and the Trainer's, for each round.
    """
    torch.set_num_threads(1)
    ours = Contender(engine="fast", precision=precision)
    theirs = Contender(engine="reference-best", precision=precision)
    rounds = []
    for number in range(num_rounds):
        seeded = dataclasses.replace(task, seed=task.seed + number)
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        speeds = {one: measure(seeded, one) for one in order}
        rounds.append((speeds[ours], speeds[theirs]))
    return rounds


class ProcessorClock(Callback):
    """Notes the processor time after each step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def after_step(self, done: StepDone) -> Action:  # noqa: ARG002  # only the time counts
        """Note the time."""
        self.seconds.append(time.process_time())
        return Action.GO_ON


def measure(task: TimingTask, contender: Contender) -> float:
    """Train once.

    Args:
        task: what to train.
        contender: engine and precision.

    Returns:
        Samples per second of processor time, after the warm-up steps.
    """
    model = build_classifier(task.variant, task.class_names, task.seed, task.tokenizer)
    num_steps = steps_per_epoch(len(task.rows), task.recipe.global_batch_size)
    clock = ProcessorClock()
    log = train_by(model, task, contender, Rank(), [clock])
    num_untimed = max(1, int(WARM_UP_SHARE * num_steps))
    return float(
        log.rows[num_untimed:].sum() / (clock.seconds[-1] - clock.seconds[num_untimed - 1])
    )


def main() -> None:
    """Print a row for each family as soon as it is there."""
    dataset, *rest = sys.argv[1:]
    num_rows, num_rounds, size = [*rest[:3], *("320", "2", "full")[len(rest) :]]
    print(HEADER, flush=True)
    for model in rest[3:] or FAMILIES:
        own = SMALL if size == "small" and known_model(model) else None
        task = make_task(model, dataset, int(num_rows), 1, architecture=own)
        precision = resolve_precision(task.recipe, "cpu")
        rounds = call_alone(take_turns, task, precision, int(num_rounds))
        ratios = [ours / theirs for ours, theirs in rounds]
        speeds = " | ".join(f"{median(column):.1f}" for column in zip(*rounds, strict=True))
        spread = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) x"
        print(f"| {Path(model).name}, {precision} | {speeds} | {spread} |", flush=True)


if __name__ == "__main__":
    main()
