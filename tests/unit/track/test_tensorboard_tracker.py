"""Event files, written by us and read by TensorBoard's own reader."""

import os

import pytest

from agnews_ray.errors import TrackerError
from agnews_ray.track.tracked_trial import TrackedStudy
from agnews_ray.track.tracker import open_tracker
from tests.fakes.tracked import a_tracked_trial, measured_later

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")


@pytest.fixture
def tracker(tmp_path):
    return open_tracker("tensorboard", None, tmp_path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "tensorboard" / "news" / "one-s1"


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()


def points(folder, name):
    return [(event.step, round(event.value, 6)) for event in read(folder).Scalars(name)]


def test_curves_and_scores_are_read_back(tracker, folder):
    assert tracker.export(a_tracked_trial()) == "new"
    assert points(folder, "train/loss") == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert points(folder, "test/accuracy_high") == [(3, 0.95)]


def test_settings_are_in_the_table_of_hyperparameters(tracker, folder):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    tracker.export(a_tracked_trial())
    found = read(folder).SummaryMetadata("_hparams_/session_start_info")
    start = HParamsPluginData.FromString(found.plugin_data.content).session_start_info
    assert start.hparams["recipe.learning_rate"].number_value == 2e-5
    assert start.hparams["variant.name"].string_value == "one"


def test_the_text_says_where_the_model_is(tracker, folder):
    tracker.export(a_tracked_trial())
    (event,) = read(folder).Tensors("trial")
    assert b"| artifact | /runs/news/trials/one-s1/artifact |" in event.tensor_proto.string_val[0]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.stat().st_size}


def test_a_second_export_changes_nothing(tracker, folder):
    tracker.export(a_tracked_trial())
    before = contents(folder)
    assert tracker.export(a_tracked_trial()) == "unchanged"
    assert contents(folder) == before
    assert len(before) == 1


def test_a_changed_trial_replaces_its_file(tracker, folder):
    tracker.export(a_tracked_trial())
    assert tracker.export(measured_later(a_tracked_trial())) == "updated"
    assert len(contents(folder)) == 1
    assert points(folder, "cost/cpu/latency_p50_ms") == [(3, 12.5)]
    assert len(points(folder, "train/loss")) == 3


def test_a_diverged_trial_is_a_failed_session(tracker, folder):
    from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    tracker.export(a_tracked_trial(diverged="loss is not a number"))
    found = read(folder).SummaryMetadata("_hparams_/session_end_info")
    end = HParamsPluginData.FromString(found.plugin_data.content).session_end_info
    assert end.status == STATUS_FAILURE


def test_live_points_can_be_read_and_are_replaced_by_the_export(tracker, folder):
    tracker.live_start("news", "one-s1", "one · seed 1")
    tracker.live_point("one-s1", 2, {"train/loss": 0.4})
    assert points(folder, "train/loss") == [(2, 0.4)]
    tracker.export(a_tracked_trial())
    assert points(folder, "train/loss") == [(1, 1.0), (2, 0.5), (3, 0.25)]


def test_a_replaced_file_goes_when_nobody_reads_it_any_more(tracker, folder):
    tracker.export(a_tracked_trial())
    tracker.export(measured_later(a_tracked_trial()))
    (empty,) = [path for path in folder.iterdir() if not path.stat().st_size]
    os.utime(empty, (0, 0))
    assert tracker.export(measured_later(a_tracked_trial())) == "unchanged"
    assert not empty.exists()


def test_a_running_tensorboard_forgets_live_points(tracker, folder):
    tracker.live_start("news", "one-s1", "one · seed 1")
    tracker.live_point("one-s1", 2, {"train/loss": 0.4})
    reader = read(folder)
    tracker.export(a_tracked_trial(changed_at=2_000_000_000.0))
    found = [(event.step, event.value) for event in reader.Reload().Scalars("train/loss")]
    assert found == [(1, 1.0), (2, 0.5), (3, 0.25)]


def test_what_a_killed_attempt_left_goes_when_the_trial_starts_again(tracker, folder, tmp_path):
    tracker.live_start("news", "one-s1", "one · seed 1")
    tracker.live_point("one-s1", 2, {"train/loss": 0.4})
    again = open_tracker("tensorboard", None, tmp_path)
    again.live_start("news", "one-s1", "one · seed 1")
    again.live_point("one-s1", 1, {"train/loss": 0.9})
    assert points(folder, "train/loss") == [(1, 0.9)]


def test_the_study_has_a_text(tracker, tmp_path):
    study = TrackedStudy(name="news", question="Which?", findings=(), scores={}, table="| a |")
    tracker.describe(study)
    (event,) = read(tmp_path / "tensorboard" / "news" / "study").Tensors("study")
    assert event.tensor_proto.string_val[0] == b"Which?\n\n| a |"


def test_a_server_is_refused(tmp_path):
    with pytest.raises(TrackerError, match="want a folder"):
        open_tracker("tensorboard", "http://127.0.0.1:6006", tmp_path)
