"""One writer at a time, wherever it runs; nothing that is there is written over."""

import json
import os
import threading
from pathlib import Path

import pytest

from agnews_ray.errors import StoreError
from agnews_ray.record import lease as lease_module
from agnews_ray.record.lease import EXPIRY_S, FOLDER, OWN_LIMIT_S, Lease, has_holder
from agnews_ray.record.storage import Storage
from agnews_ray.record.store import StudyStore
from tests.fakes.records import a_record


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(lease_module, "PAUSE_S", 0.001)


@pytest.fixture
def storage(tmp_path):
    return Storage((tmp_path / "study").as_uri())


def a_lease(storage, session, lines=None):
    return Lease(storage, session, (lines if lines is not None else []).append)


def claims(storage):
    return sorted(storage.child(FOLDER).sizes())


def rewrite(storage, **changes):
    """Make the only claim look as if it were of somebody else."""
    (name,) = claims(storage)
    folder = storage.child(FOLDER)
    folder.write(name, json.dumps(json.loads(folder.read(name)) | changes).encode())
    return name


def age(tmp_path, name, seconds):
    path = tmp_path / "study" / FOLDER / name
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_a_second_writer_is_told_who_is_at_work(storage):
    with a_lease(storage, "a").held():
        rewrite(storage, host="elsewhere", place="elsewhere", pid=7, since="2026-01-01")
        with pytest.raises(
            StoreError, match=r"elsewhere \(process 7\), since 2026-01-01"
        ) as raised:
            a_lease(storage, "b")._take()
        assert "another --name" in raised.value.hint
        assert len(claims(storage)) == 1
    assert claims(storage) == []


def test_of_many_that_begin_at_once_no_two_are_inside(storage):
    inside, most = [], []
    guard = threading.Barrier(4)

    def enter(number):
        guard.wait()
        try:
            with a_lease(storage, f"w{number}").held():
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)
        except StoreError:
            pass

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) <= {1}
    assert claims(storage) == []


def test_who_only_tried_and_left_keeps_nobody_out(storage, monkeypatch):
    tries = iter(range(2))
    other = a_lease(storage, "a")
    other._take()

    def another_tries(_):
        """The claim of before has gone; a new one is there once, and then none."""
        storage.child(FOLDER).remove(other._name)
        if next(tries) == 0:
            other._name = "a-another"
            other._write()

    monkeypatch.setattr(lease_module.time, "sleep", another_tries)
    a_lease(storage, "b")._take()
    assert [name[0] for name in claims(storage)] == ["b"]


def test_a_process_of_this_machine_that_ended_holds_nothing(storage):
    lines = []
    a_lease(storage, "a")._take()
    rewrite(storage, started=0.0)
    a_lease(storage, "b", lines)._take()
    assert "ended without releasing the study" in lines[0]
    assert [name[0] for name in claims(storage)] == ["b"]


@pytest.mark.parametrize(("seconds", "is_free"), [(EXPIRY_S + 1, True), (EXPIRY_S - 30, False)])
def test_a_machine_that_is_gone_holds_nothing_after_a_while(storage, tmp_path, seconds, is_free):
    a_lease(storage, "a")._take()
    age(tmp_path, rewrite(storage, place="elsewhere"), seconds)
    if is_free:
        a_lease(storage, "b")._take()
    else:
        with pytest.raises(StoreError, match="one is running"):
            a_lease(storage, "b")._take()


def test_who_slept_goes_on_where_nobody_came(storage, monkeypatch):
    slept = a_lease(storage, "a")
    slept._take()
    slept._renewed -= OWN_LIMIT_S
    slept.check()
    assert len(claims(storage)) == 1


def test_who_lost_its_place_does_not_write(storage):
    slept, other = a_lease(storage, "a"), a_lease(storage, "b")
    slept._take()
    storage.child(FOLDER).remove(slept._name)
    other._take()
    for act in (slept.check, slept.renew):
        with pytest.raises(StoreError, match="took its place"):
            act()
    assert [name[0] for name in claims(storage)] == ["b"]


def test_a_writer_that_lost_the_study_publishes_nothing(tmp_path):
    store, record = StudyStore(tmp_path, "study"), a_record()
    with store.writing():
        staged = store.staging_folder(record.trial_id)
        (Path(staged) / "predictions.parquet").touch()
        for path in (tmp_path / "study" / FOLDER).iterdir():
            path.unlink()
        a_lease(Storage((tmp_path / "study").as_uri()), "other")._take()
        for act in (
            lambda: store.publish(record, staged),
            lambda: store.staging_folder("next"),
            lambda: store.save_study(None),
        ):
            with pytest.raises(StoreError, match="took its place"):
                act()
    assert store.finished().records == ()


def test_what_a_living_writer_staged_is_left_alone(tmp_path):
    first, second = StudyStore(tmp_path, "study"), StudyStore(tmp_path, "study")
    folder = Path(first.staging_folder("one"))
    (tmp_path / "study" / ".staging" / "gone").mkdir()
    a_lease(Storage((tmp_path / "study").as_uri()), first._session)._take()
    second._clear_staging(a_lease(Storage((tmp_path / "study").as_uri()), second._session))
    assert folder.is_dir()
    assert not (tmp_path / "study" / ".staging" / "gone").exists()


def test_two_attempts_have_two_folders(tmp_path):
    store = StudyStore(tmp_path, "study")
    assert store.staging_folder("one") != store.staging_folder("one")


def test_who_only_looks_sees_a_writer_that_is_at_work(storage, tmp_path):
    assert not has_holder(storage)
    with a_lease(storage, "a").held():
        assert has_holder(storage)
        name = rewrite(storage, host="elsewhere", place="elsewhere")
        age(tmp_path, name, EXPIRY_S + 1)
        assert not has_holder(storage)  # a lost machine
    assert not has_holder(storage)


def test_who_only_looks_sees_that_a_process_has_ended(storage):
    a_lease(storage, "a")._take()
    rewrite(storage, started=0.0)
    assert not has_holder(storage)
