import numpy as np
import pytest

from agnews_ray.compare.crossing import find_crossing

ROWS = np.array([100.0, 1000.0, 10_000.0])


def draws_of(difference, spread, count=2000):
    return difference + np.random.default_rng(0).normal(scale=spread, size=(count, 3))


def find(difference, spread):
    difference = np.array(difference)
    return find_crossing(ROWS, difference, draws_of(difference, spread), 0.05)


def test_curves_cross_between_points_on_a_logarithmic_axis():
    found = find([-0.1, -0.05, 0.05], 0.005)
    assert found.num_rows == pytest.approx(10**3.5)
    assert 2000 < found.low < found.num_rows < found.high < 5000
    assert found.is_sure


def test_curves_that_do_not_cross_say_how_sure_that_is():
    far, near = find([0.2, 0.2, 0.2], 0.01), find([0.02, 0.02, 0.02], 0.02)
    assert (far.num_rows, far.is_sure) == (None, True)
    assert (near.num_rows, near.is_sure) == (None, False)


def test_an_interval_that_leaves_the_measured_range_has_an_open_end():
    found = find([-0.2, -0.1, 0.005], 0.01)
    assert found.num_rows == pytest.approx(10_000, rel=0.2)
    assert (found.low is not None, found.high, found.is_sure) == (True, None, False)


def test_of_several_crossings_the_last_counts():
    assert find([0.1, -0.1, 0.1], 0.001).num_rows == pytest.approx(10**3.5)


def test_equal_scores_at_a_point_are_a_crossing_there():
    assert find([-0.1, 0.0, 0.1], 0.001).num_rows == pytest.approx(1000)


def test_the_interval_covers_the_crossing():
    rng, truth, hits = np.random.default_rng(1), np.array([-0.06, -0.02, 0.03]), 0
    wanted = 10 ** (3 + 0.4)
    for _ in range(200):
        seen = truth + rng.normal(scale=0.01, size=3)
        found = find_crossing(ROWS, seen, seen + rng.normal(scale=0.01, size=(400, 3)), 0.05)
        hits += (found.low or 0) <= wanted <= (found.high or np.inf)
    assert hits >= 184
