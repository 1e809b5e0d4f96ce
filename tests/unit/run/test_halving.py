"""A trial goes on if it is in the best share of those that were at its rung before."""

import pytest

from agnews_ray.record.schema import RungScore, SearchRecord
from agnews_ray.run.halving import Halving, Reached, metric_of
from agnews_ray.spec.search import SearchSpec
from tests.fakes.records import a_record, some_scores


def a_halving(**changes):
    space = {"recipe.num_epochs": [1, 2, 3]}
    return Halving(SearchSpec.model_validate({"space": space} | changes), max_epochs=3)


def test_scores_below_the_best_share_so_far_are_stopped():
    halving = a_halving()
    scores = [0.5, 0.6, 0.4, 0.55, 0.7]
    goes_on = [halving.goes_on(Reached(f"t{i}", 0.25, one)) for i, one in enumerate(scores)]
    assert goes_on == [True, True, False, True, True]


def test_rungs_are_apart():
    halving = a_halving()
    assert halving.goes_on(Reached("t0", 0.25, 0.9))
    assert halving.goes_on(Reached("t1", 1.0, 0.5))


def test_what_earlier_runs_noted_decides_too():
    halving = a_halving()
    halving.note(Reached("t0", 0.25, 0.9))
    halving.note(Reached("t0", 3, 0.95, is_end=True))
    assert not halving.goes_on(Reached("t1", 0.25, 0.8))
    assert not halving.goes_on(Reached("t2", 1.0, 0.94))


def test_a_trial_that_asks_again_after_a_lost_node_gets_the_same_answer():
    halving = a_halving()
    assert halving.goes_on(Reached("t0", 0.25, 0.5))
    assert halving.goes_on(Reached("t1", 0.25, 0.6))
    assert halving.goes_on(Reached("t0", 0.25, 0.5))


RUNGS = (
    RungScore(step=5, epochs=0.25, accuracy=0.6, macro_f1=0.5),
    RungScore(step=20, epochs=1.0, accuracy=0.7, macro_f1=0.65),
)


@pytest.mark.parametrize(("metric", "score"), [("accuracy", 0.7), ("macro-f1", 0.65)])
def test_a_stopped_trials_score_is_that_of_its_last_rung(metric, score):
    place = SearchRecord(variant="a", number=0, settings={}, rungs=RUNGS, is_stopped=True)
    assert metric_of(a_record(search=place), metric) == score


def test_a_whole_trials_score_is_that_of_its_last_epoch():
    place = SearchRecord(variant="a", number=0, settings={}, rungs=RUNGS)
    epochs = (some_scores(0.8), some_scores(0.9))
    assert metric_of(a_record(search=place, validation=epochs), "accuracy") == 0.9


def test_a_diverged_trial_is_the_worst():
    place = SearchRecord(variant="a", number=0, settings={})
    record = a_record(search=place, validation=(some_scores(0.8),), diverged="loss")
    assert metric_of(record, "accuracy") == 0.0
