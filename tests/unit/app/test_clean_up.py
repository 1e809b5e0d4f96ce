import os

import pytest

from agnews_ray.app.clean_up import find_removable, remove
from agnews_ray.data.cached import kept_folder
from agnews_ray.errors import StoreError
from agnews_ray.record.store import StudyStore
from agnews_ray.run import cleanup
from tests.fakes.studies import a_study

DEAD = 4_194_999
"""A process id that no process has."""


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    """No Ray of this machine is seen, and no cache of the user's."""
    monkeypatch.setattr(cleanup, "short_tmp", lambda: str(tmp_path / "tmp"))
    monkeypatch.setattr(cleanup, "SHARED_FOLDER", tmp_path / "shm")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "tmp").mkdir()


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def write(path, content=b"1234"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_cache(folder):
    return kept_folder(folder, lambda new: (new / "file").write_bytes(b"1234") and None, print)


def found(runs, caches=False, checkpoints=False):
    return find_removable(str(runs), caches=caches, checkpoints=checkpoints)


def kinds(runs, **flags):
    return [one.what for one in found(runs, **flags).removable]


def test_leftovers_of_studies_and_dead_processes_are_found_and_removed(runs, tmp_path):
    study = a_study(runs, seeds=(1,))
    write(study / ".staging/dead/x")
    write(tmp_path / "tmp" / f"agnews-ray-{DEAD}-x" / "log")
    there = found(runs)
    assert [one.what for one in there.removable] == ["unfinished files", "temporary files"]
    assert there.removable[0].where.startswith(f"{study}/.staging/")
    removed = remove(there)
    assert removed.freed_bytes == there.size_bytes == 8
    assert removed.problems == ()
    assert found(runs).removable == ()
    assert StudyStore.at(study).records()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_checkpoints_of_unfinished_trials_go_only_if_that_is_wanted(runs):
    study = a_study(runs, seeds=(1,))
    write(study / ".checkpoints/not-yet/step-1~a/state")
    write(study / ".checkpoints/v0-s1/step-1~a/state")
    kept = found(runs)
    assert [one.where for one in kept.removable if one.what == "checkpoints"] == [
        f"{study}/.checkpoints/v0-s1"
    ]
    assert "checkpoints of 1 unfinished trial" in kept.notes[0]
    assert kinds(runs, checkpoints=True).count("checkpoints") == 2
    remove(kept)
    assert (study / ".checkpoints/not-yet/step-1~a/state").exists()


def test_caches_go_only_if_that_is_wanted(runs, tmp_path):
    make_cache(runs / ".cache/tokenised/abc")
    make_cache(tmp_path / "home/agnews-ray/.cache/hub/abc")
    write(tmp_path / f"home/agnews-ray/{'a' * 16}/study/study.yaml")
    write(tmp_path / f"home/agnews-ray/.cache/studies/{'b' * 16}/study/study.yaml")
    write(tmp_path / "home/agnews-ray/proofs/abc.json")
    assert kinds(runs) == []
    there = found(runs, caches=True)
    assert sorted(one.what for one in there.removable) == [
        "cache: hub",
        "cache: tokenised",
        "proofs of GPUs",
        "working copies",
    ]
    remove(there)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_another_program_keeps_in_the_cache_stays(runs, tmp_path):
    write(runs / ".cache/hub/models--bert/weights")
    write(runs / ".cache/other/x")
    (tmp_path / "elsewhere").mkdir()
    make_cache(tmp_path / "elsewhere/abc")
    (runs / ".cache/tokenised").symlink_to(tmp_path / "elsewhere")
    there = found(runs, caches=True)
    assert there.removable == ()
    assert there.notes == (f"{runs}/.cache/tokenised: left alone, because it is a link",)


def test_a_half_written_cache_goes_once_it_is_old(runs):
    partial = write(runs / ".cache/tokenised/.abc.0f.partial/file").parent
    assert kinds(runs) == []
    for path in (partial, partial / "file"):
        os.utime(path, (1, 1))
    remove(found(runs))
    assert not partial.exists()


def test_a_study_that_a_submit_writes_is_left_alone_and_so_are_caches(runs):
    store = StudyStore(runs, "study")
    a_study(runs, seeds=(1,))
    make_cache(runs / ".cache/tokenised/abc")
    with store.writing():
        write(store.folder / ".staging/dead/x")
        there = found(runs, caches=True)
    assert there.removable == ()
    assert there.notes == (
        f"{store.folder}: left alone, because a submit writes into it",
        "caches: left alone, because a study is running",
    )


def test_caches_stay_while_any_ray_of_this_user_runs(runs, tmp_path):
    make_cache(runs / ".cache/tokenised/abc")
    (tmp_path / "tmp" / f"agnews-ray-{os.getpid()}-x").mkdir()
    assert kinds(runs, caches=True) == []


def test_a_submit_that_starts_meanwhile_keeps_its_study(runs):
    study = a_study(runs, seeds=(1,))
    write(study / ".staging/dead/x")
    there = found(runs)
    with StudyStore(runs, "study").writing():
        write(study / ".staging/dead/x")
        removed = remove(there)
        assert removed.num_removed == 0
        assert "no other running submit" in removed.problems[0]
        assert (study / ".staging/dead/x").exists()


def test_a_study_that_is_a_link_is_left_alone(runs, tmp_path):
    study = a_study(tmp_path / "elsewhere", seeds=(1,))
    write(study / ".staging/dead/x")
    (runs / "study").symlink_to(study)
    assert found(runs).removable == ()
    assert "a link" in found(runs).notes[0]


def test_the_studies_behind_a_uri_are_looked_through(runs):
    study = a_study(runs, seeds=(1,))
    write(study / "trials/v0-s1~dead-1/weights")
    there = found(runs.as_uri())
    assert "trials/v0-s1~dead-1" in there.removable[0].names
    remove(there)
    assert not (study / "trials/v0-s1~dead-1").exists()
    assert (study / "trials/v0-s1/record.json").exists()


def test_a_runs_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(StoreError, match="no such folder"):
        found(tmp_path / "none")
