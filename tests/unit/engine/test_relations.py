"""MiniLM's losses: what is compared, padding, precision, training on several ranks and resumed."""

import copy
import math

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from agnews_ray.data.batches import train_batches
from agnews_ray.data.tensors import rank_share
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.fused.model import FusedModel, Wanted
from agnews_ray.engine.objective import ModelOutput, weigh
from agnews_ray.engine.relations import (
    LAST_PROJECTIONS,
    attention_relations,
    projection_relations,
)
from agnews_ray.engine.results import Rank
from agnews_ray.errors import ModelError
from agnews_ray.model.artifact import DTYPES
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.fused.ranks import SaveAt
from tests.unit.engine.fused.test_model import a_batch
from tests.unit.engine.models import SIZES, a_model
from tests.unit.engine.recording import ValueRecorder, run_again

RECIPE = RecipeSpec(learning_rate=3e-3, global_batch_size=10, num_epochs=1, weight_decay=0.01)
FAMILIES = ["bert", "distilbert", "roberta", "mpnet"]


def an_encoder(family="bert", dropout=0.0):
    return a_model(family, dropout).base_model


def a_student(dropout=0.0, **sizes):
    torch.manual_seed(1)
    sizes = SIZES | {"num_hidden_layers": 1, "hidden_size": 16} | sizes
    rates = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    student = BertModel(BertConfig(**sizes, **rates), add_pooling_layer=False)
    for name, parameter in student.named_parameters():
        is_of_last = f"layer.{student.config.num_hidden_layers - 1}." in name
        parameter.requires_grad = not is_of_last or ".attention.self." in name
    return student


def projections_of(model, batch):
    """By transformers alone, and hooks of the test's own."""
    (*_, (_, parts)) = find_blocks(model)
    caught = []
    hooks = [
        linear.register_forward_hook(lambda _, __, out: caught.append(out))
        for linear in parts.projections
    ]
    model(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
    for hook in hooks:
        hook.remove()
    return tuple(caught)


def output_of(projections, batch):
    return ModelOutput(
        logits=torch.empty(0),
        projections={-1: projections},
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
    )


def in_loops(student, teacher, mask, pairs, num_heads):
    """Row by row and head by head, on rows cut to their tokens, as published code does."""
    losses = []
    for row, shown in enumerate(mask.bool()):
        loss = 0.0
        for first, second in pairs:
            for head in range(num_heads):
                shares = []
                for model in (student, teacher):
                    width = model[0].shape[2] // num_heads
                    one, other = (
                        model[i][row, shown, head * width : (head + 1) * width]
                        for i in (first, second)
                    )
                    shares.append(torch.softmax(one @ other.T / math.sqrt(width), dim=1))
                found, wanted = shares
                kl = (wanted * (wanted.log() - found.log())).sum(dim=1).mean()
                loss = loss + kl / num_heads
        losses.append(loss)
    return torch.stack(losses)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("make", [attention_relations, projection_relations])
def test_a_student_that_equals_its_teacher_has_no_loss(family, make):
    student = an_encoder(family)
    objective = make(student, an_encoder(family), torch.float32)
    batch = a_batch(student.config.pad_token_id)
    losses = objective.losses(output_of(projections_of(student, batch), batch), batch.labels, {})
    losses[:, 0].sum().backward()
    assert losses.abs().max() < 1e-5
    assert max(p.grad.abs().max() for p in student.parameters() if p.grad is not None) < 1e-5


@pytest.mark.parametrize(
    ("make", "num_heads", "pairs"),
    [
        (attention_relations, 2, [(0, 1), (2, 2)]),
        (lambda *of: projection_relations(*of, 4), 4, [(0, 0), (1, 1), (2, 2)]),
    ],
)
def test_losses_and_gradients_are_those_of_loops(make, num_heads, pairs):
    """The student has another width and depth."""
    student, teacher, batch = a_student(), an_encoder(), a_batch(0)
    objective = make(student, copy.deepcopy(teacher), torch.float32)
    wanted = [one.detach() for one in projections_of(teacher.eval(), batch)]
    found = projections_of(student, batch)
    expected = in_loops(found, wanted, batch.attention_mask, pairs, num_heads)
    losses = objective.losses(output_of(found, batch), batch.labels, {})
    assert torch.allclose(losses[:, 0], expected, rtol=1e-4, atol=1e-7)
    gradients = [
        torch.autograd.grad(one.mean(), found, retain_graph=True, allow_unused=True)
        for one in (losses[:, 0], expected)
    ]
    for mine, other in zip(*gradients, strict=True):
        assert torch.allclose(mine, other, rtol=1e-3, atol=1e-8)


def test_parts_are_means_over_heads_and_add_up_to_the_loss():
    student, batch = a_student(), a_batch(0)
    objective = attention_relations(student, an_encoder(), torch.float32)
    losses = objective.losses(output_of(projections_of(student, batch), batch), batch.labels, {})
    parts = dict(zip(objective.parts, losses.T[1:].detach(), strict=True))
    for name in ("attention", "value"):
        heads = (parts[f"{name} head 0"] + parts[f"{name} head 1"]) / 2
        assert torch.allclose(heads, parts[name])
    assert torch.allclose(parts["attention"] + parts["value"], losses[:, 0])


@pytest.mark.parametrize("sides", [(0, 5), (5, 0)], ids=["right", "left"])
def test_more_padding_changes_nothing(sides):
    """RoBERTa counts positions from the first token, so that its rows may be padded on the left."""
    student = an_encoder("roberta").eval()
    objective = attention_relations(student, an_encoder("roberta"), torch.float32)
    with torch.no_grad():
        for module in student.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.mul_(1.5)
    batch, losses = a_batch(1), []
    for left, right in ((0, 0), sides):
        ids = torch.nn.functional.pad(batch.input_ids, (left, right), value=1)
        mask = torch.nn.functional.pad(batch.attention_mask, (left, right))
        more = type(batch)(ids, mask, batch.labels, batch.row_weights, batch.rows, 0)
        with torch.no_grad():
            output = output_of(projections_of(student, more), more)
            losses.append(objective.losses(output, batch.labels, {}))
    assert losses[0][:, 0].min() > 1e-3
    assert torch.allclose(*losses, rtol=1e-4)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_teacher_that_somebody_trains_stays_in_evaluation_mode(attention):
    """Under eager, transformers' attentions come after dropout, and under sdpa there are none."""
    teacher, student, batch = an_encoder(dropout=0.5), a_student(), a_batch(0)
    teacher.config._attn_implementation = attention
    objective = attention_relations(student, teacher, torch.float32)
    output = output_of(projections_of(student, batch), batch)
    first = objective.losses(output, batch.labels, {})
    teacher.train()
    assert torch.equal(objective.losses(output, batch.labels, {}), first)
    plain = attention_relations(student, an_encoder(), torch.float32)
    assert torch.allclose(plain.losses(output, batch.labels, {}), first)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_in_low_precision_are_near_those_in_full(dtype):
    student, batch, losses = a_student(), a_batch(0), []
    for precision in (torch.float32, dtype):
        objective = attention_relations(student, an_encoder(), precision)
        projections = [one.to(precision) for one in projections_of(student, batch)]
        losses.append(objective.losses(output_of(projections, batch), batch.labels, {}))
    assert losses[1].dtype == torch.float32
    assert torch.allclose(*losses, rtol=0.05, atol=1e-3)


def test_the_losses_of_all_ranks_are_that_of_one():
    student, rows, found = a_student(), some_rows(10), {}
    objective = attention_relations(student, an_encoder(), torch.float32)
    for world_size in (1, 3):
        student.zero_grad()
        for rank in range(world_size):
            share = weigh(rank_share(rows, rank, world_size, 0), rows, objective)
            output = output_of(projections_of(student, share), share)
            losses = objective.losses(output, share.labels, {})
            (losses[:, 0] * share.row_weights).sum().backward()
        gradients = [p.grad.flatten() for p in student.parameters() if p.grad is not None]
        found[world_size] = torch.cat(gradients)
    assert torch.allclose(found[1], found[3], rtol=1e-3, atol=1e-8)


def test_heads_that_do_not_fit_are_refused():
    wider = a_student(num_attention_heads=4)
    with pytest.raises(ModelError, match="as many heads as the teacher's 2, found 4"):
        attention_relations(wider, an_encoder(), torch.float32)
    with pytest.raises(ModelError, match="multiple of 32 relation heads, found 16"):
        projection_relations(wider, an_encoder(), torch.float32, 32)


def train(student, record=None, start=None, callbacks=(), count=53, precision="fp32"):
    objective = attention_relations(student, an_encoder(dropout=0.5), DTYPES[precision])
    engine = FastEngine(
        recipe=RECIPE, precision=precision, pad_id=0, rank=Rank(), record=record,
        objective=objective,
    )  # fmt: skip
    batches, saved = list(train_batches([some_rows(count)], 10, 1, 0)), []
    log = engine.train(student, [batches], len(batches), callbacks, saved.append, start)
    return log, torch.cat([p.detach().flatten() for p in student.parameters()]), saved


@pytest.mark.parametrize(("num_layers", "precision"), [(1, "fp32"), (2, "fp32"), (2, "bf16")])
def test_parameters_without_gradient_stay_and_the_others_learn(num_layers, precision):
    student = a_student(num_hidden_layers=num_layers)
    before = {name: p.detach().clone() for name, p in student.named_parameters()}
    log, _, _ = train(student, count=203, precision=precision)
    assert log.loss[-3:].mean() < 0.8 * log.loss[:3].mean()
    assert log.parts.keys() >= {"attention", "value", "value head 1"}
    for name, parameter in student.named_parameters():
        assert torch.equal(parameter, before[name]) == (not parameter.requires_grad), name


def test_recorded_steps_train_the_same():
    recorder, found = ValueRecorder(), []
    for record in (recorder, run_again):
        log, values, _ = train(a_student(num_hidden_layers=2), record, count=123)
        found.append((log.loss, values.numpy(), log.parts["value head 1"]))
    assert all(map(np.array_equal, *found))
    assert recorder.num_replayed > 0


def test_words_that_are_updated_lazily_train_as_all_words_do():
    """A recorded training updates all words in each step."""
    (log, values, _), (other, wanted, _) = (
        train(a_student(num_hidden_layers=2), record) for record in (None, run_again)
    )
    assert np.allclose(log.loss, other.loss, rtol=1e-4)
    assert torch.allclose(values, wanted, atol=2e-4)


def test_a_resumed_training_is_the_same():
    whole, values, (state, *_) = train(a_student(0.1, num_hidden_layers=2), callbacks=[SaveAt(3)])
    log, again, _ = train(a_student(0.1, num_hidden_layers=2), start=state)
    assert torch.equal(values, again)
    assert np.array_equal(whole.loss, log.loss)


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_after_the_needed_projections_is_computed(family):
    model, batch = an_encoder(family), a_batch(1)
    needs = Wanted(needs=LAST_PROJECTIONS, is_recorded=True)
    expected = projections_of(model, batch)
    fused = FusedModel(model, torch.float32, RECIPE, 10, Rank(), needs)
    assert fused.is_fused
    (*_, (_, parts)) = find_blocks(model)
    parts.up.register_forward_hook(lambda *_: pytest.fail("a feed-forward without use"))
    found = fused.compute(batch.input_ids, batch.attention_mask).projections[-1]
    is_token = batch.attention_mask.bool()
    for mine, other in zip(found, expected, strict=True):
        assert torch.allclose(mine[is_token], other[is_token], rtol=1e-4, atol=1e-5)
