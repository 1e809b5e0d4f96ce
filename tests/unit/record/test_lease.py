"""One writer at a time, on whichever machine: the lease of a study's folder."""

import json

import pytest

from agnews_ray.errors import StoreError
from agnews_ray.record import lease as lease_module
from agnews_ray.record.lease import FOLDER, Lease
from agnews_ray.record.storage import Storage
from tests.unit.record.conftest import BUCKET


@pytest.fixture(params=["file", "s3"])
def storage(request, tmp_path, monkeypatch):
    monkeypatch.setattr(lease_module, "PAUSE_S", 0.0)
    if request.param == "file":
        return Storage((tmp_path / "there").as_uri())
    request.getfixturevalue("s3")
    return Storage(f"s3://{BUCKET}/there")


@pytest.fixture
def told():
    return []


@pytest.fixture
def make(storage, told):
    def make(session):
        return Lease(storage, session, told.append)

    return make


def claims(storage):
    return sorted(storage.child(FOLDER).sizes())


def on_another_machine(storage):
    """Have each claim be of a process of which nothing is known here."""
    for name in claims(storage):
        owner = json.loads(storage.child(FOLDER).read(name))
        changed = owner | {"place": "elsewhere", "host": "far-away"}
        storage.child(FOLDER).write(name, json.dumps(changed).encode())


def test_a_second_writer_is_told_who_is_at_work(make, storage):
    with make("one").held():
        on_another_machine(storage)
        wanted = r"one is running on far-away \(process \d+\), since"
        with pytest.raises(StoreError, match=wanted), make("two").held():
            pass


def test_who_was_refused_leaves_no_claim(make, storage):
    with make("one").held():
        before = claims(storage)
        with pytest.raises(StoreError), make("two").held():
            pass
        assert claims(storage) == before


def test_a_lease_given_back_is_free(make, storage):
    with make("one").held():
        pass
    assert claims(storage) == []
    with make("two").held():
        pass


def test_a_process_of_this_machine_that_has_ended_holds_nothing(make, storage, told):
    dead = {"place": lease_module._place(), "pid": 2**22 + 1, "host": "here"}
    owner = dead | {"started": 0.0, "since": "2026-01-01"}
    storage.child(FOLDER).write("dead-0", json.dumps(owner).encode())
    with make("two").held():
        assert len(told) == 1
    assert "here (process 4194305)" in told[0]


def test_another_machines_claim_expires_by_the_stores_own_clock(make, storage, monkeypatch, told):
    owner = {"place": "elsewhere", "pid": 1, "host": "far", "started": 0.0, "since": "2026"}
    storage.child(FOLDER).write("far-0", json.dumps(owner).encode())
    with pytest.raises(StoreError), make("two").held():
        pass
    monkeypatch.setattr(lease_module, "EXPIRY_S", -5.0)  # as if so long had passed
    with make("two").held():
        assert len(told) == 1


def test_who_lost_the_lease_is_stopped_before_it_writes(make, storage):
    lease = make("one")
    with lease.held():
        for name in claims(storage):  # another took this one for dead, and came in
            storage.child(FOLDER).remove(name)
        with make("two").held():
            on_another_machine(storage)
            with pytest.raises(StoreError, match="another took its place meanwhile"):
                lease.check()
            with pytest.raises(StoreError, match="another took its place meanwhile"):
                lease.check()  # for good


def test_a_laptop_that_slept_goes_on_where_nobody_came(make, storage, monkeypatch):
    lease = make("one")
    with lease.held():
        later = lease_module._clock() + 10 * lease_module.OWN_LIMIT_S
        monkeypatch.setattr(lease_module, "_clock", lambda: later)
        lease.check()
        assert len(claims(storage)) == 1
