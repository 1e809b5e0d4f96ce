import subprocess
import sys

import pytest
import torch

from agnews_ray.model.memory import peak_memory_bytes, training_memory
from agnews_ray.spec.variant import VariantSpec

PEAK = (
    "import torch; from agnews_ray.model.memory import peak_memory_bytes;"
    "print(peak_memory_bytes(torch.device('cpu')))"
)


def peak_of_a_child():
    found = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    return int(found.stdout)


def test_a_childs_peak_is_its_own_not_its_parents():
    before = peak_of_a_child()
    held = bytearray(2 * before)
    held[::4096] = b"1" * len(held[::4096])
    assert peak_memory_bytes(torch.device("cpu")) > 2 * before
    assert peak_of_a_child() < 1.5 * before


def test_a_gpus_peak_is_what_was_taken_from_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: 5)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3)
    assert peak_memory_bytes(torch.device("cuda")) == 5


@pytest.mark.parametrize(("length", "unrecorded", "recorded"), [(128, 3.7, 5.4), (512, 9.6, 17.1)])
def test_the_estimate_is_what_was_counted_for_bert_base_in_fp16(length, unrecorded, recorded):
    variant = VariantSpec(model="bert", init="random")
    found = training_memory(variant, 16, length, "fp16")
    assert found.unrecorded / 2**30 == pytest.approx(unrecorded, rel=0.05)
    assert found.recorded / 2**30 == pytest.approx(recorded, rel=0.05)


def test_a_model_of_unknown_size_is_taken_for_bert_base():
    known, unknown = (VariantSpec(model=name) for name in ("bert", "someone/encoder"))
    assert training_memory(unknown, 16, 128, "fp16") == training_memory(known, 16, 128, "fp16")
