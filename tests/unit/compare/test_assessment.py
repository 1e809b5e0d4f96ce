import dataclasses
import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
)

from agnews_ray.app.analyse import assess_study
from agnews_ray.compare.assessment import Settings, _validation_accuracy
from agnews_ray.record.outputs import load_predictions, load_test_rows, save_test_rows
from agnews_ray.record.store import StudyStore
from agnews_ray.report import figures, sentences
from tests.fakes.records import a_record, some_scores
from tests.fakes.searched import a_search, add_trials
from tests.fakes.studies import a_study, some_predictions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return a_study(tmp_path_factory.mktemp("runs"), class_names=("a", "b", "c"), num_rows=300)


@pytest.fixture(scope="module")
def assessment(folder):
    return assess_study(folder)


def predictions_of(folder, variant):
    store = StudyStore.at(folder)
    return [
        load_predictions(store.trial_folder(record.trial_id), record)
        for record in store.records()
        if record.variant.name == variant
    ]


def mean_over(pairs, score, **options):
    return np.mean([score(*pair, **options) for pair in pairs], axis=0)


def test_scores_are_those_of_scikit_learn_on_the_predictions(folder, assessment):
    for variant in assessment.variants:
        trials = predictions_of(folder, variant.name)
        pairs = [(one.labels, one.logits.argmax(axis=1)) for one in trials]
        mean = partial(mean_over, pairs)
        assert variant.accuracy.value == pytest.approx(mean(accuracy_score))
        assert variant.macro_f1.value == pytest.approx(mean(f1_score, average="macro"))
        found = {
            name: [getattr(one, name).value for one in variant.classes]
            for name in ("precision", "recall", "f1")
        }
        assert found["precision"] == pytest.approx(mean(precision_score, average=None))
        assert found["recall"] == pytest.approx(mean(recall_score, average=None))
        assert found["f1"] == pytest.approx(mean(f1_score, average=None))
        brier = [
            brier_score_loss(one.labels, softmax(one.logits, axis=1), scale_by_half=False)
            for one in trials
        ]
        assert variant.calibration.brier_score == pytest.approx(np.mean(brier))


def test_the_difference_is_that_of_the_means(folder, assessment):
    (pair,) = assessment.pairs
    right = {
        name: np.mean([(p.predicted == p.labels).mean() for p in predictions_of(folder, name)])
        for name in ("first", "second")
    }
    assert pair.accuracy.value == pytest.approx(right["second"] - right["first"])
    assert pair.accuracy.low < pair.accuracy.value < pair.accuracy.high
    assert (pair.verdict, pair.is_different) == ("worse", True)


def test_the_same_records_give_the_same_assessment(folder, assessment):
    assert assess_study(folder) == assessment


def test_a_twin_of_the_baseline_is_equivalent(tmp_path):
    fixed = some_predictions(np.random.default_rng(5), np.arange(400) % 2, 0.9, 2)

    def same(rng, labels):
        return fixed + 0.01 * rng.normal(size=fixed.shape)

    folder = a_study(tmp_path, variants=(("one", same), ("two", same)), num_rows=400)
    (pair,) = assess_study(folder, Settings(margin=0.01)).pairs
    assert pair.verdict == "equivalent"


def test_a_small_study_is_undecided_and_says_what_would_tell(tmp_path):
    folder = a_study(tmp_path, variants=(("one", 0.9), ("two", 0.88)), num_rows=150)
    found = assess_study(folder)
    (pair,) = found.pairs
    assert pair.verdict == "undecided"
    text = " ".join(sentences.conclusion(found))
    more = f"About {pair.num_more_seeds} more seed" if pair.num_more_seeds else "more test rows"
    assert more in text


def test_a_single_seed_is_judged_by_mcnemar_and_the_limit_is_said(tmp_path):
    folder = a_study(tmp_path, variants=(("one", 0.95), ("two", 0.7)), seeds=(1,), num_rows=300)
    found = assess_study(folder)
    (pair,) = found.pairs
    assert pair.p_value == pair.mcnemar_p_value < 0.05
    assert pair.verdict == "worse"
    assert "not for the recipe" in " ".join(sentences.conclusion(found))


def test_more_pairs_need_more_evidence(tmp_path):
    variants = (("one", 0.9), ("two", 0.85), ("three", 0.86), ("four", 0.9))
    pairs = assess_study(a_study(tmp_path, variants=variants, num_rows=400)).pairs
    assert len(pairs) == 3
    assert min(pair.adjusted_p_value for pair in pairs) == pytest.approx(
        min(1.0, 3 * min(pair.p_value for pair in pairs))
    )


def test_a_wider_margin_makes_more_equivalent(folder):
    (wide,) = assess_study(folder, Settings(margin=0.5)).pairs
    assert wide.verdict == "equivalent"
    assert wide.is_different
    assert "real, but smaller" in sentences.judge(wide, assess_study(folder, Settings(margin=0.5)))


def test_variants_without_a_common_seed_are_not_judged(tmp_path):
    folder = a_study(tmp_path, variants=(("one", 0.9), ("two", 0.8)), seeds=(1, 2))
    store = StudyStore.at(folder)
    for record in store.records():
        if (record.variant.name, record.seed) in {("one", 1), ("two", 2)}:
            (store.trial_folder(record.trial_id) / "record.json").unlink()
    found = assess_study(folder)
    assert found.pairs == ()
    assert "no seed in common" in " ".join(sentences.conclusion(found))


def test_a_perfect_score_on_few_rows_is_no_certainty(tmp_path):
    def perfect(rng, labels):
        return 9.0 * np.eye(2)[labels]

    folder = a_study(tmp_path, variants=(("one", perfect), ("two", perfect)), num_rows=20)
    found = assess_study(folder)
    assert found.variants[0].accuracy.low < 0.95
    assert [pair.verdict for pair in found.pairs] == ["undecided"]


def test_a_test_set_that_is_all_in_train_is_told_and_not_fatal(tmp_path):
    folder = a_study(tmp_path)
    store = StudyStore.at(folder)
    fingerprint = store.records()[0].dataset.fingerprint
    kept = load_test_rows(store.test_rows_path, fingerprint, 200)
    leaked = dataclasses.replace(kept, twin_in_train=[0] * 200)
    save_test_rows(store.test_rows_path, leaked, fingerprint)
    doubts = assess_study(folder).doubts
    assert doubts.num_duplicates == 200
    assert "without duplicates" not in [subset.name for subset in doubts.subsets]


def test_a_diverged_trial_is_named(tmp_path):
    folder = a_study(tmp_path)
    store = StudyStore.at(folder)
    path = store.trial_folder("v1-s1") / "record.json"
    path.write_text(path.read_text().replace('"final_loss": 0.5', '"final_loss": NaN'))
    found = assess_study(folder)
    said = "second seed 1 diverged (loss is not a number) and is left out of every mean."
    assert said in sentences.conclusion(found)
    assert "NaN" not in json.dumps(figures.curve_figure(found).specification())


def test_a_winner_is_judged_against_its_default_where_that_is_not_the_baseline(tmp_path):
    qualities = (("other", 0.9), ("first", 0.2), ("first (tuned)", 0.8))
    folder = a_study(tmp_path, variants=qualities)
    assert [(pair.variant, pair.baseline) for pair in assess_study(folder).pairs] == [
        ("first", "other"),
        ("first (tuned)", "other"),
    ]
    add_trials(folder, a_search(4))
    found = assess_study(folder)
    assert [(pair.variant, pair.baseline) for pair in found.pairs[2:]] == [
        ("first (tuned)", "first")
    ]
    assert found.searches[0].pair == found.pairs[2]
    assert "Tuning helped: first (tuned) is better than first" in " ".join(
        sentences.conclusion(found)
    )
    assert not any("no seed in common" in line for line in sentences.conclusion(found))


def test_validation_is_averaged_over_the_seeds_that_came_so_far():
    epochs = ((0.5, 0.7), (0.7, 0.9, 0.6))
    trials = [
        SimpleNamespace(
            record=a_record(validation=tuple(some_scores(accuracy) for accuracy in of_trial))
        )
        for of_trial in epochs
    ]
    found = _validation_accuracy(SimpleNamespace(trials=trials))
    assert found == pytest.approx((0.6, 0.8, 0.6))
