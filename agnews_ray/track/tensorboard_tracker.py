"""TensorBoard: a folder for each study, in it a folder with one event file for each trial.

An event file is written anew, as a whole, whenever its trial changed. The same trial gives the same
bytes, so a second export is seen to change nothing. A running TensorBoard reads a folder's files in
the order of their names, which begin with a time, and never goes back: a newer file begins with a
restart of the session, at which TensorBoard forgets the points that it has. If the file that it
reads now were gone, it would never look for the next one, so a replaced file is emptied first, and
removed by a later export.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import metadata as of_hparams
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from agnews_ray.errors import TrackerError
from agnews_ray.record.durable import make_folder, whole_file, writing_explained
from agnews_ray.record.storage import is_uri
from agnews_ray.track.tracked_trial import TrackedStudy, TrackedTrial
from agnews_ray.track.tracker import Change, LiveEnd, Tracker

STUDY_FOLDER = "study"
"""The folder beside those of the trials, for what is known about the study as a whole."""

PREFIX = "events.out.tfevents."
FINAL, LIVE = "agnews-ray", "live"
"""The ends of the names of event files."""

RELOADED_AFTER_S = 60.0
"""The time after which a running TensorBoard has looked again; by default it does so every 5 s."""

HPARAMS = ("variant.name", "variant.model", "seed", "recipe.", "search.settings.", "precision")
"""The starts of the names of parameters in the table of hyperparameters."""


def open_here(uri: str | None, runs: Path) -> "TensorBoardTracker":
    """Open the folder ``uri``, or ``tensorboard`` in the runs folder."""
    if uri is not None and is_uri(uri):
        hint = "give a folder; TensorBoard reads it with --logdir"
        raise TrackerError("tracker tensorboard", "a folder on this machine", "a URI", hint)
    return TensorBoardTracker(Path(uri) if uri is not None else runs / "tensorboard")


class TensorBoardTracker(Tracker):
    """Event files below a folder.

    Args:
        folder: the folder for ``tensorboard --logdir``; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder = folder
        self.destination = str(folder)
        self._live: dict[str, tuple[Path, RecordWriter]] = {}

    def export(self, trial: TrackedTrial) -> Change:
        self._close_live(trial.trial_id)
        return _write(self._folder / trial.study / trial.trial_id, trial.changed_at, _events(trial))

    def describe(self, study: TrackedStudy) -> None:
        if study.text:
            events = [_version(0.0), _event(0.0, 0, text_pb("study", study.text))]
            _write(self._folder / study.name / STUDY_FOLDER, 0.0, events)

    def how_to_look(self, study: str) -> str:  # noqa: ARG002
        return f"tensorboard --logdir {self._folder}"

    def live_start(self, study: str, trial_id: str, name: str) -> None:  # noqa: ARG002
        folder = self._folder / study / trial_id
        make_folder(folder)
        with writing_explained(folder):
            for path in folder.glob(f"*.{LIVE}"):  # of an attempt that ended
                _retire(path)
            path = folder / _file_name(time.time(), LIVE)
            writer = RecordWriter(path.open("wb"))
            writer.write(_version(time.time()).SerializeToString())
            writer.flush()
        self._live[trial_id] = path, writer

    def live_point(self, trial_id: str, step: int, values: Mapping[str, float]) -> None:
        if trial_id not in self._live:
            return
        path, writer = self._live[trial_id]
        with writing_explained(path):
            for name, value in values.items():
                event = _event(time.time(), step, _scalar(name, value))
                writer.write(event.SerializeToString())
            writer.flush()

    def live_end(self, trial_id: str, how: LiveEnd) -> None:  # noqa: ARG002
        self._close_live(trial_id)

    def _close_live(self, trial_id: str) -> None:
        if trial_id in self._live:
            _, writer = self._live.pop(trial_id)
            writer.close()


def _write(folder: Path, changed_at: float, events: list[Event]) -> Change:
    """Write the one event file of a folder, and remove those that it replaces."""
    make_folder(folder)
    path = folder / _file_name(changed_at, FINAL)
    files = sorted(folder.glob(f"{PREFIX}*"))
    before = [file for file in files if file.suffix == f".{FINAL}" and file.stat().st_size]
    with whole_file(path) as partial:
        with partial.open("wb") as file:
            writer = RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString(deterministic=True))
        is_same = before == [path] and path.read_bytes() == partial.read_bytes()
    with writing_explained(folder):
        for old in files:
            if old != path:
                _retire(old)
    return "unchanged" if is_same else "updated" if before else "new"


def _retire(path: Path) -> None:
    """Empty a replaced file, or remove it if nobody can be reading it any more."""
    facts = path.stat()
    if facts.st_size:
        path.write_bytes(b"")
    elif time.time() - facts.st_mtime > RELOADED_AFTER_S:
        path.unlink(missing_ok=True)


def _file_name(unix_time: float, end: str) -> str:
    return f"{PREFIX}{int(unix_time):010d}.{end}"


def _events(trial: TrackedTrial) -> list[Event]:
    """Make the events of a trial's file, in the order of their steps."""
    start = trial.started_at
    events = [
        _version(start),
        Event(wall_time=start, step=0, session_log=SessionLog(status=SessionLog.START)),
        _event(start, 0, _hparams(of_hparams.SESSION_START_INFO_TAG, _settings(trial))),
        _event(start, 0, text_pb("trial", _table({"name": trial.name, **trial.tags}))),
        _event(start, 0, text_pb("parameters", _table(trial.parameters))),
    ]
    last = 0
    for step, values in trial.by_step():
        last, at = step, trial.time_of(step)
        events += [_event(at, step, _scalar(name, value)) for name, value in values.items()]
    for name, value in trial.scores.items():
        events.append(_event(trial.ended_at, last, _scalar(name, value)))
    end = SessionEndInfo(
        status=STATUS_FAILURE if trial.diverged else STATUS_SUCCESS, end_time_secs=trial.ended_at
    )
    closing = _hparams(of_hparams.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=end))
    return [*events, _event(trial.ended_at, last, closing)]


def _settings(trial: TrackedTrial) -> HParamsPluginData:
    start = SessionStartInfo(group_name=trial.trial_id, start_time_secs=trial.started_at)
    for name, value in trial.parameters.items():
        if not name.startswith(HPARAMS):
            continue
        if isinstance(value, bool):
            start.hparams[name].bool_value = value
        elif isinstance(value, str):
            start.hparams[name].string_value = value
        else:
            start.hparams[name].number_value = value
    return HParamsPluginData(session_start_info=start)


def _hparams(tag: str, content: HParamsPluginData) -> Summary:
    """Write content for the table of hyperparameters, the same bytes for the same content."""
    plugin = SummaryMetadata.PluginData(
        plugin_name=of_hparams.PLUGIN_NAME, content=content.SerializeToString(deterministic=True)
    )
    metadata = SummaryMetadata(plugin_data=plugin)
    return Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=of_hparams.NULL_TENSOR)])


def _table(facts: Mapping[str, Any]) -> str:
    """Write facts as a Markdown table, as TensorBoard shows texts."""
    lines = [f"| {name} | {str(value).replace('|', ' ')} |" for name, value in facts.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def _scalar(name: str, value: float) -> Summary:
    return Summary(value=[Summary.Value(tag=name, simple_value=value)])


def _version(at: float) -> Event:
    """Make the event that begins a file."""
    return Event(wall_time=at, file_version="brain.Event:2")


def _event(at: float, step: int, summary: Summary) -> Event:
    return Event(wall_time=at, step=step, summary=summary)
