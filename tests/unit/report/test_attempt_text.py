"""Interrupted trials in words."""

import pytest

from agnews_ray.compare.interruptions import InterruptedTrial
from agnews_ray.report import attempt_text


def a_trial(**changes):
    facts = {
        "trial_id": "mini-s1-0000000000",
        "model": "mini",
        "seed": 1,
        "num_attempts": 4,
        "causes": {"lost worker": 2, "interrupted": 1},
        "num_steps_repeated": 1214,
        "seconds_lost": 35.4,
    }
    return InterruptedTrial(**facts | changes)


def test_a_trial_is_one_line():
    assert attempt_text.line(a_trial()) == (
        "mini-s1-0000000000: 4 attempts (2 lost worker, 1 interrupted), "
        "1,214 steps made again, 35 s lost"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_steps_repeated": 0}, ", 0 steps made again,"),
        ({"num_steps_repeated": 1}, ", 1 step made again,"),
        ({"seconds_lost": 150.0}, ", 2.5 min lost"),
    ],
)
def test_numbers_are_written_with_their_units(changes, words):
    assert words in attempt_text.line(a_trial(**changes))
