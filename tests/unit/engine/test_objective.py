"""What is minimised: cross-entropy in its forms, and objectives that ask for more."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from agnews_ray.data.batches import evaluation_batches, train_batches
from agnews_ray.data.tensors import rank_share
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.fused.model import FusedModel, Wanted
from agnews_ray.engine.objective import (
    LOGITS_ONLY,
    PLAIN,
    CrossEntropy,
    ModelNeeds,
    ModelOutput,
    weigh,
)
from agnews_ray.engine.predict import predict
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.results import Rank
from agnews_ray.errors import DataError
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.fused.test_model import a_batch, gradients_of
from tests.unit.engine.models import FAMILIES, a_model
from tests.unit.engine.recording import ValueRecorder, run_again

WEIGHTS = (0.5, 1.0, 2.0, 4.0)
RECIPE = RecipeSpec(learning_rate=5e-4, global_batch_size=10, num_epochs=1)


@dataclass(frozen=True)
class Following:
    """Cross-entropy, and how far logits are from those that rows bring along."""

    parts = ()
    needs: ModelNeeds = LOGITS_ONLY
    targets: tuple[str, ...] = ("teacher",)

    def to(self, device):
        return self

    def losses(self, output, labels, targets):
        found = PLAIN.losses(output, labels, {})
        for name in self.targets:
            found = found + (output.logits.float() - targets[name]).square().mean(dim=1)
        for hidden in output.hidden_states.values():
            found = found + hidden.float().square().mean(dim=(1, 2))
        for query, key, value in output.projections.values():
            found = found + (query * key).float().mean(dim=(1, 2))
            found = found + value.float().abs().mean(dim=(1, 2))
        return found

    def denominator(self, labels):
        return float(len(labels))


def engine(objective, record=None, recipe=RECIPE):
    return FastEngine(
        recipe=recipe, precision="fp32", pad_id=0, rank=Rank(), record=record, objective=objective
    )


def train(objective, rows, record=None):
    model = a_model()
    batches = list(train_batches([rows], 10, 1, 0))
    log = engine(objective, record).train(model, [batches], len(batches))
    return log.loss, torch.cat([p.detach().flatten() for p in model.parameters()]).numpy()


def taught_rows(count=53):
    teacher = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    return dataclasses.replace(some_rows(count), targets={"teacher": teacher})


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("world_size", [1, 3])
def test_cross_entropy_over_all_ranks_is_torchs_mean(smoothing, weights, world_size):
    objective = CrossEntropy.of(RecipeSpec(label_smoothing=smoothing), weights)
    rows, logits = some_rows(10), torch.randn(10, 4, generator=torch.manual_seed(0))
    total = 0.0
    for rank in range(world_size):
        share = weigh(rank_share(rows, rank, world_size, 0), rows, objective)
        each = objective.losses(ModelOutput(logits=logits[share.rows]), share.labels, {})
        total += float((each * share.row_weights).sum())
    expected = torch.nn.functional.cross_entropy(
        logits,
        torch.tensor(rows.labels),
        weight=None if weights is None else torch.tensor(weights),
        label_smoothing=smoothing,
    )
    assert total == pytest.approx(expected.item(), rel=1e-6)


def test_the_plain_objective_leaves_a_share_as_it_is():
    rows = some_rows(7)
    share = rank_share(rows, 0, 1, 0)
    assert weigh(share, rows, PLAIN).row_weights is share.row_weights


@pytest.mark.parametrize(("smoothing", "weights"), [(0.2, None), (0.0, WEIGHTS), (0.2, WEIGHTS)])
def test_both_engines_minimise_the_same(tokenizer, smoothing, weights):
    objective = CrossEntropy.of(RecipeSpec(label_smoothing=smoothing), weights)
    rows = some_rows(203)
    batches = list(train_batches([rows], 10, 1, 0))
    trainer = ReferenceEngine(
        recipe=RECIPE, precision="fp32", tokenizer=tokenizer, rank=Rank(), style="paper",
        objective=objective,
    )  # fmt: skip
    plan = [batch.rows for batch in batches]
    expected = trainer.train(a_model(), rows, 1, plan=plan).loss
    found, _ = train(objective, rows)
    assert found == pytest.approx(expected, rel=1e-4)
    assert np.abs(found - train(PLAIN, rows)[0]).max() > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "needs",
    [
        ModelNeeds(hidden_states=(0, -1)),
        ModelNeeds(projections=(-1,)),
        ModelNeeds(hidden_states=(0,), projections=(0, 1)),
    ],
    ids=["hidden", "projections", "both"],
)
def test_loss_and_gradients_are_those_of_transformers(family, needs):
    objective = Following(needs, ())
    plain, model = a_model(family), a_model(family)
    batch = a_batch(model.config.pad_token_id or 0)
    expected = objective.losses(plain_output(plain, batch, needs), batch.labels, {}).mean()
    expected.backward()
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=needs))
    if fused.embeddings:
        fused.embeddings.begin(batch.input_ids.unique())
    output = fused.compute(batch.input_ids, batch.attention_mask)
    loss = objective.losses(output, batch.labels, {}).mean()
    loss.backward()
    assert fused.is_fused == (not needs.projections)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    gradients = gradients_of(fused)
    for name, parameter in plain.named_parameters():
        wanted = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert torch.allclose(gradients[name], wanted, rtol=1e-4, atol=1e-6), name


def plain_output(model, batch, needs):
    """By transformers alone, and hooks of the test's own."""
    linears = [p.projections for _, p in find_blocks(model) for _ in range(p.num_uses)]
    calls = {linear: [] for of_block in linears for linear in of_block}
    for linear, outputs in calls.items():
        linear.register_forward_hook(lambda _, __, output, outputs=outputs: outputs.append(output))
    output = model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, output_hidden_states=True
    )
    after = output.hidden_states[1:]
    return ModelOutput(
        logits=output.logits,
        hidden_states={number: after[number] for number in needs.hidden_states},
        projections={
            number: [calls[one][number if len(calls[one]) > 1 else 0] for one in linears[number]]
            for number in needs.projections
        },
    )


def test_the_last_block_is_whole_only_for_who_asks():
    batch, lengths = a_batch(0), {}
    for needs in (ModelNeeds(), ModelNeeds(hidden_states=(-1,))):
        model = a_model()
        fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), Wanted(needs=needs))
        fused.embeddings.begin(batch.input_ids.unique())
        last = model.bert.encoder.layer[-1]
        last.register_forward_hook(lambda _, __, out, n=needs: lengths.update({n: out.shape[1]}))
        fused.compute(batch.input_ids, batch.attention_mask)
    assert list(lengths.values()) == [1, batch.input_ids.shape[1]]


def test_targets_follow_their_rows_into_batches():
    rows = taught_rows(23)
    rows = dataclasses.replace(rows, targets={"teacher": rows.rows.astype(np.float32)})
    windows = [rows.take(np.arange(12)), rows.take(np.arange(12, 23))]
    shares = [rank_share(b, r, 2, 0) for b in train_batches(windows, 5, 1, 0) for r in (0, 1)]
    assert sum(len(share.rows) for share in shares) == 23
    for share in shares:
        assert share.targets["teacher"].tolist()[: len(share.rows)] == share.rows.tolist()


def test_an_objective_reads_its_targets():
    rows = taught_rows()
    silent = dataclasses.replace(rows, targets={"teacher": 0 * rows.targets["teacher"]})
    assert not np.allclose(train(Following(), rows)[0], train(Following(), silent)[0])


def test_rows_may_bring_targets_that_nobody_asks_for():
    assert np.array_equal(train(PLAIN, taught_rows())[1], train(PLAIN, some_rows(53))[1])


@pytest.mark.parametrize("needs", [ModelNeeds(), ModelNeeds(hidden_states=(0, 1))])
def test_recorded_steps_carry_targets_and_hidden_states(needs):
    recorder, objective = ValueRecorder(), Following(needs)
    rows = taught_rows(123)
    found, expected = train(objective, rows, recorder), train(objective, rows, run_again)
    assert all(map(np.array_equal, found, expected))
    assert recorder.num_replayed > 0


def test_rows_without_a_target_are_refused():
    with pytest.raises(DataError, match="want the target 'teacher' of each row, found none"):
        train(Following(), some_rows(20))


def test_class_weights_bring_back_a_class_that_is_never_predicted():
    """18 of 60 rows that look the same are of the rare class: likely, but not the likeliest."""
    rows, number = some_rows(300), np.arange(300)
    ids = np.where(np.repeat(number < 60, rows.lengths), 7, rows.ids)
    rows = dataclasses.replace(rows, ids=ids, labels=(number < 18).astype(np.int64))
    recipe = RecipeSpec(learning_rate=2e-3, global_batch_size=10, num_epochs=1)
    predicted = {}
    for weights in (None, (300 / 2 / 282, 300 / 2 / 18, 1.0, 1.0)):
        model = a_model()
        epochs = [train_batches([rows], 10, 1, epoch) for epoch in range(3)]
        objective = CrossEntropy.of(recipe, weights)
        engine(objective, recipe=recipe).train(model, epochs, 90)
        parts = predict(model, evaluation_batches([rows], 50), 0, Rank(), "fp32")
        predicted[weights] = set(np.concatenate([p.logits.argmax(axis=1) for p in parts]))
    assert list(predicted.values()) == [{0}, {0, 1}]
