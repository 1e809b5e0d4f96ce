"""Results arranged as the rows of a table."""

import numpy as np

from agnews_ray.compare.groups import TrialResult, group_results
from agnews_ray.compare.table import compare_records
from agnews_ray.record.outputs import NO_CURVE, Predictions
from tests.fakes.records import a_labelling, a_record

LABELS = np.array([0, 0, 1, 1])


def a_result(record, *predicted):
    found = Predictions(
        rows=np.arange(4),
        labels=LABELS,
        predicted=np.array(predicted),
        logits=np.eye(2)[list(predicted)],
    )
    return TrialResult(record=record, predictions=found, curve=NO_CURVE)


def groups_of(*results):
    records = [result.record for result in results]
    table = compare_records("study", records, ["one", "two"])
    return group_results(table, results, ["one", "two"], 20, np.random.default_rng(0))


def test_each_row_has_the_results_of_its_seeds_in_their_order():
    one, two = groups_of(
        a_result(a_record("b", "two", 1), 0, 0, 0, 0),
        a_result(a_record("a2", "one", 2), 0, 1, 1, 1),
        a_result(a_record("a1", "one", 1), 0, 0, 1, 1),
    )
    assert [trial.record.trial_id for trial in one.trials] == ["a1", "a2"]
    assert one.observed.hits.sum(axis=1).tolist() == [4, 3]
    assert two.observed.hits.sum(axis=1).tolist() == [2]
    assert one.on_seeds([2]).right.tolist() == [[True, False, True, True]]


def test_all_rows_are_counted_on_the_same_drawn_test_sets():
    one, two = groups_of(
        a_result(a_record("a", "one", 1), 0, 0, 1, 1), a_result(a_record("b", "two", 1), 1, 1, 0, 0)
    )
    assert np.array_equal(one.drawn.actual, two.drawn.actual)
    assert (one.drawn.hits.sum(axis=-1) == 4).all()


def test_the_labels_of_a_teacher_are_in_no_group():
    (one,) = groups_of(
        a_result(a_record("a", "one", 1), 0, 0, 1, 1), a_result(a_labelling(seed=2), 0, 0, 1, 1)
    )
    assert one.row.seeds == (1,)
