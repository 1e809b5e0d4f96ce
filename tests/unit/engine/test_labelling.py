"""A teacher's logits are held against the labels before students learn from them."""

import numpy as np
import pytest

from agnews_ray.compare.calibration import calibrate
from agnews_ray.data.batches import NO_LABEL
from agnews_ray.engine.labelling import TeacherFacts, refuse_chance, teacher_facts
from agnews_ray.errors import ModelError


def some_logits(count=200):
    return np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)


def right_in(num_right, num_labelled, largest_share=0.25):
    return TeacherFacts(
        mean_confidence=0.9,
        num_labelled=num_labelled,
        num_right=num_right,
        largest_share=largest_share,
        calibration_error=0.1,
    )


def test_the_facts_are_those_of_the_labelled_rows():
    logits = np.log(np.array([[8, 1, 1], [1, 8, 1], [6, 2, 2], [1, 1, 8]], np.float32) / 10)
    facts = teacher_facts("t", logits, np.array([0, 1, 1, NO_LABEL]))
    assert facts.accuracy == pytest.approx(2 / 3)
    assert facts.largest_share == pytest.approx(2 / 3)
    # Two rows of confidence 0.8 are right, one of 0.6 is wrong.
    assert facts.calibration_error == pytest.approx((2 * 0.2 + 0.6) / 3)
    assert facts.mean_confidence == pytest.approx((3 * 0.8 + 0.6) / 4)


def test_the_calibration_error_is_that_of_the_report():
    logits, labels = some_logits(), np.arange(200) % 4
    expected = calibrate(logits[None].astype(np.float64), labels).expected_calibration_error
    assert teacher_facts("t", logits, labels).calibration_error == expected


def test_without_labels_nothing_is_said_of_accuracy():
    facts = teacher_facts("t", some_logits(), np.full(200, NO_LABEL))
    assert (facts.accuracy, facts.calibration_error, facts.largest_share) == (None, None, None)
    refuse_chance("t", facts)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_refused(value):
    logits = some_logits()
    logits[[3, 8], 1] = value
    found = r"^teacher base: want logits that are numbers, found NaN or infinity for 2 of 200 rows"
    with pytest.raises(ModelError, match=found):
        teacher_facts("base", logits, np.arange(200) % 4)


def test_a_teacher_with_classes_in_another_order_is_refused():
    labels = np.arange(200) % 4
    logits = 5 * np.eye(4, dtype=np.float32)[(labels + 1) % 4] + some_logits()
    with pytest.raises(ModelError) as refused:
        refuse_chance("base", teacher_facts("base", logits, labels))
    message = str(refused.value)
    assert message.startswith("teacher base: want an accuracy clearly above 25.0%, the share of")
    assert "of 200 labelled train rows); check that its class names mean" in message


@pytest.mark.parametrize(
    "facts",
    [
        right_in(500, 2000),  # chance
        right_in(555, 2000),  # 2.8 standard deviations above
        right_in(7_540, 8_000, 0.95),  # worse than a constant prediction
        right_in(0, 10),
    ],
)
def test_a_teacher_near_chance_is_refused(facts):
    with pytest.raises(ModelError, match="want an accuracy clearly above"):
        refuse_chance("base", facts)


@pytest.mark.parametrize(
    "facts",
    [
        right_in(560, 2000),  # 3.1 standard deviations above chance
        right_in(3, 4),  # too few rows for any test
        right_in(9, 10, 0.5),
        right_in(965, 1000, 0.95),  # good on the rare class, though hardly above a constant
        right_in(90, 100, 1.0),  # all labels are the same
    ],
)
def test_a_teacher_that_may_be_good_is_not_refused(facts):
    refuse_chance("base", facts)
