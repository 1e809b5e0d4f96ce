"""A training that goes on from a state is the training that was never interrupted."""

import pickle

import numpy as np
import pytest
import torch

from agnews_ray.data.batches import train_batches
from agnews_ray.engine import optimizer
from agnews_ray.engine.callbacks import Action
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused import model as fused_model
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.results import Rank
from agnews_ray.errors import TrialError
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.fused import ranks
from tests.unit.engine.fused.ranks import SaveAt
from tests.unit.engine.models import a_model
from tests.unit.engine.recording import run_again
from tests.unit.engine.test_callbacks import Telling

RECIPE = RecipeSpec(learning_rate=1e-3, global_batch_size=10, num_epochs=2)
NUM_STEPS = 12


def train(callbacks=(), start=None, record=None, precision="fp32", dropout=0.0):
    """Log and weights, and the states that were saved; from other weights where there is a start.

    Of 53 rows: in an epoch of 6 steps most words are missing from most batches.
    """
    model, saved = a_model(dropout=dropout), []
    if start is not None:
        for parameter in model.parameters():
            torch.nn.init.constant_(parameter, 0.5)
    torch.manual_seed(1 if start is None else 2)
    engine = FastEngine(recipe=RECIPE, precision=precision, pad_id=0, rank=Rank(), record=record)
    epochs = (train_batches([some_rows(53)], 10, 1, epoch) for epoch in range(2))
    log = engine.train(model, epochs, NUM_STEPS, callbacks, saved.append, start)
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    return log, weights.numpy(), saved


def same(found, expected):
    (log, weights, _), (wanted, wanted_weights, _) = found, expected
    fields = ("loss", "learning_rate", "rows", "tokens", "computed", "rows_hash", "num_skipped")
    assert all(np.array_equal(getattr(log, one), getattr(wanted, one)) for one in fields)
    return np.array_equal(weights, wanted_weights)


def leave_unfused(monkeypatch):
    monkeypatch.setattr(fused_model, "find_blocks", lambda _: iter(()))


@pytest.mark.parametrize("step", [1, 5, 6, 12])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_that_goes_on_is_the_run_that_did_not_stop(step, precision):
    whole = train(precision=precision, dropout=0.3)
    _, _, (state,) = train([SaveAt(step, Action.SAVE | Action.STOP)], None, None, precision, 0.3)
    assert same(train((), state, None, precision, 0.3), whole)


def test_the_gpus_path_goes_on_too():
    whole = train(record=run_again)
    _, _, (state,) = train([SaveAt(5, Action.SAVE | Action.STOP)], record=run_again)
    assert state["words"] == {}
    assert same(train(start=state, record=run_again), whole)


def test_an_unfused_model_goes_on_too(monkeypatch):
    leave_unfused(monkeypatch)
    whole = train(dropout=0.3)
    _, _, (state,) = train([SaveAt(5, Action.SAVE | Action.STOP)], dropout=0.3)
    assert same(train(start=state, dropout=0.3), whole)


def test_the_loss_scale_goes_on(monkeypatch):
    monkeypatch.setattr(optimizer, "FIRST_SCALE", 2.0**20)  # overflows for some steps
    monkeypatch.setattr(optimizer, "GROWTH_INTERVAL", 3)
    whole = train(precision="fp16")
    _, _, (state,) = train([SaveAt(5, Action.SAVE | Action.STOP)], precision="fp16")
    assert 0 < whole[0].num_skipped < NUM_STEPS
    assert same(train(start=state, precision="fp16"), whole)


def test_a_save_does_not_change_the_run_that_saves():
    found = train([SaveAt(5)], dropout=0.3)
    assert len(found[2]) == 1
    assert same(found, train(dropout=0.3))


def test_a_run_that_goes_on_can_save():
    _, _, (first,) = train([SaveAt(3, Action.SAVE | Action.STOP)], dropout=0.3)
    _, _, (second,) = train([SaveAt(8, Action.SAVE | Action.STOP)], first, dropout=0.3)
    assert same(train(start=second, dropout=0.3), train(dropout=0.3))


@pytest.mark.parametrize(("before", "after"), [(None, run_again), (run_again, None)])
def test_lazily_updated_words_go_on_densely_and_back(before, after):
    whole = train()
    _, _, (state,) = train([SaveAt(5, Action.SAVE | Action.STOP)], record=before)
    log, weights, _ = train(start=state, record=after)
    assert log.loss == pytest.approx(whole[0].loss, abs=1e-3)
    assert np.abs(weights - whole[1]).max() < 1e-3


def test_what_was_fused_goes_on_unfused(monkeypatch):
    whole = train()
    _, _, (state,) = train([SaveAt(5, Action.SAVE | Action.STOP)])
    leave_unfused(monkeypatch)
    log, weights, _ = train(start=state)
    assert log.loss == pytest.approx(whole[0].loss, abs=1e-3)
    assert np.abs(weights - whole[1]).max() < 1e-3


class SaveAtEpoch(Telling):
    def after_epoch(self, epoch):
        super().after_epoch(epoch)
        return Action.SAVE if epoch == 1 else Action.GO_ON


@pytest.mark.parametrize(
    ("saving", "told"),
    [(SaveAt(6), ["epoch 1", 7]), (SaveAtEpoch(), [7, 8]), (SaveAt(8), [9, 10])],
)
def test_callbacks_are_told_of_nothing_twice_and_of_all_once(saving, told):
    _, _, (state,) = train([saving])
    telling = Telling()
    train([telling], state)
    assert telling.events[:2] == told
    assert telling.events[-1] == "epoch 2"


def test_the_seconds_of_both_runs_follow_each_other():
    _, _, (state,) = train([SaveAt(5, Action.SAVE | Action.STOP)])
    log, _, _ = train(start=state)
    assert (np.diff(log.seconds) > 0).all()


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_other_processes_of_another_number_go_on(tmp_path, before, after):
    for number in dict.fromkeys((before, after)):
        (tmp_path / "meeting").unlink(missing_ok=True)
        ranks.in_processes(ranks.train_in_parts, number, number, tmp_path)
    if before == after:
        whole = left(tmp_path, before)
        (tmp_path / "meeting").unlink(missing_ok=True)
        ranks.in_processes(ranks.train_in_parts, after, after, tmp_path)
        log, weights = left(tmp_path, after)
        assert log.loss.tolist() == whole[0].loss.tolist()
        assert all(np.array_equal(weights[name], whole[1][name]) for name in weights)
        return
    (whole, _), (log, _) = left(tmp_path, before), left(tmp_path, after)
    assert log.loss == pytest.approx(whole.loss, rel=1e-4)
    assert log.rows_hash.tolist() == whole.rows_hash.tolist()


def left(folder, world_size):
    return pickle.loads((folder / f"{world_size}-0").read_bytes())


def test_a_state_of_another_training_is_refused():
    _, _, (state,) = train([SaveAt(5)])
    with pytest.raises(TrialError, match="want one of a training of 12 steps, found one of 13"):
        train(start={**state, "num_steps": 13})
    weights = dict(state["weights"])
    weights.pop("classifier.bias")
    with pytest.raises(TrialError, match=r"want classifier.bias \(4,\), as the model has it"):
        train(start={**state, "weights": weights})


def test_the_trainers_engine_does_not_save():
    sizes = ArchitectureSpec(vocab_size=100)
    variant = VariantSpec(model="bert", init="random", architecture=sizes)
    tokenizer = train_tokenizer(lambda: ["a text"], variant)
    engine = ReferenceEngine(
        recipe=RECIPE, precision="fp32", tokenizer=tokenizer, rank=Rank(), style="paper"
    )
    with pytest.raises(TrialError, match="want an engine whose state can be saved"):
        engine.train(a_model(), some_rows(25), 1, [SaveAt(1)])
