from agnews_ray.compare.grouping import group_records, group_shares, of_table, part_repeated
from agnews_ray.record.schema import Scores
from tests.fakes.curves import a_share
from tests.fakes.records import a_record

RECORDS = [
    a_share("b", 0.3),
    a_record("c", seed=2),
    a_share("a", 0.1),
    a_record("d"),
    a_record("e", "two"),
]


def ids_of(groups):
    return [[record.trial_id for record in group] for group in groups]


def test_shares_of_a_row_come_smallest_first():
    found = group_shares(RECORDS, ["one"])
    assert [name for name, _ in found] == ["one", "two"]
    assert [ids_of(groups) for _, groups in found] == [[["a"], ["b"], ["d", "c"]], [["e"]]]


def test_a_table_has_trials_with_all_rows_that_score_test():
    blind = a_record("blind", scores_test=False, test=Scores.none_of(10))
    assert [record.trial_id for record in of_table([*RECORDS, blind])] == ["c", "d", "e"]
    assert ids_of(group_records([*RECORDS, blind], ["one"])) == [["d", "c"], ["e"]]


def test_the_same_seed_with_another_share_is_no_copy():
    used, repeated = part_repeated([*RECORDS, a_share("a-copy", 0.1, created_at="2025")])
    assert (len(used), [record.trial_id for record in repeated]) == (5, ["a-copy"])
