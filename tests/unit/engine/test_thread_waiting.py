import psutil
import pytest
import torch

from agnews_ray.engine import thread_waiting
from agnews_ray.engine.thread_waiting import SpinByLoad, num_extra


@pytest.mark.parametrize("num_cpus", range(2, 65))
def test_openmp_has_more_threads_than_processors_by_one_team_at_most(num_cpus):
    for num_threads in range(2, num_cpus + 1):
        extra = num_extra(num_threads, num_cpus)
        assert 1 + (num_threads - 1) * (1 + extra) > num_cpus
        assert 1 + (num_threads - 1) * extra <= num_cpus


@pytest.fixture
def two_threads(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(thread_waiting, "num_usable_cpus", lambda: 2)
    torch.ones(1 << 20).add_(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        ([0.0], False),
        ([0.2], False),
        ([0.9], True),
        ([0.9, 0.2], True),  # still
        ([0.9, 0.1], False),
        ([0.9, 0.1, 0.9], True),
    ],
)
def test_threads_spin_briefly_beside_a_busy_program(two_threads, loads, expected):
    watch = SpinByLoad()
    try:
        for load in loads:
            watch.look(load)
        assert watch.is_brief is expected
    finally:
        watch.spin_long()


def test_free_processors_are_left_to_others(two_threads, monkeypatch):
    monkeypatch.setattr(thread_waiting, "num_usable_cpus", lambda: 4)
    watch = SpinByLoad()
    watch.look(1.9)
    assert not watch.is_brief


def test_the_further_threads_have_a_team_each_and_end(two_threads):
    process, watch = psutil.Process(), SpinByLoad()
    before = process.num_threads()
    watch.spin_briefly()
    watch.spin_briefly()  # they are there
    assert process.num_threads() == before + 2
    watch.spin_long()
    while process.num_threads() > before:  # OpenMP ends a team after the thread that started it
        pass
    assert process.num_threads() == before


def test_the_sums_are_the_same(two_threads):
    values = torch.randn(300, 700, generator=torch.Generator().manual_seed(1))
    quiet = values @ values.T
    watch = SpinByLoad()
    watch.spin_briefly()
    try:
        assert torch.equal(values @ values.T, quiet)
    finally:
        watch.spin_long()


def test_it_looks_at_the_machine_until_its_end(two_threads, monkeypatch):
    monkeypatch.setattr(thread_waiting, "TICK_S", 0.001)
    loads = iter([0.0, 1.0])
    watch = SpinByLoad()
    monkeypatch.setattr(thread_waiting.OtherPrograms, "cores", lambda _: next(loads, None))
    with watch:
        while not watch.is_brief:
            pass
    assert not watch.is_brief


def test_one_thread_waits_for_nobody(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    watch = SpinByLoad()
    with watch:
        assert watch._watch.ident is None
