"""Use case: bring a study's finished trials into an experiment tracker, without Ray and torch."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.app.analyse import assess_study
from agnews_ray.errors import AgnewsError
from agnews_ray.record.object_store import local_study
from agnews_ray.record.storage import Storage, is_uri, without_secrets
from agnews_ray.record.store import StudyStore
from agnews_ray.report import sentences, table_formats
from agnews_ray.track.from_record import tracked_trial
from agnews_ray.track.tracked_trial import TrackedStudy
from agnews_ray.track.tracker import Change, Tracker

Tell = Callable[[str], None]
"""A function that is called with one line about what is left out, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What an export did."""

    study: str
    tracker: str
    """The tracker's name."""
    destination: str
    """Where the runs are."""
    look: str
    """The command, or the address, that shows them."""
    runs: dict[str, Change]
    """What happened to the run of each trial, by trial id."""

    def __str__(self) -> str:
        """Return a line about it."""
        counts = [
            f"{list(self.runs.values()).count(change)} {change}"
            for change in ("new", "updated", "unchanged")
            if change in self.runs.values()
        ]
        done = ", ".join(counts) or "no finished trial"
        return f"{self.study} in {self.tracker} ({self.destination}): {done}"


def check_studies(locations: Collection[str]) -> None:
    """Check that there are studies, before a tracker makes files beside them.

    Raises:
        StoreError: a folder is no study; URIs are asked later.
    """
    for location in locations:
        if not is_uri(location):
            StudyStore.at(Path(location))


def track_study(
    location: str,
    name: str,
    tracker: Tracker,
    tell: Tell,
    trial_ids: Collection[str] | None = None,
) -> Tracked:
    """Make a tracker's runs what the records say; a second call changes nothing.

    Args:
        location: the study's folder, or its URI.
        name: the tracker's name.
        tracker: the opened tracker.
        tell: called with each line about what is left out.
        trial_ids: the only trials to write; None: all, and what is known about the study.

    Returns:
        What was done to each trial's run.

    Raises:
        StoreError: there is no study.
        TrackerError: the tracker does not answer, or refuses.
    """
    store = StudyStore.at(local_study(location))
    found = store.finished()
    if trial_ids is None:
        for left_out in found.set_aside:
            tell(str(left_out))
    remote = Storage(location).sizes() if is_uri(location) else None
    runs: dict[str, Change] = {}
    for record in found.records:
        if record.work == "labelling":  # its scores are those of the teacher's own run
            continue
        if trial_ids is None or record.trial_id in trial_ids:
            folder = found.folders[record.trial_id]
            artifact = _artifact(store, folder, location, remote)
            trial = tracked_trial(record, folder, store.folder.name, artifact, tell)
            runs[record.trial_id] = tracker.export(trial)
    if trial_ids is None and runs:
        tracker.describe(_whole(store))
    return Tracked(
        study=store.folder.name,
        tracker=name,
        destination=tracker.destination,
        look=tracker.how_to_look(store.folder.name),
        runs=runs,
    )


def _artifact(
    store: StudyStore, folder: Path, location: str, remote: Collection[str] | None
) -> str | None:
    """Return where a trained model is: a path, or a URI if the study is in an object store."""
    artifact = folder / "artifact"
    if remote is None:
        return str(artifact) if artifact.is_dir() else None
    inside = artifact.relative_to(store.folder).as_posix()
    if not any(name.startswith(f"{inside}/") for name in remote):
        return None
    return f"{without_secrets(location).rstrip('/')}/{inside}"


def _whole(store: StudyStore) -> TrackedStudy:
    """Describe the study; without trials that can be compared there is only its question."""
    try:
        assessment = assess_study(store.folder)
    except AgnewsError:
        study = store.load_study()
        question = study.question if study else ""
        return TrackedStudy(
            name=store.folder.name, question=question, findings=(), scores={}, table=""
        )
    scores = {
        f"{metric} of {variant.name}": sentences.between(interval)
        for variant in assessment.variants
        for metric, interval in (("accuracy", variant.accuracy), ("macro-F1", variant.macro_f1))
    }
    return TrackedStudy(
        name=store.folder.name,
        question=assessment.question,
        findings=tuple(sentences.conclusion(assessment)),
        scores=scores,
        table=table_formats.to_markdown(assessment.table),
    )
