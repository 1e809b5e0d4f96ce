import json
from pathlib import Path

import pytest

from agnews_ray.errors import RecordError, StoreError
from agnews_ray.record.outputs import load_predictions, load_test_rows
from agnews_ray.record.schema import SCHEMA_VERSION, Scores
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.study import StudySpec
from tests.fakes.records import a_record
from tests.fakes.studies import a_study, diverges

VERSION = f'"schema_version": {SCHEMA_VERSION}'


@pytest.fixture
def store(tmp_path):
    return StudyStore(tmp_path, "study")


def publish(store, record):
    with store.writing():
        staged = store.staging_folder(record.trial_id)
        (Path(staged) / "predictions.parquet").touch()
        return store.publish(record, staged)


def test_what_was_published_is_read_back(store):
    record = a_record()
    folder = publish(store, record)
    assert store.records() == (record,)
    assert sorted(path.name for path in folder.iterdir()) == ["predictions.parquet", "record.json"]


def test_a_trial_that_does_not_score_test_needs_no_predictions(store):
    record = a_record(scores_test=False, test=Scores.none_of(10))
    with store.writing():
        staged = store.staging_folder(record.trial_id)
        (Path(staged) / "curve.parquet").touch()
        store.publish(record, staged)
    assert store.records() == (record,)


def test_a_trial_that_did_not_end_leaves_nothing(store):
    with pytest.raises(RuntimeError), store.writing():
        store.staging_folder("half")
        raise RuntimeError
    assert store.records() == ()
    assert not (store.folder / ".staging").exists()


def test_a_deleted_record_does_not_block_its_trial(store):
    (publish(store, a_record()) / "record.json").unlink()
    publish(store, a_record())
    assert len(store.records()) == 1


def test_the_study_is_kept_beside_its_results(store):
    study = StudySpec(name="study", seeds=(1, 2))
    with store.writing():
        store.save_study(study)
    assert StudyStore.at(store.folder).load_study() == study


def test_two_submits_cannot_write_at_once(store):
    other = StudyStore(store.folder.parent, "study")
    with store.writing(), pytest.raises(StoreError, match="one is running"), other.writing():
        pass


def test_a_folder_without_a_study_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no such folder"):
        StudyStore.at(tmp_path / "nothing")
    with pytest.raises(StoreError, match=r"no study\.yaml in it"):
        StudyStore.at(tmp_path)


def test_test_rows_are_kept_beside_the_trials(store, tmp_path):
    made = StudyStore.at(a_study(tmp_path, name="made"))
    fingerprint = made.records()[0].dataset.fingerprint
    rows = load_test_rows(made.test_rows_path, fingerprint, 200)
    with store.writing():
        store.save_test_rows(rows, fingerprint)
    assert load_test_rows(store.test_rows_path, fingerprint, 200) == rows
    assert load_test_rows(store.test_rows_path, "other", 200) is None


def test_a_runs_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--runs"), StudyStore(tmp_path / "file", "x").writing():
        pass


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda content: content[:100], "damaged JSON"),
        (lambda content: content.replace(VERSION, f"{VERSION}0"), "upgrade"),
        (lambda content: content.replace('"seed": 1', '"seed": "x"'), "seed"),
        (lambda _: "[]", "damaged JSON"),
    ],
)
def test_a_damaged_or_newer_record_is_explained(store, change, expected):
    path = publish(store, a_record()) / "record.json"
    path.write_text(change(json.dumps(json.loads(path.read_text()), sort_keys=True)))
    with pytest.raises(RecordError, match=expected):
        store.records()


def test_a_trial_whose_files_went_elsewhere_is_not_finished(tmp_path):
    store, record = StudyStore(tmp_path, "study"), a_record()
    with store.writing():
        staged = store.staging_folder(record.trial_id)
        with pytest.raises(StoreError, match="none: they were written to another disk"):
            store.publish(record, staged)
    assert store.records() == ()


def test_a_record_from_before_there_were_class_weights_had_none(tmp_path):
    folder = a_study(tmp_path, seeds=(1,))
    path = next(folder.glob("trials/*/record.json"))
    content = json.loads(path.read_text())
    content["schema_version"] = 4
    for name in ("label_smoothing", "class_weights"):
        del content["recipe"][name]
    path.write_text(json.dumps(content))
    assert StudyStore.at(folder).records()[0].recipe == RecipeSpec()


@pytest.mark.parametrize("says_nan", [True, False])
def test_older_records_that_count_nan_as_class_0_are_read_as_diverged(tmp_path, says_nan):
    folder = a_study(tmp_path, variants=(("only", diverges([1])),), seeds=(1,))
    path = folder / "trials" / "v0-s1" / "record.json"
    content = json.loads(path.read_text())
    del content["diverged"]
    content["schema_version"] = 2
    content["training"]["final_loss"] = float("nan") if says_nan else 0.5
    content["test"] |= {"accuracy": 0.5, "macro_f1": 0.33}
    path.write_text(json.dumps(content))
    (record,) = StudyStore.at(folder).records()
    reason = "loss is not a number" if says_nan else "logits of 200 test rows are not numbers"
    assert reason in record.diverged
    assert record.test.accuracy is None
    predictions = load_predictions(path.parent, record)
    assert (predictions.predicted == -1).all()


def test_nothing_is_cleared_behind_a_link(tmp_path):
    (tmp_path / "home" / "letters").mkdir(parents=True)
    store = StudyStore(tmp_path, "study")
    store.folder.mkdir()
    (store.folder / ".staging").symlink_to(tmp_path / "home")
    with pytest.raises(StoreError, match="a link to"), store.writing():
        pass
    assert (tmp_path / "home" / "letters").exists()
