"""The curve of a pre-training."""

import numpy as np
import pytest

from agnews_ray.compare.pretraining_curves import pretraining_curve
from agnews_ray.compare.variants import NUM_CURVE_POINTS
from agnews_ray.record.outputs import LearningCurve
from tests.fakes.records import a_pretraining


def curve_of(loss, **parts):
    curve = LearningCurve(samples_seen=np.arange(len(loss)), loss=np.array(loss))
    arrays = {name: np.array(values) for name, values in parts.items()}
    return pretraining_curve(a_pretraining(), curve, arrays).points


def test_a_short_training_has_every_step():
    points = curve_of([3.0, 1.0], values=[2.0, 0.5], attention=[1.0, 0.5])
    assert [point.step for point in points] == [1, 2]
    assert points[1].parts == {"loss": 1.0, "values": 0.5, "attention": 0.5}


def test_a_long_training_has_means_of_stretches_that_end_with_its_last_step():
    points = curve_of(np.arange(605.0))
    assert len(points) <= NUM_CURVE_POINTS
    assert points[-1].step == 605
    assert points[0].parts["loss"] == pytest.approx(np.arange(points[0].step).mean())


def test_what_is_no_number_is_left_out():
    (point,) = curve_of([np.nan], attention=[1.0])
    assert point.parts == {"attention": 1.0}
