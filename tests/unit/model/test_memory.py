import subprocess
import sys

import torch

from agnews_ray.model.memory import peak_memory_bytes

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
