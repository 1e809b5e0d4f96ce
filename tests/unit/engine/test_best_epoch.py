"""The rule that ends a training, and the weights of its best epoch, under each engine."""

import pickle

import numpy as np
import pytest
import torch

from agnews_ray.data.batches import train_batches
from agnews_ray.engine.best_epoch import BestEpoch
from agnews_ray.engine.callbacks import Action, Callback
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.results import Rank
from agnews_ray.spec.recipe import RecipeSpec, StopSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.fused import ranks
from tests.unit.engine.models import a_model
from tests.unit.model.test_build import a_tokenizer

RECIPE = RecipeSpec(learning_rate=5e-3, global_batch_size=10, num_epochs=4)


def follow(rule, scores):
    """Go through epochs with these scores until the rule ends them."""
    given = iter(scores)
    best = BestEpoch(torch.nn.Linear(1, 1), rule, lambda: next(given))
    for epoch in range(1, len(scores) + 1):
        if best.after_epoch(epoch) == Action.STOP:
            break
    return best.epoch, best.stopped_after


@pytest.mark.parametrize(
    ("rule", "scores", "found"),
    [
        ({"patience": 1}, [0.5, 0.6, 0.7], (3, None)),
        ({"patience": 1}, [0.5, 0.6, 0.6, 0.9], (2, 3)),  # equal is no better
        ({"patience": 2}, [0.5, 0.6, 0.4, 0.7, 0.5, 0.6, 0.9], (4, 6)),
        # A gain that is too small to go on for is still the better model.
        ({"patience": 2, "min_delta": 0.1}, [0.5, 0.55, 0.59, 0.9], (3, 3)),
        ({"patience": 2, "min_delta": 0.1}, [0.5, 0.55, 0.61, 0.62, 0.63], (5, 5)),  # they add up
        ({"patience": 2}, [0.5, None, None, 0.9], (1, 3)),
        ({"patience": 2}, [None, None, 0.9], (None, 2)),
    ],
)
def test_training_ends_after_epochs_without_enough_gain(rule, scores, found):
    assert follow(StopSpec(**rule), scores) == found


class EndAt(Callback):
    """Ends a training after an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def after_epoch(self, epoch):
        return Action.STOP if epoch == self.epoch else Action.GO_ON


def by_fast(model, callbacks, precision="fp32"):
    epochs = (train_batches([some_rows(53)], 10, 1, epoch) for epoch in range(4))
    engine = FastEngine(recipe=RECIPE, precision=precision, pad_id=0, rank=Rank())
    engine.train(model, epochs, 24, callbacks)


def by_fast_in_bf16(model, callbacks):
    by_fast(model, callbacks, "bf16")


def by_reference(model, callbacks):
    engine = ReferenceEngine(
        recipe=RECIPE, precision="fp32", tokenizer=a_tokenizer(), rank=Rank(), style="best"
    )
    engine.train(model, some_rows(53), 1, callbacks)


@pytest.mark.parametrize("train", [by_fast, by_fast_in_bf16, by_reference])
def test_the_weights_of_the_best_epoch_come_back(train):
    model, scores = a_model(), iter([0.5, 0.9, 0.1, 0.2])
    best = BestEpoch(model, StopSpec(patience=2), lambda: next(scores))
    train(model, [best])
    after = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    best.restore()
    assert (best.epoch, best.stopped_after) == (2, 4)
    expected, scores = a_model(), iter([0.5, 0.9])
    keeping = BestEpoch(expected, StopSpec(patience=2), lambda: next(scores))
    train(expected, [keeping, EndAt(2)])
    for name, tensor in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert any(not torch.equal(after[name], tensor) for name, tensor in model.state_dict().items())


def test_a_kept_copy_has_all_updates_of_words_that_the_last_batch_lacked():
    """Words are updated lazily; the dense updates of the reference are what they stand for."""
    model = a_model()
    best = BestEpoch(model, StopSpec(patience=1), lambda: 0.5)
    by_fast(model, [best, EndAt(1)])
    ended = model.get_input_embeddings().weight.clone()
    best.restore()
    assert torch.equal(model.get_input_embeddings().weight, ended)


def test_every_rank_gets_the_same_weights_as_one_alone(tmp_path):
    for world_size in (1, 2):
        ranks.in_processes(ranks.train_with_a_rule, world_size, world_size, tmp_path)
    alone, *both = (pickle.loads((tmp_path / name).read_bytes()) for name in ("1-0", "2-0", "2-1"))
    for epoch, weights in both:
        assert epoch == alone[0] == 2
        for name, found in weights.items():
            assert np.array_equal(found, both[0][1][name]), name
            assert found == pytest.approx(alone[1][name], abs=2e-4), name
