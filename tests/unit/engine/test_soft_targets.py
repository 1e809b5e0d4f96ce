"""A student's objective: teachers' probabilities, and labels where there are some."""

import dataclasses
import pickle

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from agnews_ray.data.batches import NO_LABEL, train_batches
from agnews_ray.data.tensors import rank_share
from agnews_ray.engine.callbacks import Action
from agnews_ray.engine.divergence import divergence
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.objective import PLAIN, CrossEntropy, ModelNeeds, ModelOutput, weigh
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.results import Rank
from agnews_ray.engine.soft_targets import TEACHER_LOGITS, SoftTargets
from agnews_ray.errors import DataError, TrialError
from agnews_ray.spec.distillation import DistillationSpec
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.token_rows import some_rows, taught_rows
from tests.unit.engine.fused import ranks
from tests.unit.engine.fused.ranks import SaveAt
from tests.unit.engine.models import a_model
from tests.unit.engine.recording import ValueRecorder, run_again

RECIPE = RecipeSpec(learning_rate=5e-4, global_batch_size=10, num_epochs=1)
CLASS_WEIGHTS = (0.5, 1.0, 2.0, 4.0)


def soft(temperature=4.0, soft_weight=1.0, hard=PLAIN):
    return SoftTargets(hard=hard, temperature=temperature, soft_weight=soft_weight)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.manual_seed(seed))


def losses(objective, logits, teachers, labels=None):
    """Shape (B, 3): each row's loss and its two parts; ``teachers`` are one or several."""
    labels = torch.zeros(len(logits), dtype=torch.int64) if labels is None else labels
    teachers = teachers if teachers.dim() == 3 else teachers[:, None]
    return objective.losses(ModelOutput(logits=logits), labels, {TEACHER_LOGITS: teachers})


def gradient(objective, logits, teachers, labels=None):
    """Shape (B, C): the gradient of the batch's mean loss."""
    logits = logits.clone().requires_grad_()
    losses(objective, logits, teachers, labels)[:, 0].mean().backward()
    return logits.grad


def train(objective=None, rows=None, callbacks=(), save=None, start=None, record=None):
    objective, rows = objective or soft(soft_weight=0.7), rows or taught_rows()
    model = a_model()
    if start is not None:
        torch.nn.init.zeros_(model.classifier.weight)  # what a state replaces
    engine = FastEngine(
        recipe=RECIPE, precision="fp32", pad_id=0, rank=Rank(), record=record, objective=objective
    )
    batches = list(train_batches([rows], 10, 1, 0))
    log = engine.train(model, [batches], len(batches), callbacks, save, start)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()]).numpy()
    return log, weights


def by_trainer(tokenizer, objective, rows):
    engine = ReferenceEngine(
        recipe=RECIPE, precision="fp32", tokenizer=tokenizer, rank=Rank(), style="paper",
        objective=objective,
    )  # fmt: skip
    plan = [batch.rows for batch in train_batches([rows], 10, 1, 0)]
    return engine.train(a_model(), rows, 1, plan=plan)


def test_a_one_hot_teacher_at_temperature_1_is_cross_entropy():
    logits, labels = normal(8, 4), torch.arange(8) % 4
    one_hot = 1e4 * torch.eye(4)[labels]
    found = losses(soft(1.0), logits, one_hot)[:, 0]
    assert torch.allclose(found, cross_entropy(logits, labels, reduction="none"))
    expected = (torch.softmax(logits, dim=1) - torch.eye(4)[labels]) / 8
    assert torch.allclose(gradient(soft(1.0), logits, one_hot), expected, atol=1e-7)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_student_that_equals_its_teacher_has_no_loss_and_no_gradient(temperature):
    logits = 3 * normal(8, 4)
    assert losses(soft(temperature), logits, logits)[:, 0].abs().max() < 1e-5
    assert gradient(soft(temperature), logits, logits).abs().max() < 1e-6


def test_the_gradient_stays_of_one_size_over_temperatures():
    student, teacher = normal(64, 4), 3 * normal(64, 4, seed=1)
    sizes = [gradient(soft(t), student, teacher).norm().item() for t in (1.0, 2.0, 4.0, 8.0)]
    assert max(sizes) < 3 * min(sizes)


def test_the_divergence_is_torchs_batch_mean_times_the_squared_temperature():
    student, teacher = normal(8, 4), 3 * normal(8, 4, seed=1)
    torchs = torch.nn.KLDivLoss(reduction="batchmean")
    expected = 9 * torchs(torch.log_softmax(student / 3, 1), torch.softmax(teacher / 3, 1))
    assert losses(soft(3.0), student, teacher)[:, 0].mean() == pytest.approx(expected.item())


def test_probabilities_of_several_teachers_are_averaged():
    student, teachers = normal(8, 4), 3 * normal(8, 3, 4, seed=1)
    mean = torch.softmax(teachers / 4, dim=-1).mean(dim=1)
    one = 4 * mean.log()  # the logits of a teacher with these probabilities
    found, expected = losses(soft(), student, teachers), losses(soft(), student, one)
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("weights", [None, CLASS_WEIGHTS])
def test_without_soft_weight_rows_have_exactly_their_cross_entropy(weights):
    hard = CrossEntropy.of(RecipeSpec(label_smoothing=0.1), weights)
    logits, labels = normal(8, 4).requires_grad_(), torch.arange(8) % 4
    expected = hard.losses(ModelOutput(logits=logits), labels, {})
    (wanted,) = torch.autograd.grad(expected.mean(), logits)
    found = losses(soft(soft_weight=0.0, hard=hard), logits, normal(8, 4, seed=1), labels)
    assert torch.equal(found[:, 0], expected)
    assert torch.equal(torch.autograd.grad(found[:, 0].mean(), logits)[0], wanted)


def test_a_row_without_label_has_the_divergence_alone():
    student, teacher = normal(8, 4), normal(8, 4, seed=1)
    labels = torch.tensor([NO_LABEL, 1, 2, 3] * 2)
    whole = losses(soft(soft_weight=1.0), student, teacher)[:, 0]
    entropy = cross_entropy(student, labels.clamp(min=0), reduction="none")
    found = losses(soft(soft_weight=0.7), student, teacher, labels)[:, 0]
    assert torch.equal(found[labels < 0], whole[labels < 0])
    expected = 0.7 * whole + 0.3 * entropy
    assert torch.allclose(found[labels >= 0], expected[labels >= 0])


def test_the_parts_add_up_to_the_loss():
    labels = torch.tensor([NO_LABEL, 1, 2, 3] * 2)
    found = losses(soft(soft_weight=0.7), normal(8, 4), normal(8, 4, seed=1), labels)
    assert torch.equal(found[:, 0], found[:, 1] + found[:, 2])
    assert (found[:, 2] == 0).tolist() == (labels < 0).tolist()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_losses_of_low_precision_logits_are_computed_in_full(dtype):
    student, teacher = (20 * normal(8, 4)).to(dtype), 20 * normal(8, 4, seed=1)
    found = losses(soft(8.0, 0.5), student, teacher)
    assert found.dtype == torch.float32
    assert torch.equal(found, losses(soft(8.0, 0.5), student.float(), teacher))


@pytest.mark.parametrize("least", [-1e4, -torch.inf])
def test_a_class_without_probability_contributes_nothing(least):
    student, teacher = normal(8, 4), normal(8, 4, seed=1)
    teacher[:, 3] = least
    expected = torch.softmax(teacher[:, :3], dim=1)
    known = torch.log_softmax(student, dim=1)[:, :3]
    kl = (expected * (expected.log() - known)).sum(dim=1)
    assert torch.allclose(losses(soft(1.0), student, teacher)[:, 0], kl, atol=1e-6)
    assert gradient(soft(1.0), student, teacher).isfinite().all()


def test_the_settings_are_those_of_recipe_and_distillation():
    distillation = DistillationSpec(teacher=("t",), temperature=2.0, soft_weight=0.25)
    recipe = RecipeSpec(label_smoothing=0.1)
    found = SoftTargets.of(recipe, CLASS_WEIGHTS, distillation)
    assert (found.temperature, found.soft_weight) == (2.0, 0.25)
    assert found.hard.label_smoothing == 0.1
    assert found.hard.class_weights.tolist() == list(CLASS_WEIGHTS)


@pytest.mark.parametrize("weights", [None, CLASS_WEIGHTS])
def test_three_ranks_compute_the_loss_of_one(weights):
    objective = soft(soft_weight=0.7, hard=CrossEntropy.of(RecipeSpec(), weights))
    rows, logits = taught_rows(10), normal(10, 4)
    totals = []
    for world_size in (1, 3):
        shares = [
            weigh(rank_share(rows, rank, world_size, 0), rows, objective)
            for rank in range(world_size)
        ]
        sums = [
            share.row_weights
            @ losses(objective, logits[share.rows], share.targets[TEACHER_LOGITS], share.labels)
            for share in shares
        ]
        totals.append(torch.stack(sums).sum(dim=0))
    assert torch.allclose(*totals)


def test_training_on_two_ranks_is_training_on_one(tmp_path, one_thread):
    ranks.train_a_student(0, 1, tmp_path)
    ranks.in_processes(ranks.train_a_student, 2, 2, tmp_path)
    one, two = (pickle.loads((tmp_path / name).read_bytes()) for name in ("1-0", "2-0"))
    assert two[0].loss == pytest.approx(one[0].loss, rel=1e-4)
    for name, part in one[0].parts.items():
        assert two[0].parts[name] == pytest.approx(part, rel=1e-4)
    for name, weights in one[1].items():
        assert np.abs(two[1][name] - weights).max() < 1e-4, name


def test_both_engines_train_a_student_alike(tokenizer):
    objective, rows = soft(soft_weight=0.7), taught_rows(203)
    expected, (found, _) = by_trainer(tokenizer, objective, rows), train(objective, rows)
    assert found.loss == pytest.approx(expected.loss, rel=1e-4)
    assert list(found.parts) == list(expected.parts) == ["soft", "hard"]
    for name, part in found.parts.items():
        assert part == pytest.approx(expected.parts[name], rel=1e-4)
    assert found.loss == pytest.approx(found.parts["soft"] + found.parts["hard"], rel=1e-6)


def test_the_trainer_refuses_rows_without_teacher_and_losses_of_hidden_states(tokenizer):
    with pytest.raises(DataError, match="want the target 'teacher_logits' of each row"):
        by_trainer(tokenizer, soft(), some_rows(20))

    class OfHidden(CrossEntropy):
        needs = ModelNeeds(hidden_states=(0,))

    with pytest.raises(TrialError, match="want a loss of logits, found OfHidden, which"):
        by_trainer(tokenizer, OfHidden(), some_rows(20))


def test_recorded_steps_are_unrecorded_ones():
    """The recorder refuses a step that asks a device for a value."""
    recorder, rows = ValueRecorder(), taught_rows(123)
    log, weights = train(record=recorder, rows=rows)
    expected, expected_weights = train(record=run_again, rows=rows)
    assert np.array_equal(log.loss, expected.loss)
    assert np.array_equal(weights, expected_weights)
    assert recorder.num_replayed > 0


def test_a_student_that_goes_on_is_the_student_that_did_not_stop():
    whole, weights = train()
    saved = []
    train(callbacks=[SaveAt(3, Action.SAVE | Action.STOP)], save=saved.append)
    found, found_weights = train(start=saved[0])
    assert np.array_equal(found.loss, whole.loss)
    assert all(np.array_equal(part, whole.parts[name]) for name, part in found.parts.items())
    assert np.array_equal(found_weights, weights)


def test_logits_of_a_teacher_that_are_no_numbers_are_a_divergence():
    rows = taught_rows()
    logits = rows.targets[TEACHER_LOGITS].copy()
    logits[7, 0] = np.nan
    rows = dataclasses.replace(rows, targets={TEACHER_LOGITS: logits})
    assert "loss is not a number" in divergence(train(rows=rows)[0].loss, [])
