"""Training by several processes, for tests; a module of its own, so that they can import it."""

import multiprocessing
import os
import pickle
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.best_epoch import BestEpoch
from agnews_ray.engine.callbacks import Action, Callback
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused import exchange
from agnews_ray.engine.objective import PLAIN
from agnews_ray.engine.pretraining import make_objective
from agnews_ray.engine.results import Rank
from agnews_ray.engine.soft_targets import SoftTargets
from agnews_ray.engine.state_file import read_parts, write_part
from agnews_ray.spec.distillation import OBJECTIVES_WITH_HEAD, PretrainingSpec
from agnews_ray.spec.recipe import RecipeSpec, StopSpec
from tests.fakes.token_rows import masked_rows, some_rows, taught_rows
from tests.unit.engine.models import a_masked_lm, a_model

NUM_STEPS = 41
RECIPE = RecipeSpec(learning_rate=1e-3, global_batch_size=10)


def in_processes(target, world_size, *arguments):
    """Call ``target(rank, *arguments)`` in new processes, one for each rank.

    They are forked from a process that has imported this module, which takes seconds.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__])
    torch.multiprocessing.start_processes(target, arguments, world_size, start_method="forkserver")


def meet(index, world_size, folder):
    """Make this process a rank."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=index, world_size=world_size
    )


def train(index, world_size, precision, folder, family="bert", passes=1):
    """Train on 401 rows, the last batch of a single one; leave log and weights."""
    if world_size > 1:
        meet(index, world_size, folder)
    model = a_model(family)
    engine = FastEngine(
        recipe=RECIPE,
        precision=precision,
        pad_id=model.config.pad_token_id or 0,
        rank=Rank(index=index, world_size=world_size),
        passes=passes,
    )
    batches = train_batches([some_rows(401)], 10, 1, 0)
    log = engine.train(model, [batches], NUM_STEPS)
    if world_size > 1:
        dist.destroy_process_group()
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    leave(folder, world_size, index, (log, weights))


def train_a_student(index, world_size, folder):
    """Train on 53 rows towards teachers, the last batch of 3 rows; leave log and weights."""
    torch.set_num_threads(1)
    if world_size > 1:
        meet(index, world_size, folder)
    engine = FastEngine(
        recipe=RECIPE,
        precision="fp32",
        pad_id=0,
        rank=Rank(index=index, world_size=world_size),
        objective=SoftTargets(hard=PLAIN, temperature=4.0, soft_weight=0.7),
    )
    model = a_model()
    log = engine.train(model, [train_batches([taught_rows(53)], 10, 1, 0)], 6)
    if world_size > 1:
        dist.destroy_process_group()
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    leave(folder, world_size, index, (log, weights))


def pretrain(index, world_size, folder, objective):
    """Train an encoder on 53 masked rows, the last batch of 3 rows; leave log and weights."""
    torch.set_num_threads(1)
    if world_size > 1:
        meet(index, world_size, folder)
    if objective in OBJECTIVES_WITH_HEAD:
        student, teacher = a_masked_lm(), a_masked_lm(seed=1)
    else:
        student, teacher = a_model("roberta").base_model, a_model().base_model
    spec, rank = PretrainingSpec(objective=objective), Rank(index=index, world_size=world_size)
    engine = FastEngine(
        recipe=RECIPE,
        precision="fp32",
        pad_id=0,
        rank=rank,
        objective=make_objective(spec, student, teacher, "fp32", is_recorded=False),
    )
    log = engine.train(student, [train_batches([masked_rows(53)], 10, 1, 0)], 6)
    if world_size > 1:
        dist.destroy_process_group()
    weights = {name: p.detach().numpy() for name, p in student.named_parameters()}
    leave(folder, world_size, index, (log, weights))


def train_by_sockets(index, world_size, precision, folder, family):
    """The same where ranks share no memory."""
    exchange.SHARED_FOLDER = Path("/nowhere")
    train(index, world_size, precision, folder, family)


def train_on_another_processor(index, world_size, precision, folder, family):
    """The same where others may see writes in another order."""
    exchange.IS_ORDERED = False
    train(index, world_size, precision, folder, family)


class SaveAt(Callback):
    """Asks for a save after some step, and for no more than that."""

    def __init__(self, step, wanted=Action.SAVE):
        self.step, self.wanted = step, wanted

    def after_step(self, done):
        return self.wanted if done.step == self.step else Action.GO_ON


def train_in_parts(index, world_size, folder):
    """Train on 53 rows from the state in the folder, or leave the one in the middle there."""
    torch.set_num_threads(1)
    if world_size > 1:
        meet(index, world_size, folder)
    parts = sorted(Path(folder).glob("part-*"))
    start = read_parts(parts)["state"] if parts else None
    if world_size > 1:
        dist.barrier()  # before one leaves a part
    rank = Rank(index=index, world_size=world_size)
    engine = FastEngine(recipe=RECIPE, precision="fp32", pad_id=0, rank=rank)
    model = a_model()
    if start is not None:
        torch.nn.init.zeros_(model.classifier.weight)  # what a state replaces

    def save(state):
        write_part(Path(folder) / f"part-{index}", state, {})

    epochs = (train_batches([some_rows(53)], 10, 1, epoch) for epoch in range(2))
    log = engine.train(model, epochs, 12, [] if parts else [SaveAt(5)], save, start)
    if world_size > 1:
        dist.destroy_process_group()
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    leave(folder, world_size, index, (log, weights))


def train_with_a_rule(index, world_size, folder):
    """Train on 53 rows until the rule ends it, after the third epoch; leave the second's weights.

    Only rank 0 scores anything, as if there were a single batch to score.
    """
    torch.set_num_threads(1)
    if world_size > 1:
        meet(index, world_size, folder)
    rank = Rank(index=index, world_size=world_size)
    engine = FastEngine(recipe=RECIPE, precision="fp32", pad_id=0, rank=rank)
    model, scores = a_model(), iter([0.5, 0.9, 0.1])

    def score():
        if index == 0:
            model.eval()(input_ids=torch.ones(1, 3, dtype=torch.int64))
        return next(scores)

    best = BestEpoch(model, StopSpec(patience=1), score)
    epochs = (train_batches([some_rows(53)], 10, 1, epoch) for epoch in range(4))
    engine.train(model, epochs, 24, [best])
    best.restore()
    if world_size > 1:
        dist.destroy_process_group()
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    leave(folder, world_size, index, (best.epoch, weights))


def add_up(index, world_size, folder):
    """Sum more numbers than fit in a slot, again and again, the ranks at different speeds."""
    exchange.SLOT_ELEMENTS = 4
    meet(index, world_size, folder)
    ranks = exchange.Exchange(Rank(index=index, world_size=world_size))
    found = []
    for number in range(50):
        time.sleep(0.001 * ((number + index) % world_size))
        values = torch.arange(10.0).view(2, 5) * (index + 1) + number
        ranks.add_up(values)
        found.append(values)
    leave(folder, world_size, index, torch.stack(found))


def wait_for_one_who_has_ended(index, world_size, folder):
    """The last rank ends without a word; the others say how their wait for it ended."""
    exchange.PATIENCE_S = 0.1
    meet(index, world_size, folder)
    ranks = exchange.Exchange(Rank(index=index, world_size=world_size))
    ranks.meet()
    if index == world_size - 1:
        os._exit(0)
    try:
        ranks.meet()
    except RuntimeError as error:
        leave(folder, world_size, index, str(error))
    os._exit(0)  # the process group would wait for it too


def leave(folder, world_size, index, result):
    """Leave a result for the test."""
    (Path(folder) / f"{world_size}-{index}").write_bytes(pickle.dumps(result))
