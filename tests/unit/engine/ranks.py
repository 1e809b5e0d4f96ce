"""Training by several processes, for tests; a module of its own, so that they can import it."""

import pickle
from pathlib import Path

import torch
import torch.distributed as dist

from agnews_ray.data.batches import train_batches
from agnews_ray.engine import exchange
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.results import Rank
from agnews_ray.spec.study import RecipeSpec
from tests.unit.data.test_batches import some_rows
from tests.unit.engine.models import a_model

NUM_STEPS = 41
RECIPE = RecipeSpec(learning_rate=1e-3, global_batch_size=10)


def train(index, world_size, precision, folder, *, shares_memory=True):
    """Train on 401 rows, the last batch of a single one; leave log and weights."""
    torch.set_num_threads(1)
    if not shares_memory:
        exchange.SHARED_FOLDER = Path("/nowhere")
    if world_size > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{folder}/meeting", rank=index, world_size=world_size
        )
    model = a_model()
    engine = FastEngine(
        recipe=RECIPE, precision=precision, pad_id=0, rank=Rank(index=index, world_size=world_size)
    )
    batches = train_batches([some_rows(401)], 10, 1, 0)
    log = engine.train(model, batches, NUM_STEPS, lambda *_: None)
    if world_size > 1:
        dist.destroy_process_group()
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    (Path(folder) / f"{world_size}-{index}").write_bytes(pickle.dumps((log, weights)))


def train_shared(index, world_size, precision, folder):
    """As ``multiprocessing.spawn`` calls it."""
    train(index, world_size, precision, folder)


def train_by_sockets(index, world_size, precision, folder):
    """The same where ranks share no memory."""
    train(index, world_size, precision, folder, shares_memory=False)
