"""A teacher's logits are held against the labels before students learn from them."""

import numpy as np
import pytest

from agnews_ray.compare.calibration import calibrate
from agnews_ray.data.batches import NO_LABEL
from agnews_ray.engine.labelling import check_teacher, describe_labels, is_near_chance
from agnews_ray.errors import ModelError


def some_logits(count=200):
    return np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)


def test_the_facts_are_those_of_the_labelled_rows():
    logits = np.log(np.array([[8, 1, 1], [1, 8, 1], [6, 2, 2], [1, 1, 8]], np.float32) / 10)
    facts = describe_labels(logits, np.array([0, 1, 1, NO_LABEL]))
    assert facts.accuracy == pytest.approx(2 / 3)
    # Two rows of confidence 0.8 are right, one of 0.6 is wrong.
    assert facts.calibration_error == pytest.approx((2 * 0.2 + 0.6) / 3)
    assert facts.mean_confidence == pytest.approx((3 * 0.8 + 0.6) / 4)


def test_the_calibration_error_is_that_of_the_report():
    logits, labels = some_logits(), np.arange(200) % 4
    expected = calibrate(logits[None].astype(np.float64), labels).expected_calibration_error
    assert describe_labels(logits, labels).calibration_error == expected


def test_without_labels_nothing_is_said_of_accuracy():
    labels = np.full(200, NO_LABEL)
    facts = describe_labels(some_logits(), labels)
    assert (facts.accuracy, facts.calibration_error) == (None, None)
    check_teacher("base", some_logits(), labels)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_refused(value):
    logits = some_logits()
    logits[[3, 8], 1] = value
    found = r"^teacher base: want logits that are numbers, found NaN or infinity for 2 of 200 rows"
    with pytest.raises(ModelError, match=found):
        check_teacher("base", logits, np.full(200, NO_LABEL))


def test_a_teacher_with_classes_in_another_order_is_refused():
    labels = np.arange(200) % 4
    logits = 5 * np.eye(4, dtype=np.float32)[(labels + 1) % 4] + some_logits()
    with pytest.raises(ModelError) as refused:
        check_teacher("base", logits, np.where(np.arange(200) < 100, labels, NO_LABEL))
    message = str(refused.value)
    assert message.startswith("teacher base: want an accuracy clearly above 25.0%, the share of")
    assert "of 100 labelled train rows); check that its class names mean" in message


def test_a_teacher_that_is_mostly_right_is_not_refused():
    labels = np.arange(200) % 4
    check_teacher("base", 2 * np.eye(4, dtype=np.float32)[labels] + some_logits(), labels)


@pytest.mark.parametrize(
    ("num_right", "num_rows", "chance"),
    [
        (500, 2000, 0.25),
        (555, 2000, 0.25),  # 2.8 standard deviations above chance
        (7_540, 8_000, 0.95),  # worse than a constant prediction
        (0, 10, 0.25),
    ],
)
def test_some_accuracies_are_near_chance(num_right, num_rows, chance):
    assert is_near_chance(num_right, num_rows, chance)


@pytest.mark.parametrize(
    ("num_right", "num_rows", "chance"),
    [
        (560, 2000, 0.25),  # 3.1 standard deviations above chance
        (3, 4, 0.25),  # few rows
        (9, 10, 0.5),
        (965, 1000, 0.95),  # good on the rare class, though hardly above a constant prediction
        (90, 100, 1.0),  # all labels are the same
    ],
)
def test_others_may_be_those_of_a_good_teacher(num_right, num_rows, chance):
    assert not is_near_chance(num_right, num_rows, chance)
