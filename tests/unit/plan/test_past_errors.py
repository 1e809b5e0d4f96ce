import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from agnews_ray.plan.past_errors import (
    COVERED,
    STARTUP_S,
    Past,
    PastError,
    _student,
    machine_of,
    past_errors,
)
from tests.fakes.predictions import a_predicted_record
from tests.fakes.records import a_record

HERE = machine_of(a_record().environment, "cpu", 1)


def errors(*ratios, probe="p", train_s=1e6):
    return tuple(
        PastError(probe=probe, log_ratio=math.log(ratio), error=ratio - 1, train_s=train_s)
        for ratio in ratios
    )


def test_without_a_past_a_prediction_stands_as_it_is_with_a_wide_interval():
    found = Past().correction("p")
    assert found.factor == 1
    assert 1.2 < found.width() < 1.5


def test_a_bias_is_learned():
    assert Past(errors=errors(*[1.2] * 10)).correction("p").factor == pytest.approx(1.2, abs=0.02)


def test_a_single_trial_is_not_believed_whole():
    assert 1.05 < Past(errors=errors(1.2)).correction("p").factor < 1.2


def test_equal_errors_make_the_interval_narrow():
    steady = Past(errors=errors(*[1.1] * 20)).correction("p")
    assert (
        steady.width()
        < Past(errors=errors(1.1)).correction("p").width()
        < Past().correction("p").width()
    )


def test_errors_of_another_probe_count_less():
    past = Past(errors=errors(1.3))
    assert past.correction("p").factor > past.correction("another").factor > 1


def test_short_trials_count_less():
    of_long, of_short = (
        Past(errors=errors(1.3, train_s=seconds)).correction("p") for seconds in (600, 2)
    )
    assert of_long.factor > of_short.factor


def test_errors_of_a_disturbed_probe_count_less():
    (error,) = errors(1.3)
    quiet, disturbed = (
        Past(errors=(replace(error, is_quiet=is_quiet),)).correction("p")
        for is_quiet in (True, False)
    )
    assert quiet.factor > disturbed.factor > 1


def test_an_interval_holds_as_many_trials_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        happened = np.exp(rng.normal(0.1, 0.1, 9))
        found = Past(errors=errors(*happened[:8])).correction("p")
        held += abs(math.log(happened[8] / found.factor)) <= math.log(found.width())
    assert held / 400 == pytest.approx(COVERED, abs=0.06)


def test_of_a_sum_chance_averages_out_and_bias_does_not():
    found = Past(errors=errors(1.0, 1.3, 0.8)).correction("p")
    assert 1 < found.width(0) < found.width(0.25) < found.width(1)


@pytest.mark.parametrize("freedom", [3, 5, 30])
def test_the_quantile_is_students(freedom):
    assert _student(0.9, freedom) == pytest.approx(stats.t.ppf(0.9, freedom), rel=0.01)


def test_records_say_what_happened_over_what_was_predicted():
    record = a_predicted_record(110.0, train_s=100.0, measured_s=55.0)
    (found,) = past_errors([record], HERE).errors
    assert found.error == pytest.approx(0.1)
    assert math.exp(found.log_ratio) == pytest.approx(2)


def test_a_trial_that_was_stopped_early_counts_by_its_steps():
    record = a_predicted_record(30.0, train_s=100.0, num_steps=25)
    (found,) = past_errors([record], HERE).errors
    assert found.error == pytest.approx(0.2)


def test_records_of_other_machines_and_without_a_prediction_are_left_out():
    elsewhere = a_predicted_record(110.0)
    elsewhere = elsewhere.model_copy(
        update={"environment": elsewhere.environment.model_copy(update={"cpu": "another"})}
    )
    assert past_errors([elsewhere, a_record()], HERE) == Past()


def test_the_start_is_what_the_latest_starts_took():
    assert Past().startup_s == STARTUP_S
    record = a_predicted_record(100.0, total_s=130.0, startup_s=20.0)
    assert past_errors([record], HERE).startup_s == pytest.approx(30)
