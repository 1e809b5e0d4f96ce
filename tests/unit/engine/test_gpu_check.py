import json
from types import SimpleNamespace

import pytest
import torch

from agnews_ray.engine import fast, gpu_check
from agnews_ray.engine.fused import model, patching, weights
from agnews_ray.engine.gpu_check import prove_apart, proved
from agnews_ray.engine.loss_parity import Task, answers_of
from agnews_ray.engine.reference import ReferenceEngine
from agnews_ray.engine.registry import FAST, REFERENCE, UNRECORDED, Proof
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.unit.engine.models import FAMILIES, a_model
from tests.unit.engine.recording import ValueRecorder, broken, run_again


@pytest.fixture(scope="module")
def tokenizer():
    sizes = ArchitectureSpec(vocab_size=100)
    variant = VariantSpec(model="bert", init="random", architecture=sizes)
    return train_tokenizer(lambda: ["a text"], variant)


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small gain nothing from more, and wait where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def task(tokenizer):
    return Task.like(a_model(), tokenizer, "fp32", "cpu")


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


def test_a_process_of_its_own_answers(task):
    assert prove_apart(task) == Proof(engine=FAST)


def test_patience_ends(task):
    answer = prove_apart(task, patience_s=0.0)
    assert (answer.engine, answer.is_kept) == (UNRECORDED, False)
    assert "more than 0 s" in answer.cause


@pytest.fixture
def tries(monkeypatch):
    """Answers that are given in turn instead of trying."""
    made = []
    monkeypatch.setattr(gpu_check, "prove_apart", lambda *_: made.pop(0))
    return made


def test_an_answer_is_kept_by_all_that_it_depends_on(task, tries, tmp_path, monkeypatch):
    tries += [Proof(engine=FAST), Proof(engine=REFERENCE, cause="other"), Proof(engine=UNRECORDED)]
    assert proved(task, "Tesla T4", None, tmp_path).engine == FAST
    assert proved(task, "Tesla T4", None, tmp_path).engine == FAST
    assert proved(task, "Tesla V100", None, tmp_path).engine == REFERENCE
    monkeypatch.setattr(gpu_check, "nvidia_driver", lambda: "999.1")
    assert proved(task, "Tesla T4", None, tmp_path).engine == UNRECORDED
    kept = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert {one["driver"] for one in kept} == {None, "999.1"}


@pytest.mark.parametrize("content", ["", "{", '{"proof": {"engine": "x", "more": 1}}', "[]"])
def test_a_damaged_answer_is_asked_for_again(task, tries, tmp_path, content):
    tries += [Proof(engine=FAST), Proof(engine=UNRECORDED, cause="c")]
    proved(task, "T4", None, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_text(content)
    assert proved(task, "T4", None, tmp_path).engine == UNRECORDED
    assert json.loads(path.read_text())["proof"]["cause"] == "c"


def test_what_may_be_otherwise_next_time_is_not_kept(task, tries, tmp_path):
    tries += [Proof(engine=UNRECORDED, cause="busy", is_kept=False), Proof(engine=FAST)]
    assert proved(task, "T4", None, tmp_path).engine == UNRECORDED
    assert proved(task, "T4", None, tmp_path).engine == FAST


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_this_gpu_proves_itself(tokenizer, precision):
    assert prove_apart(Task.like(a_model(), tokenizer, precision, "cuda")) == Proof(engine=FAST)
