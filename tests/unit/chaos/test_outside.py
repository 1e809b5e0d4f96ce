"""Faults from outside do what they say."""

from types import SimpleNamespace

import pytest

from agnews_ray.chaos.faults import Fault
from agnews_ray.chaos.outside import OUTSIDE_ACTIONS, cut_record, kill, may_mount
from agnews_ray.chaos.submits import Submit
from agnews_ray.record.checkpoints import CheckpointFolder, checkpoints_of


def a_fault(action, value=0.5):
    return Fault(kind="any", where="outside", action=action, value=value)


@pytest.mark.parametrize("action", ["flip-checkpoint", "cut-checkpoint"])
def test_a_damaged_checkpoint_is_not_used_any_more(action, tmp_path):
    place = checkpoints_of(str(tmp_path / "runs" / "study"), "trial")
    folder = CheckpointFolder(place, "trial", "a1")
    for step in (5, 10):
        name = folder.name_at(step)
        folder.write_part(name, 0, lambda path: path.write_bytes(bytes(1000)))
        folder.complete(name, step, 1)
    submit = Submit(["--version"], tmp_path, "", {})
    assert OUTSIDE_ACTIONS[action](submit, a_fault(action))
    lines = []
    with folder.newest(lines.append) as found:
        assert found.step == 5
    assert len(lines) == 1


def test_without_a_checkpoint_nothing_happens(tmp_path):
    submit = SimpleNamespace(place=tmp_path)
    assert not OUTSIDE_ACTIONS["flip-checkpoint"](submit, a_fault("flip-checkpoint"))


def test_a_killed_driver_is_known_to_be(tmp_path):
    submit = Submit(["--version"], tmp_path, "", {})
    assert kill(submit, a_fault("kill"))
    assert submit.is_ended_by_us


def test_a_record_is_cut(tmp_path):
    assert not cut_record(tmp_path, a_fault("cut-record"), 0)
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "record.json").write_text("0123456789")
    assert cut_record(tmp_path, a_fault("cut-record"), 3)
    assert (tmp_path / "b" / "record.json").read_text() == "01234"


def test_a_folder_is_as_before_after_it_was_asked_for_a_disk(tmp_path):
    may_mount(tmp_path / "disk")
    (tmp_path / "disk").rmdir()
