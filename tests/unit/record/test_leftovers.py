import os

import pytest

from agnews_ray.errors import StoreError
from agnews_ray.record.leftovers import PARTIAL_AGE_S, StudyFolder, age_s, remove_here, size_here
from agnews_ray.record.storage import Storage
from agnews_ray.record.store import StudyStore
from tests.fakes.studies import a_study
from tests.unit.record.conftest import BUCKET


def write(folder, name, content=b"1234"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_old(path):
    os.utime(path, (path.stat().st_mtime - PARTIAL_AGE_S - 9,) * 2)


@pytest.fixture
def study(tmp_path):
    """A finished study, with nothing left over."""
    folder = a_study(tmp_path, seeds=(1,))
    StudyFolder(str(folder)).remove([one.name for one in StudyFolder(str(folder)).leftovers()])
    assert not (folder / ".staging").exists()
    return folder


def found(location):
    return {(one.kind, one.name): one.size_bytes for one in StudyFolder(str(location)).leftovers()}


def test_a_finished_study_has_nothing_that_may_go(study):
    assert found(study) == {}


def test_each_kind_is_found_with_its_size(study):
    write(study, ".staging/dead/one.1/artifact/weights")
    write(study, ".staging/dead/one.1/curve.parquet")
    write(study, ".damaged/two/record.json")
    write(study, ".checkpoints/v0-s1/step-5~a/state")
    write(study, ".checkpoints/not-yet/step-5~a/state")
    make_old(write(study, "trials/v0-s1/.cost.json.7-ab.partial"))
    write(study, ".best.yaml.8-ab.partial")  # perhaps still being written
    assert found(study) == {
        ("unfinished", ".staging/dead"): 8,
        ("damaged", ".damaged/two"): 4,
        ("ended checkpoints", ".checkpoints/v0-s1"): 4,
        ("checkpoints", ".checkpoints/not-yet"): 4,
        ("partial", "trials/v0-s1/.cost.json.7-ab.partial"): 4,
    }


def test_a_trial_whose_record_cannot_be_read_has_not_finished(study):
    write(study, "trials/v0-s1/record.json", b"{")
    write(study, ".checkpoints/v0-s1/step-5~a/state")
    assert [kind for kind, _ in found(study)] == ["checkpoints"]


def test_what_is_removed_is_gone_and_nothing_else(study):
    before = sorted(study.rglob("*"))
    write(study, ".staging/dead/one.1/curve.parquet")
    write(study, ".damaged/two/record.json")
    StudyFolder(str(study)).remove([".staging/dead", ".damaged/two", ".damaged/gone"])
    assert sorted(study.rglob("*")) == before


def test_a_study_that_a_submit_holds_is_not_touched(study):
    write(study, ".staging/dead/x")
    with StudyStore(study.parent, study.name).writing():
        write(study, ".staging/mine/x")
        assert StudyFolder(str(study)).is_written_now()
        with pytest.raises(StoreError, match="no other running submit"):
            StudyFolder(str(study)).remove([".staging/mine"])
        assert (study / ".staging/mine/x").exists()


@pytest.mark.parametrize("name", [".staging", ".damaged", ".checkpoints", "trials", "link"])
def test_links_out_of_a_study_are_never_followed(study, name, tmp_path):
    outside = write(tmp_path / "outside", "x~dead-1/file").parent.parent
    if (study / name).is_dir():
        (study / name).rename(tmp_path / "moved")
    (study / name).symlink_to(outside)
    assert found(study) == {}
    with pytest.raises(StoreError, match="a link out of it"):
        StudyFolder(str(study)).remove([f"{name}/x~dead-1"])
    assert (outside / "x~dead-1/file").exists()


def test_of_a_link_inside_only_the_link_goes(study, tmp_path):
    outside = write(tmp_path / "outside", "file")
    (study / ".staging").mkdir()
    (study / ".staging/dead").symlink_to(outside.parent)
    StudyFolder(str(study)).remove([name for _, name in found(study)])
    assert outside.exists()
    assert not (study / ".staging").exists()


def test_an_object_store_is_cleaned_of_attempts_without_a_record(study, s3, tmp_path):
    uri = f"s3://{BUCKET}/runs/study"
    write(study, ".damaged/two/record.json")
    write(study, ".checkpoints/v0-s1/step-5~a/state")
    write(study, ".checkpoints/not-yet/step-5~a/state")
    write(study, "trials/v0-s1~dead-1/artifact/weights")
    Storage(uri).upload(study)
    before = Storage(uri).sizes()
    assert found(uri) == {
        ("unfinished", "trials/v0-s1~dead-1"): 4,
        ("damaged", ".damaged/two"): 4,
        ("ended checkpoints", ".checkpoints/v0-s1"): 4,
        ("checkpoints", ".checkpoints/not-yet"): 4,
    }
    StudyFolder(uri).remove(name for _, name in found(uri))
    kept = {name for name in before if not name.startswith((".damaged", ".check", "trials/v0-s1~"))}
    assert set(Storage(uri).sizes()) == kept


def test_a_folder_is_as_old_as_what_was_written_last_in_it(tmp_path):
    make_old(write(tmp_path, "folder/old"))
    make_old(tmp_path / "folder")
    assert age_s(tmp_path / "folder") > PARTIAL_AGE_S
    write(tmp_path, "folder/new")
    assert age_s(tmp_path / "folder") < PARTIAL_AGE_S


def test_the_size_of_a_link_is_not_that_of_its_target(tmp_path):
    big = write(tmp_path, "big", bytes(10_000))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/link").symlink_to(big)
    assert size_here(tmp_path / "folder") < 1000
    assert size_here(big) == 10_000


def test_what_cannot_be_removed_is_an_error_in_a_line(tmp_path, monkeypatch):
    def fail(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("agnews_ray.record.leftovers.shutil.rmtree", fail)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="Permission denied"):
        remove_here(tmp_path / "folder", tmp_path)
