"""Trackio: a local project for each study, in it a run with the name ``trial_id`` for each trial.

Runs are written to Trackio's SQLite files directly, as its own importers do: ``trackio.init`` would
stamp every step with the time of the export, and print to the terminal during a training. A run
whose configuration has another digest is deleted and written again.
"""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agnews_ray.errors import TrackerError
from agnews_ray.record.durable import make_folder
from agnews_ray.record.storage import is_uri
from agnews_ray.track.tracked_trial import TrackedTrial
from agnews_ray.track.tracker import Change, LiveEnd, Tracker, explained

if TYPE_CHECKING:
    from trackio.api import Run

ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")
"""The variables with which Trackio would not write here."""

DIGEST = "digest"


def open_here(uri: str | None, runs: Path) -> "TrackioTracker":  # noqa: ARG001
    """Open Trackio's own folder, or the folder ``uri``."""
    for name in ELSEWHERE:
        if os.environ.get(name):
            hint = f"unset {name}, and send a project there afterwards with `trackio sync`"
            raise TrackerError("tracker trackio", "a folder on this machine", name, hint)
    if uri is not None:
        if is_uri(uri):
            hint = "give a folder; `trackio sync` sends a project to a server or Space"
            raise TrackerError("tracker trackio", "a folder on this machine", "a URI", hint)
        os.environ["TRACKIO_DIR"] = str(Path(uri).absolute())  # read when trackio is imported
    import trackio

    make_folder(Path(trackio.TRACKIO_DIR))
    return TrackioTracker(Path(trackio.TRACKIO_DIR), is_usual=uri is None)


class TrackioTracker(Tracker):
    """Runs in the SQLite files of a folder.

    Args:
        folder: Trackio's folder in this process.
        is_usual: whether ``trackio show`` finds it without being told where it is.
    """

    def __init__(self, folder: Path, *, is_usual: bool) -> None:
        self.destination = str(folder)
        self._is_usual = is_usual
        self._live: dict[str, tuple[str, dict[str, Any]]] = {}

    def export(self, trial: TrackedTrial) -> Change:
        project = _project(trial.study)
        with explained("trackio", self.destination):
            before = _runs(project, trial.trial_id)
            if len(before) == 1 and (before[0].config or {}).get(DIGEST) == trial.digest:
                return "unchanged"
            _delete(before)
            rows = list(trial.by_step())
            last = rows[-1][0] if rows else 0
            times = [trial.time_of(step) for step, _ in rows]
            rows.append((last, dict(trial.scores)))
            config = {**trial.parameters, **trial.tags, DIGEST: trial.digest}
            config |= _group(trial.variant, trial.started_at)
            _log(project, trial.trial_id, rows, [*times, trial.ended_at], config)
            self._live.pop(trial.trial_id, None)
            was_exported = any(DIGEST in (run.config or {}) for run in before)
            return "updated" if was_exported else "new"

    def how_to_look(self, study: str) -> str:
        place = "" if self._is_usual else f"TRACKIO_DIR={self.destination} "
        return f"{place}trackio show --project {_project(study)}"

    def live_start(self, study: str, trial_id: str, name: str) -> None:
        project = _project(study)
        with explained("trackio", self.destination):
            _delete(_runs(project, trial_id))
        config = {"name": name, **_group(name.partition(" · ")[0], time.time())}
        self._live[trial_id] = project, config

    def live_point(self, trial_id: str, step: int, values: Mapping[str, float]) -> None:
        if trial_id in self._live:
            project, config = self._live[trial_id]
            with explained("trackio", self.destination):
                _log(project, trial_id, [(step, dict(values))], [time.time()], config)

    def live_end(self, trial_id: str, how: LiveEnd) -> None:  # noqa: ARG002
        self._live.pop(trial_id, None)


def _project(study: str) -> str:
    """Name a study's project; Trackio leaves dots out, so that ``a.b`` would become ``ab``."""
    return study.replace(".", "-")


def _group(variant: str, created_at: float) -> dict[str, str]:
    """Return what Trackio itself keeps about a run."""
    return {"_Group": variant, "_Created": _iso(created_at)}


def _runs(project: str, trial_id: str) -> "list[Run]":
    import trackio

    if not trackio.SQLiteStorage.get_project_db_path(project).exists():
        return []
    return [run for run in trackio.Api().runs(project) if run.name == trial_id]


def _delete(runs: "list[Run]") -> None:
    for run in runs:
        run.delete()


def _log(
    project: str,
    trial_id: str,
    rows: list[tuple[int, dict[str, float]]],
    times: list[float],
    config: Mapping[str, Any],
) -> None:
    import trackio

    trackio.SQLiteStorage.validate_project_name(project)
    trackio.SQLiteStorage.bulk_log(
        project,
        trial_id,
        [values for _, values in rows],
        steps=[step for step, _ in rows],
        timestamps=[_iso(at) for at in times],
        config=dict(config),
        run_id=trial_id,
    )


def _iso(unix_time: float) -> str:
    return datetime.fromtimestamp(unix_time, UTC).isoformat()
