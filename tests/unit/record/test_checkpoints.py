"""A checkpoint counts when it is whole; a damaged one is named, and the one before it is used."""

import pytest

from agnews_ray import fail_points
from agnews_ray.errors import StoreError
from agnews_ray.record.checkpoints import (
    MARKER,
    PART,
    CheckpointFolder,
    checkpoints_of,
    forget_checkpoints,
)


@pytest.fixture(params=["folder", "uri"])
def location(request, tmp_path):
    return str(tmp_path) if request.param == "folder" else tmp_path.as_uri()


def a_folder(location, attempt="a1", trial_id="t-1"):
    return CheckpointFolder(checkpoints_of(location, trial_id), trial_id, attempt)


def leave(folder, step, num_parts=1):
    name = folder.name_at(step)
    for index in range(num_parts):
        folder.write_part(name, index, lambda path, i=index: path.write_text(f"{step} of {i}"))
    folder.complete(name, step, num_parts)
    return name


def newest(folder, only=None):
    said = []
    with folder.newest(said.append, only) as found:
        if found is None:
            return None, said
        return (found.step, [part.read_text() for part in found.parts]), said


def test_the_newest_is_read_with_the_parts_of_all_ranks(location):
    folder = a_folder(location)
    assert newest(folder) == (None, [])
    leave(folder, 9, num_parts=2)
    leave(folder, 10, num_parts=2)
    assert newest(folder) == ((10, ["10 of 0", "10 of 1"]), [])


def test_another_attempt_reads_it_and_writes_beside_it(location):
    leave(a_folder(location, "a1"), 10)
    other = a_folder(location, "a2")
    other.write_part(other.name_at(10), 0, lambda path: path.write_text("half"))
    assert newest(other)[0] == (10, ["10 of 0"])


def test_it_does_not_count_before_its_marker_is_there(location):
    folder = a_folder(location)
    folder.write_part(folder.name_at(5), 0, lambda path: path.write_text("5"))
    assert newest(folder) == (None, [])


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda ckpt: (ckpt / "rank-0" / PART).write_text("20 o"), "has 4 bytes instead of 7"),
        (lambda ckpt: (ckpt / "rank-0" / PART).write_text("20 of 1"), "has another checksum"),
        (lambda ckpt: (ckpt / "rank-0" / PART).unlink(), "has 0 bytes instead of 7"),
        (lambda ckpt: (ckpt / MARKER).write_text('{"format": 1'), "its marker is damaged"),
        (
            lambda ckpt: (ckpt / MARKER).write_text(
                (ckpt / MARKER).read_text().replace('"format":1', '"format":2')
            ),
            "it has format 2, and this version reads 1",
        ),
        (
            lambda ckpt: (ckpt / MARKER).write_text(
                (ckpt / MARKER).read_text().replace("t-1", "t-2")
            ),
            "it is one of t-2 after step 20",
        ),
    ],
)
def test_of_a_damaged_newest_one_the_one_before_is_used_and_said(location, tmp_path, damage, fault):
    folder = a_folder(location)
    leave(folder, 10)
    name = leave(folder, 20)
    damage(tmp_path / ".checkpoints" / "t-1" / name)
    found, said = newest(folder)
    assert found == (10, ["10 of 0"])
    assert len(said) == 1
    assert said[0].startswith(f"checkpoint {name} of t-1 is not used: ")
    assert fault in said[0]


def test_a_rank_reads_the_one_that_rank_0_has_found(location):
    folder = a_folder(location)
    name = leave(folder, 10)
    leave(folder, 20)
    assert newest(folder, only=name)[0] == (10, ["10 of 0"])


def test_the_newest_ones_are_kept_and_unfinished_ones_are_not(location, tmp_path):
    folder = a_folder(location)
    names = [leave(folder, step) for step in (10, 20, 30)]
    torn = a_folder(location, "a0").name_at(25)
    a_folder(location, "a0").write_part(torn, 0, lambda path: path.write_text("25"))
    (tmp_path / ".checkpoints" / "t-1" / "notes.txt").write_text("somebody's")
    folder.keep_newest(2)
    left = {path.name for path in (tmp_path / ".checkpoints" / "t-1").iterdir()}
    assert left == {*names[1:], "notes.txt"}


def test_a_part_that_does_not_come_is_an_error(location, monkeypatch):
    monkeypatch.setattr("agnews_ray.record.checkpoints.MAX_WAIT_S", 0.0)
    folder = a_folder(location)
    folder.write_part(folder.name_at(5), 0, lambda path: path.write_text("5"))
    with pytest.raises(StoreError, match=r"want the parts of all workers, found no .*rank-1"):
        folder.complete(folder.name_at(5), 5, 2)


def test_a_write_that_fails_leaves_nothing_that_counts(location):
    folder = a_folder(location)
    leave(folder, 10)
    for point in ("checkpoint.part", "checkpoint.mark"):
        fail_points.set_up(f"{point}=full")
        try:
            with pytest.raises(OSError, match="No space left"):
                leave(folder, 20)
        finally:
            fail_points.set_up("")
        assert newest(folder) == ((10, ["10 of 0"]), [])


def test_finished_trials_have_none_and_others_keep_theirs(location, tmp_path):
    for trial_id in ("t-1", "t-2"):
        leave(a_folder(location, trial_id=trial_id), 10)
    forget_checkpoints(location, ["t-1", "t-3"])
    assert [path.name for path in (tmp_path / ".checkpoints").iterdir()] == ["t-2"]
    forget_checkpoints(location, ["t-2"])
    assert not (tmp_path / ".checkpoints").exists()


def test_the_folder_of_a_uri_with_options():
    found = checkpoints_of("s3://bucket/runs/study?region=eu&scheme=http", "t-1")
    assert found == "s3://bucket/runs/study/.checkpoints/t-1?region=eu&scheme=http"
