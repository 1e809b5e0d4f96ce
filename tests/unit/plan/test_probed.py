import numpy as np
import pytest

from agnews_ray.plan.probed import Batches, workload
from tests.fakes.predictions import a_probe


def batches(train, test=(), validation=()):
    as_lengths = (np.array(one, np.int64) for one in (train, test, validation))
    named = zip(("train", "test", "validation"), as_lengths, strict=True)
    return Batches(num_texts=100, **dict(named))


def work(probe, *lengths, num_epochs=1):
    return workload(probe, batches(*lengths), num_epochs, num_cpus=2, probe="p")


def test_a_steps_time_is_that_of_its_length_on_a_line_between_measured_ones():
    probe = a_probe(step_seconds=((10, 1.0), (20, 3.0)), first_seconds=0.0)
    assert work(probe, [10, 15, 20]).train_s == pytest.approx(1 + 2 + 3)


def test_beyond_the_measured_lengths_time_follows_the_tokens():
    probe = a_probe(step_seconds=((10, 1.0), (20, 3.0)), first_seconds=0.0)
    assert work(probe, [40]).train_s == pytest.approx(6)


def test_epochs_multiply_steps_and_not_what_is_paid_once():
    probe = a_probe(step_seconds=((10, 1.0),), first_seconds=5.0, seconds_per_shape=2.0)
    found = work(probe, [10, 10, 10], num_epochs=3)
    assert found.train_s == pytest.approx(3 * 3 + 5 + 2)
    assert found.num_steps == 9


def test_validation_is_scored_after_each_epoch_and_test_once():
    probe = a_probe(forward_seconds=((10, 1.0),))
    found = work(probe, [10], [10, 10], [10], num_epochs=4)
    assert (found.scoring_s, found.validation_s) == (2, 4)


def test_a_trial_that_scores_nothing_takes_no_time_for_it():
    found = work(a_probe(), [10])
    assert (found.scoring_s, found.validation_s) == (0, 0)


def test_processors_tokenise_at_the_same_time():
    assert work(a_probe(texts_per_second=10.0), [10]).tokenising_s == 5


@pytest.mark.parametrize(("cores", "is_quiet"), [(None, True), (0.1, True), (1.2, False)])
def test_a_probe_beside_busy_programs_is_not_quiet(cores, is_quiet):
    assert a_probe(others_cores=cores).is_quiet is is_quiet
