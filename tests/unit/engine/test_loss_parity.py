"""A comparison of a few steps tells a broken engine from a whole one."""

from types import SimpleNamespace

import pytest
import torch
from transformers import ErnieConfig, ErnieForSequenceClassification

from agnews_ray.engine import fast
from agnews_ray.engine.fused import model, patching, weights
from agnews_ray.engine.loss_parity import Task, answers_of
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.registry import FAST, REFERENCE, UNRECORDED, Proof
from tests.unit.engine.models import FAMILIES, SIZES, a_model
from tests.unit.engine.recording import ValueRecorder, broken, run_again

pytestmark = pytest.mark.usefixtures("one_thread")


def last_answer(task, record):
    *_, answer = answers_of(task, lambda: record)
    return answer


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_proves_itself(tokenizer, family):
    task = Task.like(a_model(family), tokenizer, "fp32", "cpu")
    assert last_answer(task, run_again) == Proof(engine=FAST)


def test_a_padding_that_was_added_to_a_vocabulary_has_a_place():
    tokenizer = SimpleNamespace(pad_token_id=5000)
    assert Task.like(a_model(), tokenizer, "fp32").config.vocab_size == 5001


def test_a_task_leaves_the_models_own_config_as_it_is(tokenizer):
    trained = a_model("distilbert")
    config = Task.like(trained, tokenizer, "fp32").config
    assert (config.model_type, config.hidden_dim, config.num_labels) == ("distilbert", 512, 4)
    assert (trained.config.hidden_dim, trained.config.vocab_size) == (48, 100)


def test_a_family_that_is_not_fused_is_taken_for_bert(tokenizer):
    ernie = ErnieForSequenceClassification(ErnieConfig(**SIZES))
    assert Task.like(ernie, tokenizer, "fp32").config.model_type == "bert"


def test_steps_recorded_in_values_prove_themselves(task):
    assert last_answer(task, ValueRecorder()) == Proof(engine=FAST)


def out_of_memory(run):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")


@pytest.mark.parametrize(
    ("record", "cause", "is_kept"),
    [
        (broken, "not permitted when stream is capturing", True),
        (lambda run: lambda: None, "recorded steps' loss at step 3 is", True),
        (out_of_memory, "CUDA out of memory", False),
    ],
)
def test_where_recording_fails_steps_go_on_unrecorded(task, record, cause, is_kept):
    answer = last_answer(task, record)
    assert (answer.engine, answer.is_kept) == (UNRECORDED, is_kept)
    assert cause in answer.cause


def leaves_out_an_update(monkeypatch):
    step, count = fast.Optimizer.step, []

    def leaving_one_out(self):
        count.append(1)
        if len(count) != 4:
            step(self)

    monkeypatch.setattr(fast.Optimizer, "step", leaving_one_out)


def does_not_zero(monkeypatch):
    monkeypatch.setattr(model.FusedModel, "zero", lambda self: None)


def attends_to_padding(monkeypatch):
    run_block = patching.run_block
    monkeypatch.setattr(patching, "run_block", lambda x, bias, *more: run_block(x, None, *more))


def multiplies_by_old_weights(monkeypatch):
    monkeypatch.setattr(weights.Segment, "refresh", lambda self: None)


def raises(monkeypatch):
    def fail(self):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(model.FusedModel, "gradient_norm", fail)


@pytest.mark.parametrize(
    ("plant", "precision", "cause"),
    [
        (leaves_out_an_update, "fp32", "loss at step 5 is"),
        (does_not_zero, "fp32", "loss at step 3 is"),
        (attends_to_padding, "bf16", "loss at step 2 is"),
        (multiplies_by_old_weights, "bf16", "loss at step 2 is"),
        (raises, "fp32", "no kernel image"),
    ],
)
def test_where_ours_fails_the_reference_trains(tokenizer, monkeypatch, plant, precision, cause):
    plant(monkeypatch)
    task = Task.like(a_model(), tokenizer, precision, "cpu")
    answer = last_answer(task, run_again)
    assert (answer.engine, answer.is_kept) == (REFERENCE, True)
    assert cause in answer.cause


def test_nothing_is_proved_where_the_reference_fails(task, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no accelerate")

    monkeypatch.setattr(ReferenceEngine, "train", fail)
    answer = last_answer(task, run_again)
    assert answer == Proof(
        engine=UNRECORDED,
        cause="the reference engine failed: ValueError: no accelerate",
        is_kept=False,
    )


def test_what_a_process_that_ends_in_the_middle_said_last_counts(task):
    answers = list(answers_of(task, lambda: run_again))
    assert [answer.engine for answer in answers] == [UNRECORDED, REFERENCE, UNRECORDED, FAST]
    assert [answer.is_kept for answer in answers] == [False, False, False, True]
