"""What callbacks are told by both engines, and that they can stop them."""

import numpy as np
import pytest

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.callbacks import Action, Callback, tell
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.results import Rank
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.models import a_model

RECIPE = RecipeSpec(learning_rate=5e-4, global_batch_size=10, num_epochs=2)
NUM_ROWS, NUM_STEPS = 25, 6


class Telling(Callback):
    """Keeps what it is told, and stops at a step or an epoch."""

    def __init__(self, at_step=None, at_epoch=None):
        self.events, self.done = [], []
        self.at_step, self.at_epoch = at_step, at_epoch

    def after_step(self, done):
        self.events.append(done.step)
        self.done.append((float(done.loss), done.seconds))
        return Action.STOP if done.step == self.at_step else Action.GO_ON

    def after_epoch(self, epoch):
        self.events.append(f"epoch {epoch}")
        return Action.STOP if epoch == self.at_epoch else Action.GO_ON


def by_fast(callbacks):
    epochs = (train_batches([some_rows(NUM_ROWS)], 10, 1, epoch) for epoch in range(2))
    engine = FastEngine(recipe=RECIPE, precision="fp32", pad_id=0, rank=Rank())
    return engine.train(a_model(), epochs, NUM_STEPS, callbacks)


def by_reference(callbacks):
    sizes = ArchitectureSpec(vocab_size=100)
    variant = VariantSpec(model="bert", init="random", architecture=sizes)
    tokenizer = train_tokenizer(lambda: ["a text"], variant)
    engine = ReferenceEngine(
        recipe=RECIPE, precision="fp32", tokenizer=tokenizer, rank=Rank(), style="paper"
    )
    return engine.train(a_model(), some_rows(NUM_ROWS), 1, callbacks)


@pytest.fixture(params=[by_fast, by_reference])
def train(request):
    return request.param


def test_steps_and_epochs_are_told_in_their_order(train):
    telling = Telling()
    log = train([telling])
    assert telling.events == [1, 2, 3, "epoch 1", 4, 5, 6, "epoch 2"]
    losses, seconds = zip(*telling.done, strict=True)
    assert losses == pytest.approx(log.loss)
    assert seconds == pytest.approx(log.seconds)
    assert all(np.diff(seconds) > 0)


@pytest.mark.parametrize(
    ("when", "events"),
    [
        ({"at_step": 2}, [1, 2]),
        ({"at_step": 4}, [1, 2, 3, "epoch 1", 4]),
        ({"at_epoch": 1}, [1, 2, 3, "epoch 1"]),
    ],
)
def test_a_stopped_training_has_the_log_of_what_was_done(train, when, events):
    telling, whole = Telling(**when), train([])
    log = train([telling])
    num_steps = sum(isinstance(event, int) for event in events)
    assert telling.events == events
    assert log.loss.tolist() == whole.loss[:num_steps].tolist()
    assert log.learning_rate.tolist() == whole.learning_rate[:num_steps].tolist()
    assert log.rows_hash.tolist() == whole.rows_hash[:num_steps].tolist()
    assert len(log.seconds) == num_steps


def test_all_callbacks_are_told_whatever_the_first_wants():
    first, second = Telling(at_epoch=1), Telling()
    assert tell([first, second], 1) == Action.STOP
    assert second.events == ["epoch 1"]
