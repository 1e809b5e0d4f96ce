import numpy as np
import pytest

from agnews_ray.compare.calibration import calibrate, reliability


def test_expected_calibration_error_on_a_worked_example():
    # Two bins: 0.9 sure and right in 3 of 4, 0.6 sure and right in 1 of 2.
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.62, 0.62])
    right = np.array([True, True, True, False, True, False])
    logits = np.log(np.stack([confidence, 1 - confidence], axis=1))[None]
    found = calibrate(logits, np.where(right, 0, 1))
    expected = 4 / 6 * abs(0.75 - 0.9) + 2 / 6 * abs(0.5 - 0.62)
    assert found.expected_calibration_error == pytest.approx(expected)
    assert [one.num_predictions for one in found.bins] == [2, 4]


def test_certainty_that_is_right_is_perfect():
    found = calibrate(np.array([[[50.0, 0.0], [0.0, 50.0]]]), np.array([0, 1]))
    assert found.expected_calibration_error == pytest.approx(0)
    assert found.brier_score == pytest.approx(0)


def test_a_confidence_on_an_edge_belongs_to_the_lower_bin():
    assert len(reliability(np.array([10 / 15, 10 / 15 - 1e-9]), np.array([True, False]))) == 1
