"""What a tracker gets: its digest, its times, and its curves step by step."""

import pytest

from agnews_ray.track.tracked_trial import TrackedStudy
from tests.fakes.tracked import a_curve, a_tracked_trial, measured_later


def test_the_same_trial_has_the_same_digest():
    assert a_tracked_trial().digest == a_tracked_trial().digest


@pytest.mark.parametrize(
    "change",
    [
        {"scores": {"test/accuracy": 0.8}},
        {"tags": {"artifact": "elsewhere"}},
        {"parameters": {"seed": 2}},
        {"curves": {"train/loss": a_curve((1.0, 0.5, 0.2))}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_changes_the_digest(change):
    assert a_tracked_trial(**change).digest != a_tracked_trial().digest


def test_a_measured_cost_leaves_the_digest_of_the_curves_as_it_was():
    trial = a_tracked_trial()
    assert measured_later(trial).digest != trial.digest
    assert measured_later(trial).curves_digest == trial.curves_digest


def test_curves_are_read_step_by_step():
    rows = list(a_tracked_trial().by_step())
    assert rows == [
        (1, {"train/loss": 1.0, "validation/accuracy": 0.7}),
        (2, {"train/loss": 0.5}),
        (3, {"train/loss": 0.25}),
    ]


def test_steps_lie_between_start_and_end():
    trial = a_tracked_trial()
    assert trial.time_of(3) == trial.ended_at
    assert trial.started_at < trial.time_of(1) < trial.time_of(2) < trial.ended_at


def test_a_studys_text_has_only_what_is_known():
    study = TrackedStudy(name="news", question="Which?", findings=("a.", "b."), scores={}, table="")
    assert study.text == "Which?\n\n- a.\n- b."
