"""Searches come one after the other, and the trials of the table after all of them."""

from dataclasses import replace

from agnews_ray.record.schema import RungScore, SearchRecord
from agnews_ray.run.study_search import StudySearch
from tests.fakes.records import a_record
from tests.unit.run.test_queue import some_trials


class OneTrial:
    """A variant's search that needs a single trial."""

    def __init__(self, name, trial, goes_on=True):
        self.name, self.trial, self._goes_on = name, trial, goes_on

    def open_trials(self, done, failed, num_at_once):
        return [] if self.trial.trial_id in done else [self.trial]

    def goes_on(self, trial, score):
        return self._goes_on


def a_source(searches, final=()):
    return StudySearch(searches=searches, plan_final=lambda: final)


def ids(ready):
    return [trial.trial_id for trial in ready.startable]


def test_the_next_variants_search_fills_the_room():
    first, second, last = some_trials(3)
    source = a_source([OneTrial("a", first), OneTrial("b", second)], [last])
    assert ids(source.ready({}, (), 1)) == ["t0"]
    assert ids(source.ready({}, (), 2)) == ["t0", "t1"]
    assert source.ready({}, (), 2).has_more


def test_the_tables_trials_come_after_all_searches():
    first, last = some_trials(2)
    source = a_source([OneTrial("a", first)], [last])
    done = {"t0": a_record("t0")}
    assert ids(source.ready(done, (), 1)) == ["t1"]
    assert not source.ready(done, (), 1).has_more
    assert ids(source.ready(done | {"t1": a_record("t1")}, (), 1)) == []


def test_a_trial_is_judged_by_its_own_variants_search():
    trial = some_trials(1)[0]
    source = a_source([OneTrial("a", trial), OneTrial("b", trial, goes_on=False)])
    score = RungScore(step=1, epochs=0.5, accuracy=0.5, macro_f1=0.5)

    def goes_on(name):
        place = SearchRecord(variant=name, number=0, settings={})
        return source.goes_on(replace(trial, search=place), score)

    assert goes_on("a")
    assert not goes_on("b")
