from dataclasses import dataclass

import pytest

from agnews_ray.bench import timing
from agnews_ray.bench.ratios import Contender
from agnews_ray.bench.rounds import _take_turns
from tests.unit.bench.test_ratios import a_run

OURS, THEIRS = (Contender(engine=one, precision="fp16") for one in ("fast", "reference-compiled"))


@dataclass(frozen=True)
class Task:
    seed: int = 1


def test_a_contender_that_fails_is_left_out_and_the_others_go_on(monkeypatch):
    tried, said = [], []

    def time_alone(task, contender):
        tried.append((task.seed, contender.engine))
        if contender == THEIRS and task.seed == 2:
            raise RuntimeError("Failed to find C compiler. Please specify via CC")
        return a_run(3.0)

    monkeypatch.setattr(timing, "time_alone", time_alone)
    found, failed = _take_turns(Task(), (OURS, THEIRS), 3, said.append)
    assert {one: len(runs) for one, runs in found.items()} == {OURS: 3}
    assert failed == {THEIRS: "RuntimeError: Failed to find C compiler. Please specify via CC"}
    assert (3, "reference-compiled") not in tried
    assert any("reference-compiled, fp16 failed" in line for line in said)


def test_an_interrupt_is_no_failure_of_a_contender(monkeypatch):
    def time_alone(task, contender):
        raise KeyboardInterrupt

    monkeypatch.setattr(timing, "time_alone", time_alone)
    with pytest.raises(KeyboardInterrupt):
        _take_turns(Task(), (OURS,), 1, lambda _: None)
