import pytest

from agnews_ray.plan.time_forecast import Limit
from agnews_ray.run.allowance import Allowance, duration
from tests.fakes.predictions import a_forecast, a_predicted_record, a_trial, a_workload


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def an_allowance(limit_s=300.0, adds_up=False, forecast=None, clock=None):
    limit = None if limit_s is None else Limit(text="5m", seconds=limit_s, adds_up=adds_up)
    return Allowance(
        forecast=forecast or a_forecast(startup_s=20, one=100, two=150),
        limit=limit,
        started_at=1000.0,
        clock=clock or Clock(),
    )


def test_a_trial_that_ends_in_time_starts():
    assert an_allowance().reason_to_leave_out(a_trial("one")) is None


def test_a_trial_that_cannot_end_in_time_is_left_out_with_the_reason():
    clock = Clock()
    allowance = an_allowance(clock=clock)
    assert allowance.reason_to_leave_out(a_trial("one")) is None
    clock.now += 201
    assert allowance.reason_to_leave_out(a_trial("one", 2)) == (
        "it cannot end within the budget of 5m (3 min 21 s spent, 1 min 40 s predicted for it)"
    )


def test_the_first_trial_waits_for_its_workers_too():
    assert an_allowance(limit_s=119).reason_to_leave_out(a_trial("one")) is not None
    assert an_allowance(limit_s=121).reason_to_leave_out(a_trial("one")) is None


def test_without_a_limit_all_start():
    assert an_allowance(limit_s=None).reason_to_leave_out(a_trial("one")) is None


def test_a_variant_that_was_not_measured_starts_while_time_is_left():
    clock = Clock()
    allowance = an_allowance(clock=clock)
    assert allowance.reason_to_leave_out(a_trial("three")) is None
    clock.now += 301
    assert allowance.reason_to_leave_out(a_trial("three", 2)) is not None


def test_slow_trials_of_the_study_correct_the_next():
    allowance = an_allowance()
    before = allowance.predict(a_trial("one"), since=1001.0).train_seconds
    for seed in range(10):
        record = a_predicted_record(200.0, probe="one", train_s=100.0, trial_id=str(seed))
        allowance.ended(record)
    assert allowance.predict(a_trial("one"), since=1001.0).train_seconds > 1.8 * before


def test_money_adds_up_over_trials_side_by_side():
    allowance = an_allowance(limit_s=260, adds_up=True)
    reasons = [allowance.reason_to_leave_out(a_trial("one", seed)) for seed in (1, 2, 3)]
    assert [reason is None for reason in reasons] == [True, True, False]


def test_money_that_a_trial_really_took_is_what_counts():
    allowance = an_allowance(limit_s=260, adds_up=True)
    assert allowance.reason_to_leave_out(a_trial("one", 1)) is None
    ended = a_predicted_record(170.0, total_s=175.0, trial_id="one-s1", probe="other")
    allowance.ended(ended)
    assert "175" not in (allowance.reason_to_leave_out(a_trial("one", 2)) or "")
    assert allowance.reason_to_leave_out(a_trial("one", 2)) is not None


def test_the_first_trials_record_counts_from_submit_and_later_ones_from_their_start():
    clock = Clock()
    clock.now = 1010.0
    forecast = a_forecast(startup_s=20, one=a_workload(100, tokenising_s=7))
    allowance = an_allowance(forecast=forecast, clock=clock)
    first = allowance.predict(a_trial("one"), since=1000.0)
    assert (first.total_seconds, first.startup_seconds) == (10 + 20 + 7 + 100, 20)
    second = allowance.predict(a_trial("one", 2), since=1200.0)
    assert (second.total_seconds, second.startup_seconds) == (100, 0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (200, "3 min 20 s"),
        (180, "3 min"),
        (1500, "25 min"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, text):
    assert duration(seconds) == text
