"""Runs in Trackio's SQLite files, read back by its own API."""

import pytest

from agnews_ray.errors import TrackerError
from agnews_ray.track.tracker import open_tracker
from tests.fakes.tracked import a_tracked_trial, measured_later

trackio = pytest.importorskip("trackio", reason="the extra trackio is not installed")


@pytest.fixture
def study(request):
    """A name of its own for each test: Trackio reads its folder when it is imported."""
    return f"news-{abs(hash(request.node.name))}"


@pytest.fixture
def tracker(tmp_path):
    return open_tracker("trackio", None, tmp_path)


def curve(study, name="train/loss"):
    logs = trackio.SQLiteStorage.get_logs(study, "one-s1")
    return [(row["step"], row[name]) for row in logs if name in row]


def test_a_trial_is_a_run_with_all_that_is_known(tracker, study):
    assert tracker.export(a_tracked_trial(study=study)) == "new"
    (run,) = trackio.Api().runs(study)
    assert run.name == "one-s1"
    assert run.config["recipe.learning_rate"] == 2e-5
    assert run.config["trial_id"] == "one-s1"
    assert run.config["_Group"] == "one"
    assert curve(study) == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert curve(study, "test/accuracy") == [(3, 0.9)]


def test_a_second_export_changes_nothing(tracker, study):
    tracker.export(a_tracked_trial(study=study))
    assert tracker.export(a_tracked_trial(study=study)) == "unchanged"
    assert len(list(trackio.Api().runs(study))) == 1
    assert len(curve(study)) == 3


def test_a_changed_trial_is_written_again(tracker, study):
    tracker.export(a_tracked_trial(study=study))
    assert tracker.export(measured_later(a_tracked_trial(study=study))) == "updated"
    assert curve(study, "cost/cpu/latency_p50_ms") == [(3, 12.5)]
    assert len(curve(study)) == 3


def test_a_live_run_is_replaced_by_the_export(tracker, study):
    tracker.live_start(study, "one-s1", "one · seed 1")
    tracker.live_point("one-s1", 2, {"train/loss": 0.4})
    assert curve(study) == [(2, 0.4)]
    assert tracker.export(a_tracked_trial(study=study)) == "new"
    assert curve(study) == [(1, 1.0), (2, 0.5), (3, 0.25)]


def test_another_place_than_this_machine_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_SPACE_ID", "me/space")
    with pytest.raises(TrackerError, match="trackio sync"):
        open_tracker("trackio", None, tmp_path)
