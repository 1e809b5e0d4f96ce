"""What teaching brought, from the records and predictions of a study."""

import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.compare.assessment import Settings
from agnews_ray.record.outputs import load_predictions
from agnews_ray.record.store import StudyStore
from tests.fakes.taught import a_taught_study

FEW = Settings(num_draws=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return a_taught_study(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def assessment(folder):
    return assess_study(folder, FEW)


@pytest.fixture(scope="module")
def facts(assessment):
    return {one.variant: one for one in assessment.taught}


def predictions_of(folder, trial_id):
    store = StudyStore.at(folder)
    record = next(one for one in store.records() if one.trial_id == trial_id)
    return load_predictions(store.trial_folder(trial_id), record)


def test_the_gap_closed_is_that_of_the_mean_scores(facts):
    found = facts["taught"]
    taught, plain, teacher = (
        one.accuracy.value for one in (found.taught, found.plain, found.teacher)
    )
    assert found.gap_closed.value == pytest.approx((taught - plain) / (teacher - plain))
    assert found.gap.value == pytest.approx(teacher - plain)
    assert 0 < found.gap_closed.low < found.gap_closed.high


def test_agreement_is_the_share_of_rows_with_the_teachers_class(folder, facts):
    shares = [
        (
            predictions_of(folder, f"v1-s{s}").predicted
            == predictions_of(folder, f"v3-s{s}").predicted
        )
        for s in (1, 2, 3)
    ]
    expected = sum(share.mean() for share in shares) / 3
    assert facts["taught"].taught.agreement == pytest.approx(expected)
    assert facts["taught"].teacher.agreement is None


def test_the_students_verdict_is_that_of_a_pair_of_the_study(assessment, facts):
    assert facts["taught"].pair in assessment.pairs
    assert (facts["taught"].pair.baseline, facts["taught"].pair.verdict) == ("plain", "better")


def test_a_student_is_judged_against_its_twin_whatever_the_baseline(tmp_path):
    pairs = assess_study(a_taught_study(tmp_path, first="teacher"), FEW).pairs
    assert [(pair.variant, pair.baseline) for pair in pairs] == [
        ("plain", "teacher"),
        ("taught", "teacher"),
        ("deep", "teacher"),
        ("taught", "plain"),
        ("deep", "plain"),
    ]


def test_a_teacher_from_elsewhere_is_known_by_its_labels_scores(tmp_path):
    folder = a_taught_study(tmp_path, elsewhere=True)
    found = {one.variant: one for one in assess_study(folder, FEW).taught}
    right = [
        (one.predicted == one.labels).mean()
        for one in (predictions_of(folder, f"labels-s{seed}") for seed in (1, 2, 3))
    ]
    assert found["taught"].teacher.accuracy.value == pytest.approx(sum(right) / 3)
    assert found["deep"].teacher.name == "minilm"


def test_a_gap_that_may_be_none_is_not_divided_by(tmp_path):
    found = assess_study(a_taught_study(tmp_path, plain=0.9, taught=0.9), FEW).taught[0]
    assert found.gap_closed is None
    assert found.gap.low < 0


def test_labels_are_in_no_list_of_trials(assessment):
    assert {one.work for one in assessment.records} == {"fine-tuning"}
    assert len(assessment.records) == 12
