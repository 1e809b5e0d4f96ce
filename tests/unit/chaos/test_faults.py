"""Faults are drawn from a seed, in each kind's ways, within what the study has."""

import pytest

from agnews_ray import fail_points
from agnews_ray.chaos.faults import KINDS, Scale, draw_faults, sooner
from agnews_ray.chaos.outside import OUTSIDE_ACTIONS

SCALE = Scale(num_trials=2, num_steps=200, num_checkpoints=8)


def test_a_seed_draws_the_same_faults_and_another_one_others():
    first, again, other = (draw_faults(["worker", "head"], 20, seed, SCALE) for seed in (1, 1, 2))
    assert first == again != other


def test_each_kind_has_its_share_and_at_least_one():
    drawn = [fault.kind for fault in draw_faults(list(KINDS), 200, 0, SCALE)]
    assert len(drawn) == 200
    for name, kind in KINDS.items():
        assert drawn.count(name) == pytest.approx(2 * kind.share, abs=2)
    assert {fault.kind for fault in draw_faults(list(KINDS), 1, 0, SCALE)} == set(KINDS)


def test_fail_points_take_every_entry():
    faults = [fault for fault in draw_faults(list(KINDS), 200, 0, SCALE) if fault.is_at_point]
    fail_points.set_up("; ".join(fault.entry for fault in faults))
    try:
        assert sum(map(len, fail_points._entries.values())) == len(faults)
    finally:
        fail_points.set_up("")


def test_every_fault_from_outside_is_known():
    faults = draw_faults(list(KINDS), 200, 0, SCALE)
    names = {fault.action for fault in faults if fault.where == "outside"}
    assert names == {*OUTSIDE_ACTIONS, "lose-node"}


def test_counts_stay_within_the_study():
    faults = draw_faults(["worker"], 50, 0, SCALE)
    counts = {fault.where: fault.at for fault in faults}
    assert max(fault.at for fault in faults if fault.where == "worker.step") <= 200
    assert max(fault.at for fault in faults if fault.where == "checkpoint.mark") <= 8
    assert counts["worker.load"] == 1


def test_a_fault_that_did_not_happen_comes_sooner():
    (fault,) = draw_faults(["slow"], 1, 0, SCALE)
    assert sooner(fault).at == 1
