"""The share of a gap that was closed, with its interval."""

import numpy as np
import pytest

from agnews_ray.compare.gap import Scored, gap_closed

NUM_ROWS = 500


def scored(level, rng, num_seeds=4, num_draws=300, spread=0.002):
    """Scores of seeds around a level, and what drawn test sets make of them."""
    observed = level + spread * rng.normal(size=num_seeds)
    return Scored(observed=observed, drawn=observed + 0.005 * rng.normal(size=(num_draws, 1)))


def sides(*levels, **kind):
    rng = np.random.default_rng(0)
    return [scored(level, rng, **kind) for level in levels]


def test_the_share_is_that_of_the_means_and_lies_in_its_interval():
    taught, plain, teacher = sides(0.85, 0.8, 0.9)
    found = gap_closed(taught, plain, teacher, NUM_ROWS, 0.05)
    gain = taught.observed.mean() - plain.observed.mean()
    assert found.value == pytest.approx(gain / (teacher.observed.mean() - plain.observed.mean()))
    assert found.low < found.value < found.high


def test_more_confidence_needs_a_wider_interval():
    narrow, wide = (gap_closed(*sides(0.85, 0.8, 0.9), NUM_ROWS, alpha) for alpha in (0.1, 0.01))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_student_better_than_its_teacher_closed_more_than_the_gap():
    assert gap_closed(*sides(0.95, 0.8, 0.9), NUM_ROWS, 0.05).low > 1


def test_an_equal_student_closed_nothing_and_a_spoilt_one_less():
    taught, plain, teacher = sides(0.8, 0.8, 0.9)
    assert gap_closed(plain, plain, teacher, NUM_ROWS, 0.05).value == 0
    spoilt = Scored(observed=taught.observed - 0.05, drawn=taught.drawn - 0.05)
    assert gap_closed(spoilt, plain, teacher, NUM_ROWS, 0.05).high < 0


@pytest.mark.parametrize("teacher", [0.8, 0.801, 0.7])
def test_there_is_no_share_of_a_gap_that_may_be_none(teacher):
    assert gap_closed(*sides(0.85, 0.8, teacher), NUM_ROWS, 0.05) is None


def test_a_small_gap_has_a_wide_interval():
    small, large = (
        gap_closed(*sides(0.8 + gap / 2, 0.8, 0.8 + gap), NUM_ROWS, 0.05) for gap in (0.03, 0.1)
    )
    assert small.high - small.low > 2 * (large.high - large.low)
