"""What is read of a study, and what is left out of it and said."""

import pytest

from agnews_ray.app.analyse import (
    assess_study,
    compare_study,
    open_study,
    variant_order,
    verify_study,
)
from agnews_ray.compare.assessment import Settings
from agnews_ray.errors import RecordError, StoreError
from agnews_ray.record.cost import FILE_NAME
from agnews_ray.record.finished import to_json
from agnews_ray.record.left_out import LeftOutTrial, save_left_out
from agnews_ray.record.store import StudyStore
from agnews_ray.report import documents, table_formats
from tests.fakes.searched import a_searched_study
from tests.fakes.studies import a_study

FEW = Settings(num_draws=50)


def left_out_of(folder):
    """Assess a study; give what was told, and how many trials still count."""
    told = []
    found = assess_study(folder, tell=told.append)
    return told, sum(row.num_seeds for row in found.table.rows)


def test_predictions_that_are_not_the_records_are_left_out(tmp_path):
    folder = a_study(tmp_path)
    num_trials = len(StudyStore.at(folder).records())
    trials = sorted((folder / "trials").iterdir())
    (trials[0] / "predictions.parquet").write_bytes(
        (trials[3] / "predictions.parquet").read_bytes()
    )
    told, num_left = left_out_of(folder)
    assert num_left == num_trials - 1
    assert len(told) == 1
    assert "as in record.json, found" in told[0]


def test_damaged_predictions_are_told_and_the_others_still_compare(tmp_path):
    folder = a_study(tmp_path)
    num_trials = len(StudyStore.at(folder).records())
    next((folder / "trials").glob("*/predictions.parquet")).write_bytes(b"PAR1 no")
    told, num_left = left_out_of(folder)
    assert num_left == num_trials - 1
    assert len(told) == 1
    assert "a damaged one; delete" in told[0]


def test_a_study_of_which_all_predictions_are_damaged_is_refused(tmp_path):
    folder = a_study(tmp_path)
    for path in (folder / "trials").glob("*/predictions.parquet"):
        path.write_bytes(b"PAR1 no")
    with pytest.raises(RecordError, match="a damaged one; delete"):
        assess_study(folder)


def test_studies_without_a_common_model_are_told(tmp_path):
    one = a_study(tmp_path, name="one", variants=(("a", 0.9),))
    two = a_study(tmp_path, name="two", variants=(("b", 0.9),))
    with pytest.raises(StoreError, match=r"want a model that .*two has too, found a"):
        verify_study(one, str(two))


def test_rows_follow_the_study_and_not_the_ids(tmp_path):
    folder = a_study(tmp_path, variants=(("zebra", 0.9), ("ape", 0.8)), seeds=(1,))
    assert [row.model for row in compare_study(folder).rows] == ["zebra", "ape"]
    _, study, _ = open_study(folder)
    assert variant_order(study) == ["zebra", "ape"]


def test_a_study_whose_file_is_damaged_still_compares_and_says_so(tmp_path):
    folder = a_study(tmp_path, seeds=(1,))
    (folder / "study.yaml").write_text("models: 5\n")
    told = []
    _, study, records = open_study(folder, told.append)
    assert (study, variant_order(study), len(records)) == (None, [], 2)
    (line,) = told
    assert line.startswith("left out: ")
    assert "study.yaml" in line
    assert assess_study(folder, FEW).question == ""


def test_a_study_without_a_finished_trial_is_refused(tmp_path):
    folder = a_study(tmp_path, seeds=(1,))
    for path in (folder / "trials").glob("*/record.json"):
        path.unlink()
    with pytest.raises(StoreError) as caught:
        open_study(folder)
    assert (caught.value.where, caught.value.found) == (str(folder), "none")
    assert caught.value.wanted == "at least one finished trial"
    assert "agnews-ray submit" in caught.value.hint


def test_trials_that_do_not_score_test_are_no_result(tmp_path):
    folder = a_study(tmp_path, seeds=(1,))
    store = StudyStore.at(folder)
    for record in store.records():
        blind = record.model_copy(update={"scores_test": False})
        (store.trial_folder(record.trial_id) / "record.json").write_text(to_json(blind))
    with pytest.raises(StoreError, match="found none that scores the test split"):
        compare_study(folder)


def test_a_study_that_has_only_searched_yet_says_how_it_goes_on(tmp_path):
    folder = a_searched_study(tmp_path)
    for path in (folder / "trials").glob("v*/record.json"):
        path.unlink()
    with pytest.raises(StoreError) as caught:
        compare_study(folder)
    assert caught.value.found == "only 24 of a search, which score no test rows"
    assert "agnews-ray tune" in caught.value.hint


def test_a_searched_study_has_its_search_in_table_and_assessment(tmp_path):
    folder = a_searched_study(tmp_path, qualities=(0.6, 0.9))
    found = assess_study(folder, FEW)
    assert found.table == compare_study(folder)
    assert [row.model for row in found.table.rows] == ["first", "first (tuned)"]
    (search,), (facts,) = found.table.searches, found.searches
    assert (search.variant, len(search.settings)) == ("first", 24)
    assert facts.curse.number == search.best.number
    assert facts.pair == found.pairs[0]
    assert facts.pair.verdict == "better"


@pytest.mark.parametrize("damaged", [f"trials/v0-s1/{FILE_NAME}", "test_rows.parquet"])
def test_damage_beside_the_results_costs_only_itself(tmp_path, damaged):
    folder = a_study(tmp_path, seeds=(1,))
    whole = assess_study(folder, FEW)
    (folder / damaged).write_bytes(b"torn")
    told = []
    found = assess_study(folder, FEW, told.append)
    assert (found.table, found.pairs) == (whole.table, whole.pairs)
    (line,) = told
    assert line.startswith("left out: ")
    assert damaged in line


def test_what_a_budget_left_out_is_named_below_the_table_and_in_the_report(tmp_path):
    folder = a_study(tmp_path, seeds=(1, 2))
    left = [
        LeftOutTrial(trial_id=trial, model="second", seed=seed, budget="30m", reason="too long")
        for trial, seed in (("v1-s2", 2), ("v1-s3", 3))  # the first of them has been run since
    ]
    save_left_out(folder, left)
    said = "Left out by the budget of 30m: second seed 3."
    assert said in table_formats.to_plain(compare_study(folder))
    assert said in "".join(map(str, documents.to_markdown(assess_study(folder, FEW)).values()))
