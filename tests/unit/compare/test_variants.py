import numpy as np
import pytest

from agnews_ray.compare.bootstrap import count, draw_counts
from agnews_ray.compare.diverged import describe_diverged, part_diverged
from agnews_ray.compare.inference import wilson_interval
from agnews_ray.compare.variants import accuracy_interval, class_facts, learning_curve
from agnews_ray.record.outputs import LearningCurve
from tests.fakes.records import a_record

LABELS = np.array([0, 0, 0, 0, 1, 1])
PREDICTED = np.array([[0, 0, 0, 1, 1, 0]])


def curve(*losses, samples=16):
    steps = samples * np.arange(1, len(losses) + 1)
    return LearningCurve(samples_seen=steps, loss=np.array(losses, dtype=float))


def test_a_short_curve_keeps_every_step_and_spreads_over_seeds():
    first, second = learning_curve([curve(4, 2), curve(6, 1)])
    assert (first.samples_seen, first.loss, first.lowest, first.highest) == (16, 5, 4, 6)
    assert (second.samples_seen, second.loss, second.lowest, second.highest) == (32, 1.5, 1, 2)


def test_a_long_curve_is_averaged_over_stretches_of_equally_many_steps():
    points = learning_curve([curve(*range(121))])
    assert len(points) == 41  # of three steps, so that there are at most 60
    assert [points[0].loss, points[1].loss, points[-1].loss] == [1, 4, 120]
    assert [points[0].samples_seen, points[-1].samples_seen] == [48, 121 * 16]


def test_a_stretch_in_which_a_loss_is_no_number_has_no_point():
    first, second = learning_curve([curve(4, 2), curve(np.nan, 1)])
    assert (first.loss, first.lowest, first.highest) == (None, None, None)
    assert second.loss == 1.5


def test_a_single_seed_has_wilsons_intervals_but_for_f1():
    observed = count(LABELS, PREDICTED, 2)
    drawn = draw_counts(LABELS, PREDICTED, 2, 50, np.random.default_rng(0))
    accuracy = accuracy_interval(observed, drawn, 0.05)
    assert accuracy.value == pytest.approx(4 / 6)
    assert (accuracy.low, accuracy.high) == wilson_interval(4, 6, 0.05)
    zero, one = class_facts(["zero", "one"], observed, drawn, 0.05)
    assert (zero.name, zero.num_examples, zero.num_predicted) == ("zero", 4, 4.0)
    assert (one.name, one.num_examples, one.num_predicted) == ("one", 2, 2.0)
    assert (zero.precision.low, zero.precision.high) == wilson_interval(3, 4, 0.05)
    assert (one.recall.low, one.recall.high) == wilson_interval(1, 2, 0.05)
    assert [zero.recall.value, zero.f1.value, one.precision.value] == [0.75, 0.75, 0.5]


@pytest.mark.parametrize(
    ("row_name", "order", "expected"),
    [
        ("one (fp32)", ["one", "two"], ("one (fp32)", True, True)),
        (None, ["two", "one"], ("one", False, False)),
        (None, [], ("one", False, False)),
        (None, ["one"], ("one", False, True)),
    ],
)
def test_a_diverged_trial_is_told_with_its_place_in_the_study(row_name, order, expected):
    record = a_record(diverged="loss is not a number")
    told = describe_diverged(record, row_name, order)
    assert (told.model, told.has_row, told.is_baseline) == expected
    assert (told.seed, told.trial_id) == (record.seed, record.trial_id)
    assert told.reason == "loss is not a number"
    assert part_diverged([record, a_record()]) == ([a_record()], [record])


def test_a_curve_goes_as_far_as_the_longest_training_and_averages_those_that_came_so_far():
    first, second, third = learning_curve([curve(4, 2), curve(6, 4, 1)])
    assert (first.loss, second.loss, third.loss) == (5, 3, 1)
    assert (third.lowest, third.samples_seen) == (1, 48)


def test_a_fit_without_steps_has_no_curve():
    nothing = LearningCurve(samples_seen=np.empty(0, np.int64), loss=np.empty(0))
    assert learning_curve([nothing, nothing]) == ()
