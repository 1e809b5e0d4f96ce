import json

import pytest
import torch

from agnews_ray.engine import gpu_check
from agnews_ray.engine.gpu_check import prove_apart, proved
from agnews_ray.engine.loss_parity import Task
from agnews_ray.engine.registry import FAST, REFERENCE, UNRECORDED, Proof
from tests.unit.engine.models import a_model

pytestmark = pytest.mark.usefixtures("one_thread")


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
