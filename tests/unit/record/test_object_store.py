import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agnews_ray.app.analyse import compare_study
from agnews_ray.errors import StoreError
from agnews_ray.record.object_store import (
    RemoteStudyStore,
    check_staging,
    copy_study,
    fetch_study,
    leaving_files,
    local_study,
    open_store,
    readable_folder,
)
from agnews_ray.record.outputs import load_test_rows
from agnews_ray.record.storage import Storage
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.study import StudySpec
from tests.fakes.records import a_record
from tests.fakes.studies import a_study
from tests.unit.record.conftest import BUCKET


@pytest.fixture(params=["file", "s3"])
def runs(request, tmp_path, monkeypatch):
    """The URI of an empty runs folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if request.param == "file":
        return (tmp_path / "there").as_uri()
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}/runs"


def unleased(runs):
    return [name for name in names(runs) if "/.lease/" not in name]


def open_there(runs, scratch):
    return RemoteStudyStore(Storage(runs), "study", scratch)


def names(runs):
    return sorted(Storage(runs).sizes())


def stage(store, record, scratch):
    """Do what a worker does in the end."""
    staged = store.staging_folder(record.trial_id)
    with leaving_files(staged, scratch / record.trial_id) as folder:
        (folder / "artifact").mkdir()
        (folder / "artifact" / "weights").write_bytes(b"1234")
        (folder / "predictions.parquet").write_bytes(b"1")
    return staged


def finish(store, record, scratch):
    return store.publish(record, stage(store, record, scratch))


@pytest.fixture
def study(runs, tmp_path):
    """The URI of a finished study."""
    uri = f"{runs}/study"
    Storage(uri).upload(a_study(tmp_path / "made"))
    Storage(uri).write("trials/v0-s1/artifact/weights", b"1234")
    return uri


def test_a_trial_is_there_once_its_record_is(runs, tmp_path):
    store, record = open_there(runs, tmp_path / "a"), a_record()
    with store.writing():
        staged = stage(store, record, tmp_path / "scratch")
        trial = f"study/trials/{staged.rpartition('/')[2]}"
        assert trial.startswith(f"study/trials/{record.trial_id}~")
        assert unleased(runs) == [f"{trial}/artifact/weights", f"{trial}/predictions.parquet"]
        assert open_there(runs, tmp_path / "b").records() == ()
        folder = store.publish(record, staged)
    assert f"{trial}/record.json" in names(runs)
    assert folder == store.trial_folder(record.trial_id)
    assert store.records() == (record,)
    assert open_there(runs, tmp_path / "c").records() == (record,)


def test_another_trial_reads_what_a_finished_one_left(runs, tmp_path):
    store, record = open_there(runs, tmp_path / "a"), a_record()
    with store.writing():
        finish(store, record, tmp_path)
        place = store.place_of(record.trial_id, "artifact")
        assert (readable_folder(place, tmp_path / "copy") / "weights").read_bytes() == b"1234"
        assert store.read_file(record.trial_id, "predictions.parquet").read_bytes() == b"1"
    other = open_there(runs, tmp_path / "b")
    assert other.read_file(record.trial_id, "predictions.parquet").read_bytes() == b"1"
    assert other.place_of(record.trial_id, "artifact") == place


def test_what_no_trial_left_is_named(runs, tmp_path):
    with pytest.raises(StoreError, match="want what another trial left, found nothing"):
        readable_folder(f"{runs}/study/trials/none/artifact", tmp_path / "copy")


def test_trials_that_end_at_once_are_all_kept(runs, tmp_path):
    records = [a_record(f"one-s{seed}", seed=seed) for seed in range(1, 9)]
    store = open_there(runs, tmp_path / "a")
    with store.writing(), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda record: finish(store, record, tmp_path / "scratch"), records))
    assert store.records() == tuple(records)
    assert open_there(runs, tmp_path / "b").records() == tuple(records)


def test_a_worker_that_fails_leaves_nothing_there(runs, tmp_path):
    store = open_there(runs, tmp_path / "a")
    with store.writing():
        staged = store.staging_folder("half")
        with pytest.raises(RuntimeError), leaving_files(staged, tmp_path / "scratch") as folder:
            (folder / "file").touch()
            raise RuntimeError
    assert names(runs) == []


def test_what_a_lost_attempt_left_is_cleared(runs, tmp_path):
    store, record = open_there(runs, tmp_path / "a"), a_record()
    Storage(f"{runs}/study/trials/{record.trial_id}").write("old", b"1")
    Storage(f"{runs}/study/trials/{record.trial_id}~gone-1").write("old", b"1")
    with store.writing():
        finish(store, record, tmp_path / "scratch")
    assert not any(name.endswith("/old") for name in names(runs))


def test_the_study_is_there_at_once(runs, tmp_path):
    spec = StudySpec(name="study", seeds=(1, 2))
    store = open_there(runs, tmp_path / "a")
    with store.writing():
        store.save_study(spec)
        assert unleased(runs) == ["study/study.yaml"]
    assert open_there(runs, tmp_path / "b").load_study() == spec


def test_test_rows_are_there_at_once(runs, tmp_path):
    made = StudyStore.at(a_study(tmp_path / "made"))
    fingerprint = made.records()[0].dataset.fingerprint
    rows = load_test_rows(made.test_rows_path, fingerprint, 200)
    store = open_there(runs, tmp_path / "a")
    with store.writing():
        store.save_test_rows(rows, fingerprint)
        assert unleased(runs) == ["study/test_rows.parquet"]
    there = open_there(runs, tmp_path / "b").test_rows_path
    assert load_test_rows(there, fingerprint, 200) == rows


def test_log_and_test_rows_are_left_in_the_end(runs, tmp_path):
    store = open_there(runs, tmp_path / "a")
    with pytest.raises(KeyboardInterrupt), store.writing():
        store.log_path.write_text("line\n")
        store.test_rows_path.write_bytes(b"rows")
        assert unleased(runs) == []
        raise KeyboardInterrupt
    assert names(runs) == ["study/submit.log", "study/test_rows.parquet"]
    assert open_there(runs, tmp_path / "b").test_rows_path.read_bytes() == b"rows"


def test_test_rows_not_yet_left_there_survive_a_published_trial(runs, tmp_path):
    Storage(f"{runs}/study").write("test_rows.parquet", b"of an earlier run")
    store = open_there(runs, tmp_path / "a")
    with store.writing():
        store.test_rows_path.write_bytes(b"rows")
        finish(store, a_record(), tmp_path / "scratch")
    assert Storage(f"{runs}/study").read("test_rows.parquet") == b"rows"


def test_what_a_run_needed_meanwhile_is_removed(runs, tmp_path):
    store = open_there(runs, tmp_path / "a")
    with store.writing():
        assert store.scratch.startswith(f"{runs}/study/.staging/")
        Storage(store.scratch).write("trial/checkpoint", b"1")
    assert names(runs) == []


def test_what_was_finished_elsewhere_is_seen_before_writing(runs, tmp_path):
    first = open_there(runs, tmp_path / "a")
    second = open_there(runs, tmp_path / "b")
    with first.writing():
        finish(first, a_record(), tmp_path / "scratch")
    assert second.records() == ()
    with second.writing():
        assert second.records() == (a_record(),)


def test_a_record_deleted_there_is_forgotten_here(runs, tmp_path):
    """A head node keeps its working copy from job to job."""
    store, record = open_there(runs, tmp_path / "a"), a_record()
    with store.writing():
        store.save_study(StudySpec(name="study"))
        finish(store, record, tmp_path / "scratch")
    Storage(f"{runs}/study").delete()
    store = open_there(runs, tmp_path / "a")
    assert store.records() == ()
    assert store.load_study() is None


def test_stores_are_opened_by_location(runs, tmp_path):
    assert isinstance(open_store(runs, "study", tmp_path), RemoteStudyStore)
    assert open_store(runs, "study", tmp_path).location == f"{runs}/study"
    assert type(open_store(str(tmp_path), "study", tmp_path)) is StudyStore


def test_a_local_folder_is_written_to_directly(tmp_path):
    with leaving_files(str(tmp_path), tmp_path / "scratch") as folder:
        assert folder == tmp_path
    assert not (tmp_path / "scratch").exists()


def test_a_study_there_is_compared_like_one_here(study, tmp_path):
    assert compare_study(local_study(study)) == compare_study(tmp_path / "made" / "study")


def test_a_copy_to_read_has_no_artifacts(study):
    folder = local_study(study)
    assert folder.name == "study"
    assert not list(folder.rglob("artifact"))
    assert len(list(folder.rglob("predictions.parquet"))) == 6


def test_a_copy_to_read_follows_its_original(study):
    folder = local_study(study)
    Storage(study).delete("trials/v0-s1")
    assert local_study(study) == folder
    assert "v0-s1" not in {record.trial_id for record in StudyStore.at(folder).records()}
    assert len(StudyStore.at(folder).records()) == 5


def test_a_study_is_fetched_with_artifacts_and_only_once(study, tmp_path):
    copied = fetch_study(study, tmp_path / "here", with_artifacts=True)
    assert "trials/v0-s1/artifact/weights" in copied
    assert "test_rows.parquet" in copied
    assert len(StudyStore.at(tmp_path / "here").records()) == 6
    assert fetch_study(study, tmp_path / "here", with_artifacts=True) == []
    shutil.rmtree(tmp_path / "here" / "trials" / "v1-s2")
    again = fetch_study(study, tmp_path / "here", with_artifacts=True)
    assert {name.split("/")[1] for name in again} == {"v1-s2"}


def test_a_trial_that_ran_again_is_fetched_again(study, tmp_path):
    fetch_study(study, tmp_path / "here", with_artifacts=True)
    weights = tmp_path / "here" / "trials" / "v0-s1" / "artifact" / "weights"
    os.utime(weights, (0, 0))
    Storage(study).write("trials/v0-s1/artifact/weights", b"5678")
    copied = fetch_study(study, tmp_path / "here", with_artifacts=True)
    assert copied == ["trials/v0-s1/artifact/weights"]
    assert weights.read_bytes() == b"5678"


def test_a_trial_without_a_record_is_not_fetched(study, tmp_path):
    Storage(study).write("trials/half/artifact/weights", b"1")
    Storage(study).write("trials/half/artifact/record.json", b"{}")
    Storage(study).write(".staging/half/curve.parquet", b"1")
    fetch_study(study, tmp_path / "here", with_artifacts=True)
    assert not list((tmp_path / "here").rglob("half"))


def test_what_is_no_study_is_not_fetched(runs, tmp_path):
    Storage(runs).write("other/file", b"1")
    with pytest.raises(StoreError, match=r"no study\.yaml there; check the URI"):
        fetch_study(f"{runs}/other", tmp_path / "here", with_artifacts=True)
    assert not (tmp_path / "here").exists()


def test_a_bucket_that_does_not_exist_is_explained(s3, tmp_path):
    with pytest.raises(StoreError, match="want a bucket that exists"):
        open_there("s3://none-here/runs", tmp_path)
    with pytest.raises(StoreError, match="want a bucket that exists"):
        fetch_study("s3://none-here/runs/study", tmp_path, with_artifacts=False)


def test_no_error_tells_the_options_of_a_uri(s3, tmp_path):
    with pytest.raises(StoreError) as raised:
        fetch_study(f"s3://{BUCKET}/x?region=us-east-1", tmp_path, with_artifacts=False)
    assert raised.value.where == f"s3://{BUCKET}/x"


def test_a_folder_is_read_where_it_is(tmp_path):
    assert local_study(str(tmp_path)) == tmp_path


def test_a_shared_folder_is_copied_like_a_uri(tmp_path):
    source = a_study(tmp_path / "there")
    (source / "trials" / "half").mkdir()
    (source / "trials" / "half" / "curve.parquet").touch()
    here = tmp_path / "here" / "study"
    assert copy_study(source, here)
    assert compare_study(here) == compare_study(source)
    assert not (here / "trials" / "half").exists()
    assert copy_study(source, here) == []
    assert copy_study(source, source) == []


def test_a_folder_with_any_name_can_be_copied(tmp_path):
    source = Path(a_study(tmp_path / "a b%20c?d#e"))
    copy_study(source, tmp_path / "here")
    assert len(StudyStore.at(tmp_path / "here").records()) == 6


def test_a_node_that_does_not_see_the_folder_says_so_before_it_trains(tmp_path):
    check_staging(str(tmp_path))
    with pytest.raises(StoreError, match="not there on"):
        check_staging(str(tmp_path / "elsewhere"))


def test_a_node_leaves_nothing_where_it_tried_to_write(runs):
    check_staging(f"{runs}/study/trials/one")
    assert names(runs) == []


def test_a_torn_record_there_is_kept_aside_when_its_trial_is_run_again(runs, tmp_path):
    store, record = open_there(runs, tmp_path / "a"), a_record()
    with store.writing():
        folder = finish(store, record, tmp_path / "scratch").name
    Storage(f"{runs}/study/trials/{folder}").write("record.json", b"")
    with store.writing():
        assert [one.trial_id for one in store.finished().set_aside] == [record.trial_id]
        finish(store, record, tmp_path / "scratch2")
    assert f"study/.damaged/{folder}-1/artifact/weights" in names(runs)
    assert open_there(runs, tmp_path / "b").finished().set_aside == ()
    assert open_there(runs, tmp_path / "b").records() == (record,)


def test_what_is_kept_aside_twice_is_kept_twice(runs, tmp_path):
    store, record = open_there(runs, tmp_path / "a"), a_record()
    torn = f"{record.trial_id}~torn-1"
    for number in range(2):
        Storage(f"{runs}/study/trials/{torn}").write("record.json", b"")
        with store.writing():
            finish(store, record, tmp_path / f"scratch{number}")
        for name in names(runs):
            if name.startswith(f"study/trials/{record.trial_id}"):
                Storage(f"{runs}/study").delete("/".join(name.split("/")[1:3]))
    kept = {name.split("/")[2] for name in names(runs) if name.startswith("study/.damaged/")}
    assert kept == {f"{torn}-1", f"{torn}-2"}


def test_the_first_record_there_is_kept_and_the_second_is_not_written(runs, tmp_path):
    first, second = open_there(runs, tmp_path / "a"), open_there(runs, tmp_path / "b")
    finish(first, a_record(), tmp_path / "scratch")
    finish(second, a_record(accuracy=0.1), tmp_path / "scratch2")  # as if it had lost its lease
    assert second.records() == (a_record(),)
    assert "whose result is kept" in second.take_notes()[0]
    assert sum(name.endswith("/record.json") for name in names(runs)) == 1


def test_two_writers_there_do_not_write_at_once(runs, tmp_path):
    first, second = open_there(runs, tmp_path / "a"), open_there(runs, tmp_path / "b")
    with first.writing():
        staged = stage(first, a_record(), tmp_path / "scratch")
        with pytest.raises(StoreError, match="one is running on"), second.writing():
            pass
        assert Storage(staged).sizes()
    assert names(runs) == []


def test_a_link_in_a_shared_study_is_not_fetched(tmp_path):
    there = a_study(tmp_path / "there", seeds=(1,))
    (tmp_path / "secret").write_text("secret")
    (there / "trials/v0-s1/key").symlink_to(tmp_path / "secret")
    (there / "trials/v0-s1/round").symlink_to(there)
    copy_study(there, tmp_path / "here")
    assert (tmp_path / "here/trials/v0-s1/record.json").is_file()
    assert not (tmp_path / "here/trials/v0-s1/key").exists()


def test_names_in_a_bucket_cannot_leave_the_folder(s3, tmp_path):
    uri = f"s3://{BUCKET}/bad/study"
    Storage(uri).upload(a_study(tmp_path / "other", seeds=(1,)))
    key = "bad/study/trials/v0-s1/../../../../escaped"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    copied = fetch_study(uri, tmp_path / "a/b/here", with_artifacts=True)
    assert "trials/v0-s1/record.json" in copied
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("name", ["..", ".hidden"])
def test_a_uri_that_ends_with_no_name_is_not_a_study(name):
    with pytest.raises(StoreError, match="want a study, found the name"):
        local_study(f"s3://{BUCKET}/{name}")
