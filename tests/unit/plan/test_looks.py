"""A search looks at a trial at the same shares of an epoch, whatever its length."""

import pytest

from agnews_ray.plan.looks import NEVER, Looks

LOOKS = Looks(min_epochs=0.25, reduction_factor=4)


@pytest.mark.parametrize(
    ("num_epochs", "num_steps", "steps"),
    [
        (1, 100, {25: 0.25}),
        (2, 200, {25: 0.25, 100: 1.0}),
        (5, 500, {25: 0.25, 100: 1.0, 400: 4.0}),
        (2, 86, {11: 0.25, 43: 1.0}),
    ],
)
def test_looks_come_at_powers_of_the_factor_before_the_end(num_epochs, num_steps, steps):
    assert LOOKS.steps(num_epochs, num_steps) == steps


def test_of_two_looks_at_one_step_the_later_counts():
    assert LOOKS.steps(2, 2) == {1: 1.0}


def test_the_last_step_is_no_look():
    assert LOOKS.steps(1, 1) == {}


def test_a_search_that_stops_nothing_looks_at_nothing():
    assert NEVER.steps(100, 10_000) == {}
