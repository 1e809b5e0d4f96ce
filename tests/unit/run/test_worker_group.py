"""Groups of workers whose ``fit`` is a thread here, and whose mailbox is a dictionary."""

import itertools
import threading
import time

import pytest

from agnews_ray.run.mailbox import Task, next_task, post_result
from agnews_ray.run.worker_group import WorkerGroup, WorkerGroups


class Workers:
    """A ``Fit``: answers each task with its config, doubled; counts its starts."""

    def __init__(self, fails_on=None):
        self.starts = []
        self.exits = []
        self._fails_on = fails_on

    def __call__(self, group):
        self.starts.append(group)
        for number in itertools.count(1):
            task = next_task(group, number)
            if task is None:
                self.exits.append(group)
                return
            if task.config == self._fails_on:
                raise ZeroDivisionError(task.config)
            post_result(group, number, task.config * 2)


def a_task(config):
    return Task(config=config, datasets={})


def test_trials_in_a_row_start_the_workers_once(letters):
    workers = Workers()
    group = WorkerGroup("g", workers)
    assert [group.run(a_task(config)) for config in ("a", "b", "c")] == ["aa", "bb", "cc"]
    assert workers.starts == ["g-1"]


def test_no_message_stays_behind(letters):
    group = WorkerGroup("g", Workers())
    group.run(a_task("a"))
    assert letters == {}


def test_an_error_ends_its_trial_and_the_next_has_new_workers(letters):
    workers = Workers(fails_on="b")
    group = WorkerGroup("g", workers)
    group.run(a_task("a"))
    with pytest.raises(ZeroDivisionError):
        group.run(a_task("b"))
    assert group.run(a_task("c")) == "cc"
    assert workers.starts == ["g-1", "g-2"]


def test_workers_that_exit_without_a_result_are_an_error(letters):
    group = WorkerGroup("g", lambda name: None)
    with pytest.raises(RuntimeError, match="exited before"):
        group.run(a_task("a"))


def test_workers_that_were_lost_while_idle_cost_no_trial(letters):
    lost = threading.Event()

    def fit(name):
        if name == "g-1":
            lost.set()
            raise OSError("lost")
        Workers()(name)

    group = WorkerGroup("g", fit)
    group.start()
    lost.wait()
    while not group._running.done():
        time.sleep(0.001)
    assert group.run(a_task("a")) == "aa"


def test_trials_side_by_side_have_a_group_each_and_share_it_later(letters):
    workers = Workers()
    groups = WorkerGroups(workers)
    with groups.one() as first, groups.one() as second:
        assert first is not second
        first.run(a_task("a"))
        second.run(a_task("b"))
    with groups.one() as third:
        third.run(a_task("c"))
    assert len(workers.starts) == 2


def test_closing_waits_until_all_workers_have_exited(letters):
    workers = Workers()
    groups = WorkerGroups(workers)
    groups.start_one()
    groups.close()
    assert workers.exits == workers.starts


def test_a_group_that_is_lent_is_not_idle(letters):
    groups = WorkerGroups(Workers())
    with groups.one() as group:
        groups.stop_idle()
        assert group.run(a_task("a")) == "aa"


def test_a_running_trial_keeps_the_idle_group_that_it_has_not_reserved_yet(letters):
    workers = Workers()
    groups = WorkerGroups(workers)
    groups.start_one()
    groups.stop_idle(num_trials=1)
    with groups.one() as group:
        group.run(a_task("a"))
    assert workers.starts == ["workers-1-1"]


def test_groups_beyond_the_running_trials_exit(letters):
    workers = Workers()
    groups = WorkerGroups(workers)
    with groups.one() as first, groups.one() as second:
        ends = [first.start(), second.start()]
    with groups.one() as kept:
        groups.stop_idle(num_trials=1)
        ends[[first, second].index(first if kept is second else second)].result(timeout=10)
        assert kept.run(a_task("a")) == "aa"
    assert len(workers.exits) == 1
