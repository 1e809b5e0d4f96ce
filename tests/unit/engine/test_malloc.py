"""A process keeps freed memory while it trains, and gives it back between two trials."""

import ctypes
import sys
import weakref
from types import SimpleNamespace

import psutil
import pytest

from agnews_ray.engine.malloc import give_back_memory, keep_freed_memory

MIB = 1 << 20
of_glibc = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc"
)


def resident():
    return psutil.Process().memory_info().rss


@of_glibc
def test_a_freed_block_stays_with_the_process():
    assert keep_freed_memory()
    block = b"x" * (24 * MIB)
    before = resident()
    del block
    assert before - resident() < 4 * MIB


@of_glibc
def test_between_two_trials_unused_memory_goes_back():
    keep_freed_memory()
    size = MIB // 16
    blocks = [b"x" * size for _ in range(800)]
    del blocks[::2]  # what is left keeps the heap from shrinking at its end
    before = resident()
    give_back_memory()
    assert before - resident() > 16 * MIB


class Ring:
    def __init__(self):
        self.itself = self


def test_what_only_points_to_itself_is_freed_too():
    ring = weakref.ref(Ring())
    give_back_memory()
    assert ring() is None


def test_the_compilers_data_are_dropped_where_it_was_loaded(monkeypatch):
    resets = []
    compiler = SimpleNamespace(reset=lambda: resets.append(1))
    monkeypatch.setitem(sys.modules, "torch._dynamo", compiler)
    give_back_memory()
    assert resets == [1]


def test_the_compiler_is_not_loaded_for_that(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    give_back_memory()
    assert "torch._dynamo" not in sys.modules
