"""MLflow: an experiment for each study, in it a run with the tag ``trial_id`` for each trial.

A run is complete when it has the tag with the digest, which is written last. A complete run with
the digest of the trial is left as it is; an older one gets what is new, since MLflow takes the same
value of the same step twice without keeping it twice. A live run, which cannot be corrected, is
replaced by another one, and deleted.
"""

import os
import posixpath
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agnews_ray.errors import TrackerError
from agnews_ray.record.durable import make_folder
from agnews_ray.record.storage import without_secrets
from agnews_ray.track.tracked_trial import TrackedStudy, TrackedTrial
from agnews_ray.track.tracker import Change, LiveEnd, Tracker, explained

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

T = TypeVar("T")

OWN_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "1",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Seven retries, the default, take minutes to find out that no server is there.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""The settings of MLflow that hold if the user has not set them."""

DIGEST_TAG, STATE_TAG = "agnews_ray.digest", "agnews_ray.state"
LIVE, EXPORTED = "live", "exported"

KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
"""The mark of experiments whose pages are about training, not about agents."""

MAX_PARAMETERS, MAX_METRICS, MAX_TAGS = 100, 1000, 100
"""MLflow's limits of a batch."""
MAX_PARAMETER, MAX_TAG, MAX_KEY = 6000, 8000, 250
"""MLflow's limits of a parameter's value, a tag's value, and a name, in characters."""

NOT_IN_NAMES = re.compile(r"[^0-9A-Za-z_\-. :/]")
"""The characters that a name of a metric cannot have."""


def open_here(uri: str | None, runs: Path) -> "MlflowTracker":
    """Open a store: ``uri``, else MLFLOW_TRACKING_URI, else ``mlflow.db`` in the runs folder."""
    for name, value in OWN_SETTINGS.items():
        os.environ.setdefault(name, value)
    chosen = uri or os.environ.get("MLFLOW_TRACKING_URI")
    if chosen is None:
        make_folder(runs.absolute())
        chosen = f"sqlite:///{runs.absolute() / 'mlflow.db'}"
    if "://" not in chosen and not chosen.startswith("databricks"):
        hint = "give sqlite:///FILE.db, or http://HOST:PORT of a server"
        raise TrackerError("tracker mlflow", "the URI of a store", repr(chosen), hint)
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=chosen)
    client.search_experiments(max_results=1)  # does it answer?
    artifacts = runs.absolute() / "mlflow-artifacts" if chosen.startswith("sqlite:") else None
    return MlflowTracker(client, without_secrets(chosen), artifacts)


class MlflowTracker(Tracker):
    """Runs in an MLflow store or server.

    Args:
        client: the client of the store.
        destination: its URI, without secrets.
        artifacts: the folder of the experiments' artifacts; None: the server has one. Trained
            models are not copied to it: a tag says where they are.
    """

    def __init__(self, client: "MlflowClient", destination: str, artifacts: Path | None) -> None:
        self._client = client
        self._artifacts = artifacts
        self.destination = destination
        self._experiments: dict[str, str] = {}
        self._live: dict[str, str] = {}

    def export(self, trial: TrackedTrial) -> Change:
        with explained("mlflow", self.destination):
            runs = self._runs(trial.study, trial.trial_id)
            complete = [run for run in runs if run.data.tags.get(DIGEST_TAG) == trial.digest]
            if complete:
                self._delete([run for run in runs if run is not complete[0]])
                return "unchanged"
            wanted = _parameters(trial)
            fitting = [run for run in runs if _fits(run, wanted)]
            run_id = fitting[0].info.run_id if fitting else self._new_run(trial)
            self._write(run_id, trial, wanted)
            self._delete([run for run in runs if run.info.run_id != run_id])
            self._live.pop(trial.trial_id, None)
            was_exported = any(run.data.tags[STATE_TAG] == EXPORTED for run in runs)
            return "updated" if was_exported else "new"

    def _write(self, run_id: str, trial: TrackedTrial, parameters: Mapping[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        values = [Param(name, value) for name, value in parameters.items()]
        for some_parameters in _parts(values, MAX_PARAMETERS):
            self._client.log_batch(run_id, params=some_parameters)
        for some_metrics in _parts(list(_metrics(trial)), MAX_METRICS):
            self._client.log_batch(run_id, metrics=some_metrics)
        tags = {**trial.tags, STATE_TAG: EXPORTED, "mlflow.runName": trial.name}
        if trial.diverged:
            tags["mlflow.note.content"] = f"diverged: {trial.diverged}; it has no scores"
        texts = [RunTag(_name(key), _shortened(text, MAX_TAG)) for key, text in tags.items()]
        for some_tags in _parts(texts, MAX_TAGS):
            self._client.log_batch(run_id, tags=some_tags)
        status = "FAILED" if trial.diverged else "FINISHED"
        self._client.set_terminated(run_id, status, end_time=_milliseconds(trial.ended_at))
        self._client.set_tag(run_id, DIGEST_TAG, trial.digest)

    def _new_run(self, trial: TrackedTrial) -> str:
        return self._create(trial.study, trial.trial_id, trial.name, trial.started_at, EXPORTED)

    def _create(self, study: str, trial_id: str, name: str, started_at: float, state: str) -> str:
        run = self._client.create_run(
            self._experiment(study),
            start_time=_milliseconds(started_at),
            tags={"trial_id": trial_id, STATE_TAG: state},
            run_name=name,
        )
        run_id: str = run.info.run_id
        return run_id

    def _experiment(self, study: str) -> str:
        if study not in self._experiments:
            found = self._client.get_experiment_by_name(study)
            if found is not None and found.lifecycle_stage == "deleted":
                hint = f"mlflow experiments restore --experiment-id {found.experiment_id}"
                where = f"tracker mlflow at {self.destination}"
                raise TrackerError(where, f"the experiment {study}", "it is deleted", hint)
            place = (self._artifacts / study).as_uri() if self._artifacts else None
            self._experiments[study] = (
                found.experiment_id
                if found
                else self._client.create_experiment(study, place, {KIND_TAG: KIND})
            )
        return self._experiments[study]

    def _runs(self, study: str, trial_id: str) -> "list[Run]":
        """Return the trial's runs that were made here, not a user's own with such a tag."""
        query = f"tags.trial_id = '{trial_id}'"
        found = self._client.search_runs([self._experiment(study)], query)
        return [run for run in found if STATE_TAG in run.data.tags]

    def _delete(self, runs: "Sequence[Run]") -> None:
        for run in runs:
            self._client.delete_run(run.info.run_id)  # it can be restored

    def describe(self, study: TrackedStudy) -> None:
        tags = {
            "question": study.question,
            "verdict": " ".join(study.findings),
            "mlflow.note.content": study.text,
            **study.scores,
        }
        with explained("mlflow", self.destination):
            experiment = self._experiment(study.name)
            before = self._client.get_experiment(experiment).tags
            for name, text in tags.items():
                key, value = _name(name), _shortened(text, MAX_TAG)
                if value and before.get(key) != value:
                    self._client.set_experiment_tag(experiment, key, value)

    def how_to_look(self, study: str) -> str:
        if self.destination.startswith("http"):
            known = self._experiments.get(study)
            place = f"/#/experiments/{known}/runs" if known else ""
            return f"{self.destination.rstrip('/')}{place}"
        return f"mlflow ui --backend-store-uri {self.destination}"

    def live_start(self, study: str, trial_id: str, name: str) -> None:
        with explained("mlflow", self.destination):
            stale = [run for run in self._runs(study, trial_id) if run.data.tags[STATE_TAG] == LIVE]
            self._delete(stale)
            self._live[trial_id] = self._create(study, trial_id, name, time.time(), LIVE)

    def live_point(self, trial_id: str, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        if trial_id not in self._live:
            return
        at = _milliseconds(time.time())
        metrics = [Metric(_name(name), value, at, step) for name, value in values.items()]
        with explained("mlflow", self.destination):
            self._client.log_batch(self._live[trial_id], metrics=metrics)

    def live_end(self, trial_id: str, how: LiveEnd) -> None:
        if trial_id in self._live:
            status = "KILLED" if how == "interrupted" else "FAILED"
            with explained("mlflow", self.destination):
                self._client.set_terminated(self._live.pop(trial_id), status)


def _fits(run: "Run", wanted: Mapping[str, str]) -> bool:
    """Whether an exported run can get what is new: MLflow's parameters never change."""
    is_exported = run.data.tags[STATE_TAG] == EXPORTED
    return is_exported and all(wanted.get(key) == text for key, text in run.data.params.items())


def _parameters(trial: TrackedTrial) -> dict[str, str]:
    return {
        _name(key): _shortened(str(value), MAX_PARAMETER) for key, value in trial.parameters.items()
    }


def _metrics(trial: TrackedTrial) -> Iterator[Any]:
    from mlflow.entities import Metric

    names = _different_names([*trial.curves, *trial.scores])
    for name, curve in trial.curves.items():
        for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
            yield Metric(names[name], value, _milliseconds(trial.time_of(step)), step)
    for name, value in trial.scores.items():
        at = trial.changed_at if name.startswith("cost/") else trial.ended_at
        yield Metric(names[name], value, _milliseconds(at), 0)  # a bar, not a curve of one point


def _parts(items: list[T], size: int) -> Iterator[list[T]]:
    """Cut a list into parts of at most ``size`` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _different_names(names: Sequence[str]) -> dict[str, str]:
    """Give each metric an allowed name; two classes may differ only in what is not allowed."""
    found: dict[str, str] = {}
    for name in names:
        allowed, number = _name(name), 1
        while allowed in found.values():
            number += 1
            allowed = f"{_name(name)[: MAX_KEY - 10]} {number}"
        found[name] = allowed
    return found


def _name(text: str) -> str:
    """Make a name that MLflow takes: no other characters, and a path without ``..``."""
    allowed = NOT_IN_NAMES.sub("_", text)[:MAX_KEY].replace("..", "__")
    return posixpath.normpath(allowed).strip("/")


def _shortened(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}…"


def _milliseconds(unix_time: float) -> int:
    return round(unix_time * 1000)
