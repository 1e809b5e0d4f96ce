import numpy as np
import pytest

from agnews_ray.engine.divergence import divergence, predicted_classes

NAN = float("nan")


def test_a_row_without_numbers_has_no_class():
    logits = np.array([[1.0, 2.0], [NAN, 0.0], [NAN, NAN], [float("inf"), 0.0]], dtype=np.float32)
    assert predicted_classes(logits).tolist() == [1, -1, -1, -1]


@pytest.mark.parametrize(
    ("loss", "predicted", "reason"),
    [
        ([1.0, 0.5], [0, 1], None),
        ([1.0, NAN, 0.5], [0, 1], None),  # a step that loss scaling left out
        ([1.0, NAN, 0.5, NAN, NAN], [0], "loss is not a number from step 4 of 5 on"),
        ([float("inf")], [0], "loss is not a number from step 1 of 1 on"),
        ([1.0], [0, -1, 1], "logits of 1 of 3 rows are not numbers"),
    ],
)
def test_how_a_training_ended_says_whether_it_diverged(loss, predicted, reason):
    assert divergence(np.array(loss), [np.array(predicted)]) == reason
