"""What is told of trials, here and through a job's log."""

import math

import pytest
from pydantic import TypeAdapter

from agnews_ray.record.schema import Scores
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress
from tests.fakes.records import a_record
from tests.unit.run.test_queue import some_trials


def test_what_is_told_of_a_trial_is_taken_from_its_plan_and_record():
    (trial,) = some_trials(1)
    assert TrialFacts.of(trial).model_dump() == {
        "trial_id": "t0",
        "variant": {"name": "bert"},
        "seed": 0,
        "num_steps": 1,
        "train_share": 1.0,
        "precision": "fp32",
        "device": "cpu",
        "work": "fine-tuning",
        "num_rows": 0,
    }
    assert RecordFacts.of(a_record()).test.accuracy == a_record().test.accuracy


def test_what_is_told_of_a_diverged_trial_has_no_scores():
    record = a_record(diverged="loss is not a number", test=Scores.none_of(10))
    told = RecordFacts.of(record)
    assert (told.test.accuracy, told.diverged) == (None, "loss is not a number")


def test_what_a_newer_package_tells_besides_is_left_out_and_an_older_one_may_tell_less():
    training = {"train_seconds": 1.0, "samples_per_second": 2.0, "mood": "good"}
    scores = {"accuracy": 0.9, "macro_f1": 0.8}
    told = RecordFacts.model_validate({"training": training, "test": scores, "mood": "good"})
    assert told.diverged is None
    assert "mood" not in told.model_dump()["training"]


@pytest.mark.parametrize("name", ["loss", "seconds_left"])
def test_a_number_that_is_not_known_is_null_in_a_log_and_none_here(name):
    progress = TypeAdapter(TrialProgress)
    told = progress.validate_python({"trial_id": "t", "phase": "training", name: None})
    assert math.isnan(getattr(told, name))
    known = progress.validate_python({"trial_id": "t", "phase": "training", name: 1.5})
    assert getattr(known, name) == 1.5
