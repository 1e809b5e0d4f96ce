"""What took several attempts is named, with its causes and its price."""

from agnews_ray.compare.interruptions import interrupted_trials
from agnews_ray.compare.table import compare_records
from tests.fakes.records import a_record, an_attempt


def test_a_trial_of_several_attempts_is_described():
    attempts = (
        an_attempt(0, 40, "interrupted"),
        an_attempt(30, 60, "lost worker"),
        an_attempt(60, 60, "lost worker"),
        an_attempt(60, 80),
    )
    (found,) = interrupted_trials([a_record(attempts=attempts)])
    assert found.num_attempts == 4
    assert list(found.causes.items()) == [("lost worker", 2), ("interrupted", 1)]
    assert found.num_steps_repeated == 10
    assert found.seconds_lost == 15 + 10 + 30


def test_of_undisturbed_trials_and_those_of_older_records_nothing_is_said():
    records = [a_record(), a_record("two-s1-0000000000", attempts=(an_attempt(0, 80),))]
    assert interrupted_trials(records) == ()


def test_a_table_has_also_those_that_are_in_no_row():
    attempts = (an_attempt(0, 40, "lost worker"), an_attempt(30, 80))
    record = a_record(attempts=attempts, diverged="a loss that is not a number")
    (found,) = compare_records("study", [record], ["one"]).interrupted
    assert (found.model, found.seed) == ("one", 1)
