"""A rung on several ranks, for a test; a module of its own, so that their processes import it."""

import numpy as np
import torch.distributed as dist

from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Predictions, Rank
from agnews_ray.run.worker_callbacks import Rungs, TrainingClock, Validation
from tests.unit.engine.fused.ranks import leave, meet

FOUND = Predictions(np.arange(2), np.array([1, 1]), np.eye(2, dtype=np.float32))


def decide(index, world_size, folder):
    """Ask at one rung that goes on and at one that does not; only rank 0 knows the answers."""
    meet(index, world_size, folder)
    rank, clock = Rank(index=index, world_size=world_size), TrainingClock(PauseWatch())
    validation = Validation(lambda: FOUND, clock, rank, num_classes=2)
    answers = [True, False] if index == 0 else []
    rungs = Rungs(
        steps={1, 2},
        steps_per_epoch=1,
        validation=validation,
        ask=lambda score: answers.pop(0),
        clock=clock,
        rank=rank,
    )
    found = []
    for epoch in (1, 2):
        validation.after_epoch(epoch)
        found.append(rungs.after_epoch(epoch))
    dist.destroy_process_group()
    leave(folder, world_size, index, (found, rungs.found))
