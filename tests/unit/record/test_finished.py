"""What lies in trials/ is checked: what is torn, copied or foreign is named, the rest counts."""

import json
import shutil
from pathlib import Path

import pytest

from agnews_ray.record.finished import NewerRecordError, refuse_newer
from agnews_ray.record.schema import SCHEMA_VERSION
from agnews_ray.record.store import StudyStore
from tests.fakes.records import a_record


@pytest.fixture
def store(tmp_path):
    """A study of two trials."""
    store = StudyStore(tmp_path, "study")
    for seed in (1, 2):
        publish(store, a_record(f"one-s{seed}-0000000000", seed=seed))
    return store


def publish(store, record, content=b"1"):
    with store.writing():
        staged = store.staging_folder(record.trial_id)
        (Path(staged) / "predictions.parquet").write_bytes(content)
        return store.publish(record, staged)


def folder_of(store, seed):
    return store.trial_folder(f"one-s{seed}-0000000000")


def change(folder, **facts):
    path = folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00" * 100, b'{"schema_version": 1'])
def test_a_torn_record_is_named_and_the_others_count(store, content):
    (folder_of(store, 1) / "record.json").write_bytes(content)
    found = store.finished()
    assert [record.seed for record in found.records] == [2]
    assert [one.trial_id for one in found.set_aside] == ["one-s1-0000000000"]
    assert "submit again" in str(found.set_aside[0])


@pytest.mark.parametrize("name", ["../../elsewhere", "/etc/passwd", "a/b", "", ".hidden"])
def test_an_id_that_is_a_path_is_refused(store, name):
    change(folder_of(store, 1), trial_id=name)
    assert [record.seed for record in store.finished().records] == [2]


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 10, 100])
def test_a_newer_record_asks_for_an_upgrade_and_is_not_run_again(store, version):
    change(folder_of(store, 1), schema_version=version)
    found = store.finished()
    assert "upgrade agnews-ray" in str(found.set_aside[0])
    assert "delete" not in str(found.set_aside[0])
    with pytest.raises(NewerRecordError):
        refuse_newer(list(found.set_aside))


@pytest.mark.parametrize("version", ["1", True, 2.0, None, 0, -1, [1]])
def test_a_version_that_is_no_number_of_ours_is_damage(store, version):
    change(folder_of(store, 1), schema_version=version)
    (one,) = store.finished().set_aside
    assert not isinstance(one.error, NewerRecordError)


def test_of_two_attempts_of_one_trial_the_first_to_end_counts(store):
    first = folder_of(store, 1)
    for name, created_at in (("a", "2026-01-03"), ("b", "2026-01-02"), ("c", "2026-01-02")):
        attempt = first.with_name(f"{first.name}~{name}-1")
        shutil.copytree(first, attempt)
        change(attempt, created_at=f"{created_at}T00:00:00+00:00")
    shutil.rmtree(first)
    found = store.finished()
    assert found.folders[first.name].name == f"{first.name}~b-1"
    assert [record.created_at[:10] for record in found.records] == ["2026-01-02", "2026-01-01"]
    assert [one.folder.name[-3:] for one in found.set_aside] == ["c-1", "a-1"]
    assert all("~b-1 too, which is used" in str(one) for one in found.set_aside)


@pytest.mark.parametrize("name", ["", "record.json"])
def test_a_trial_that_is_a_link_to_elsewhere_is_set_aside(store, tmp_path, name):
    place = folder_of(store, 1) / name
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    found = store.finished()
    assert [record.seed for record in found.records] == [2]
    assert "a link to" in str(found.set_aside[0])
