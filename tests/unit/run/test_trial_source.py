"""Planned trials come in their order, and a study's plan stops none of them."""

from agnews_ray.record.schema import RungScore
from agnews_ray.run.trial_source import PlannedTrials
from tests.fakes.records import a_record
from tests.unit.run.test_queue import some_trials


def test_planned_trials_are_those_that_have_not_ended():
    source = PlannedTrials(some_trials(3))
    ready = source.ready({"t0": a_record("t0")}, {"t1"}, 1)
    assert [trial.trial_id for trial in ready.startable] == ["t2"]
    assert not ready.has_more


def test_a_planned_trial_goes_on():
    score = RungScore(step=1, epochs=0.5, accuracy=0.0, macro_f1=0.0)
    assert PlannedTrials([]).goes_on(some_trials(1)[0], score)
