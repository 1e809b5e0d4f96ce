from dataclasses import replace

import pytest

from agnews_ray.errors import SpecError
from agnews_ray.plan.graph import TrialGraph, only_needed, without_finished
from tests.unit.run.test_queue import a_chain, some_trials


def ids(trials):
    return [trial.trial_id for trial in trials]


def test_trials_that_wait_for_none_keep_their_order():
    assert ids(TrialGraph(some_trials()).trials) == ["t0", "t1", "t2", "t3"]


def test_each_comes_after_those_that_it_waits_for():
    graph = TrialGraph(a_chain(("t0", "t2"), ("t2", "t3")))
    assert ids(graph.trials) == ["t3", "t2", "t0", "t1"]


def test_a_circle_is_named_in_the_order_of_waiting():
    with pytest.raises(SpecError) as caught:
        TrialGraph(a_chain(("t0", "t1"), ("t1", "t2"), ("t2", "t0")))
    circles = ["t0 -> t1 -> t2 -> t0", "t1 -> t2 -> t0 -> t1", "t2 -> t0 -> t1 -> t2"]
    wanted = "plan: trials: want none that waits for itself, found {}; remove one of these edges"
    assert str(caught.value) in [wanted.format(circle) for circle in circles]


def test_all_unknown_trials_are_named_at_once():
    with pytest.raises(SpecError) as caught:
        TrialGraph(a_chain(("t0", "x"), ("t1", "y")))
    assert list(caught.value.problems) == [
        "t0: want to wait for a planned trial, found 'x'; plan it too",
        "t1: want to wait for a planned trial, found 'y'; plan it too",
    ]


def test_what_waits_starts_after_all_of_them():
    graph = TrialGraph(a_chain(("t3", "t1"), ("t3", "t2")))
    assert ids(graph.ready(done={"t0", "t1"}, failed=()).startable) == ["t2"]
    assert ids(graph.ready(done={"t0", "t1", "t2"}, failed=()).startable) == ["t3"]


def test_whoever_waits_for_a_failed_trial_is_lost_and_so_are_those_behind_it():
    graph = TrialGraph(a_chain(("t1", "t0"), ("t2", "t1")))
    ready = graph.ready(done=(), failed={"t0"})
    assert [(lost.trial.trial_id, lost.cause) for lost in ready.lost] == [
        ("t1", "t0"),
        ("t2", "t1"),
    ]
    assert ids(ready.startable) == ["t3"]


def test_nobody_waits_for_what_has_finished_before():
    todo = without_finished(a_chain(("t1", "t0"), ("t2", "t1")), {"t0"})
    assert [(trial.trial_id, trial.waits_for) for trial in todo] == [
        ("t1", ()),
        ("t2", ("t1",)),
        ("t3", ()),
    ]


def test_a_trial_may_not_wait_for_itself():
    (alone,) = some_trials(1)
    with pytest.raises(SpecError, match="found t0 -> t0"):
        TrialGraph([replace(alone, waits_for=("t0",))])


def test_labels_for_which_no_student_waits_are_not_computed():
    trained, labels, student, other = a_chain(("t1", "t0"), ("t2", "t1"))
    labels = replace(labels, work="labelling")
    assert ids(only_needed([trained, labels, student, other])) == ["t0", "t1", "t2", "t3"]
    assert ids(only_needed([trained, labels, other])) == ["t0", "t3"]


def test_what_is_needed_by_something_needed_is_kept():
    first, second, student, _ = a_chain(("t1", "t0"), ("t2", "t1"))
    chain = [replace(one, work="pretraining") for one in (first, second)]
    assert ids(only_needed([*chain, student])) == ["t0", "t1", "t2"]
    assert ids(only_needed(chain)) == []
