"""Offline runs of Weights & Biases, read back from its files."""

import json
import struct

import pytest

from agnews_ray.track.tracker import open_tracker
from tests.fakes.tracked import a_tracked_trial, measured_later

pytest.importorskip("wandb", reason="the extra wandb is not installed")

BLOCK = 1 << 15
FULL, LAST = 1, 4
"""The kinds of a record's part: the whole of it, and its last part."""


@pytest.fixture
def tracker(tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    return open_tracker("wandb", None, tmp_path)


def runs(tmp_path):
    return sorted((tmp_path / "wandb").glob("offline-run-*/run-one-s1.wandb"))


def records(path):
    """Read a file as ``wandb sync`` does: LevelDB's log format, behind a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, found, begun = path.read_bytes(), 7, [], b""
    while at + 7 <= len(content):
        room = BLOCK - at % BLOCK
        if room < 7:  # the rest of a block is filled up
            at += room
            continue
        size, kind = struct.unpack("<HB", content[at + 4 : at + 7])
        begun += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (FULL, LAST):
            found.append(Record.FromString(begun))
            begun = b""
    return found


def items(part):
    return {one.key or "/".join(one.nested_key): json.loads(one.value_json) for one in part}


def test_a_trial_is_an_offline_run_with_all_that_is_known(tracker, tmp_path):
    assert tracker.export(a_tracked_trial()) == "new"
    (path,) = runs(tmp_path)
    found = records(path)
    (run,) = [one.run for one in found if one.HasField("run")]
    assert (run.run_id, run.project, run.run_group) == ("one-s1", "news", "one")
    config = items(run.config.update)
    assert config["recipe.learning_rate"] == 2e-5
    assert config["trial_id"] == "one-s1"
    history = [items(one.history.item) for one in found if one.HasField("history")]
    assert [row["train/loss"] for row in history] == [1.0, 0.5, 0.25]
    summary = {}
    for one in found:
        summary |= items(one.summary.update)
    assert summary["test/accuracy_low"] == 0.8


def test_a_second_export_changes_nothing(tracker, tmp_path):
    tracker.export(a_tracked_trial())
    before = runs(tmp_path)
    assert open_tracker("wandb", None, tmp_path).export(a_tracked_trial()) == "unchanged"
    assert runs(tmp_path) == before


def test_a_changed_trial_replaces_its_offline_run(tracker, tmp_path):
    tracker.export(a_tracked_trial())
    assert tracker.export(measured_later(a_tracked_trial())) == "updated"
    assert len(runs(tmp_path)) == 1


def test_a_run_whose_folder_is_gone_is_written_again(tracker, tmp_path):
    tracker.export(a_tracked_trial())
    (path,) = runs(tmp_path)
    path.parent.rename(tmp_path / "moved")
    tracker.export(a_tracked_trial())
    assert len(runs(tmp_path)) == 1


def test_the_users_project_is_used(tracker, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    tracker.export(a_tracked_trial())
    (run,) = [one.run for one in records(runs(tmp_path)[0]) if one.HasField("run")]
    assert (run.project, run.run_group) == ("mine", "news")


def test_who_has_logged_in_sends_to_the_server(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    (tmp_path / "netrc").write_text("machine wandb.example login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = "https://wandb.example"
    assert open_tracker("wandb", server, tmp_path).destination == server
    assert open_tracker("wandb", "https://other", tmp_path).destination == f"{tmp_path}/wandb"
