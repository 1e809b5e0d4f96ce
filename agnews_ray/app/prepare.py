"""Use cases before a trial: read a study, check it, plan it; nothing is started."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.app.capacity import gpu_memory_line
from agnews_ray.app.study_places import check_paths, place, with_places
from agnews_ray.app.teachers import Sources, models_beside, read_sources
from agnews_ray.data.scan import ScannedDataset, scan_dataset
from agnews_ray.errors import StoreError
from agnews_ray.model import zoo
from agnews_ray.model.hub import go_offline_if_unreachable
from agnews_ray.plan.graph import TrialGraph, only_needed, without_finished
from agnews_ray.plan.looks import Looks
from agnews_ray.plan.names import content_hash, slug
from agnews_ray.plan.time_forecast import Forecast
from agnews_ray.plan.trials import WHERE_ROWS_LIE, PlannedTrial, plan_trials, same_question
from agnews_ray.record.durable import write_whole
from agnews_ray.record.environment import gpu_memory_bytes
from agnews_ray.record.finished import refuse_newer
from agnews_ray.record.object_store import open_store
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import COPIES_FOLDER, cache_folder, without_secrets
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.loader import build_study, override, read_job_file
from agnews_ray.spec.study import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedStudy:
    """A study that has passed all local checks; nothing has been started yet."""

    study: StudySpec
    store: StudyStore
    cache: Path
    scanned: ScannedDataset
    trials: tuple[PlannedTrial, ...]
    finished: dict[str, TrialRecord]
    """The records of planned trials that need not run again, by trial id."""
    num_gpus: int
    precisions: Mapping[str, Precision]
    """The wanted precisions by variant name; a trial has another one if its model cannot be trained
    in it."""
    sources: Sources
    """What is known about weights, teachers and texts without labels."""
    notes: tuple[str, ...] = ()
    """Notes about the machine, a line each."""
    forecast: Forecast | None = None
    """What its trials are predicted to take; None if nothing was predicted."""

    @property
    def device(self) -> Device:
        """The device of the trials that fine-tune a model; that of linear models is the CPU."""
        tuned = (trial.device for trial in self.trials if not is_linear(trial.variant.model))
        return next(tuned, "cpu")

    @property
    def todo(self) -> tuple[PlannedTrial, ...]:
        """The trials without a record; each waits only for others of them."""
        return only_needed(without_finished(self.trials, self.finished))

    def planned_in(self, precisions: Mapping[str, Precision]) -> "PreparedStudy":
        """Plan again if a variant cannot be trained in the wanted precision.

        Args:
            precisions: the precisions by variant name; other variants keep theirs.

        Returns:
            The newly planned study; the same one if nothing changes.
        """
        planned = {trial.variant.name: trial.precision for trial in self.trials}
        wanted = {**planned, **precisions}
        if planned == wanted:
            return self
        trials = plan_study(self.study, self.scanned, self.sources, self.device, wanted)
        return dataclasses.replace(self, trials=trials, finished=finished_of(self.store, trials))


def read_study(job_file: Path | None, flags: Mapping[str, object]) -> StudySpec:
    """Build a study from a job file and the flags that override it.

    Args:
        job_file: a YAML file, or None for the paper's study.
        flags: the values by dotted path; None means "not given".

    Returns:
        The study, with a name for itself and for each variant.

    Raises:
        SpecError: there are problems in the file or the flags; all are listed.
        ModelError: a model cannot exist.
    """
    content = read_job_file(job_file) if job_file else {}
    where = str(job_file) if job_file else "flags"
    study = build_study(override(content, flags), where)
    check_paths(study, where)
    for variant in study.models:
        zoo.check_model(variant)
    models = tuple(
        variant.model_copy(update={"name": zoo.display_name(variant)}) for variant in study.models
    )
    named = study.model_copy(update={"models": models})
    return named.model_copy(update={"name": study.name or _default_name(named)})


def prepare_study(
    study: StudySpec, location: str | Path, cluster_gpus: int | None = None
) -> PreparedStudy:
    """Make all checks that are possible before any trial, and plan the study.

    Args:
        study: the result of ``read_study``.
        location: the runs folder, or its URI.
        cluster_gpus: the number of GPUs that the joined cluster has or may get; None without one.

    Returns:
        The planned study, with the trials that are already finished.

    Raises:
        AgnewsError: there is a problem with the data, the device, the plan or the runs folder.
    """
    cache = cache_folder(str(location))
    store = open_store(str(location), study.name, cache / COPIES_FOLDER)
    _check_same_study(store, study, has_same_rows=True)  # whether it has is checked below
    if _needs_hub(study):
        go_offline_if_unreachable()
    _check_writable(cache)
    scanned = scan_dataset(study.data, cache)
    _check_same_rows(store, study, scanned.record.fingerprint)

    from agnews_ray.run.device import (
        check_engine,
        resolve_device,
        resolve_precision,
    )

    device, num_gpus = resolve_device(study.scaling, cluster_gpus)
    sources = read_sources(study, scanned, cache)
    variants = (*study.models, *sources.known.teachers.values())
    wanted: dict[str, Precision] = {one.name: "fp32" for one in variants}
    for variant in variants:
        if is_linear(variant.model):
            continue
        wanted[variant.name] = resolve_precision(
            variant.recipe_in(study.recipe), device, is_here=cluster_gpus is None
        )
        check_engine(variant.engine, device, wanted[variant.name])
    precisions = {one.name: zoo.own_precision(one, wanted[one.name]) for one in variants}
    trials = plan_study(study, scanned, sources, device, precisions)
    return PreparedStudy(
        study=study,
        store=store,
        cache=cache,
        scanned=scanned,
        trials=trials,
        finished=finished_of(store, trials),
        num_gpus=num_gpus,
        precisions=wanted,
        sources=sources,
        notes=_machine_notes(study, device) if cluster_gpus is None else (),
    )


def _machine_notes(study: StudySpec, device: Device) -> tuple[str, ...]:
    from agnews_ray.run.device import device_notes

    is_tuned = any(not is_linear(variant.model) for variant in study.models)
    there = gpu_memory_bytes() if device == "cuda" and is_tuned else 0
    memory = (f"GPU memory: {gpu_memory_line(study, there)[0]}",) if there else ()
    return device_notes(study.scaling, device) + memory


def plan_study(
    study: StudySpec,
    scanned: ScannedDataset,
    sources: Sources,
    device: Device,
    precisions: Mapping[str, Precision],
    looks: Looks | None = None,
) -> tuple[PlannedTrial, ...]:
    """Plan the trials of a study on scanned rows.

    Args:
        study: the study, with a name for every variant.
        scanned: its rows.
        sources: its teachers, and texts without labels.
        device: the device on which the trials will run.
        precisions: the precision of each variant by name.
        looks: as for ``plan_trials``.

    Returns:
        The trials, each after those that it waits for.

    Raises:
        ModelError: a model cannot exist.
        SpecError: the trials cannot be planned.
    """
    for variant in study.models:
        zoo.check_model(variant)
    known = sources.known_for(study)
    planned = plan_trials(study, scanned.record, known, device, precisions, looks)
    return TrialGraph(planned).trials


def finished_of(store: StudyStore, trials: tuple[PlannedTrial, ...]) -> dict[str, TrialRecord]:
    """Read the records of planned trials that need not run again.

    Args:
        store: the study's store.
        trials: the planned trials.

    Returns:
        The records by trial id.

    Raises:
        RecordError: a newer version wrote one of them.
    """
    planned, found = {trial.trial_id for trial in trials}, store.finished()
    refuse_newer([one for one in found.set_aside if one.trial_id in planned])
    return {r.trial_id: r for r in found.records if r.trial_id in planned}


def _default_name(study: StudySpec) -> str:
    """Return ``paper`` for the paper's data and recipe, else the source and a hash of settings."""
    if study.is_default_study():
        return "paper"
    question = study.model_dump(mode="json", include={"data", "recipe", "scaling"})
    here = f"{Path.cwd()}{os.sep}"
    for key in WHERE_ROWS_LIE:  # the hash ignores how a path is spelt, and where this folder is
        absolute = place(question["data"][key])
        question["data"][key] = absolute and absolute.removeprefix(here)
    source = study.data.source.partition(":")[0]
    path = Path(source).expanduser()
    name = path.resolve().stem if path.exists() else source
    return f"{slug(name)}-{content_hash(question, 6)}"


def _check_same_study(store: StudyStore, study: StudySpec, *, has_same_rows: bool) -> None:
    """Refuse a study that cannot be compared with the one in its folder."""
    kept = store.load_study()
    differing = (
        same_question(with_places(kept), with_places(study), has_same_rows=has_same_rows)
        if kept
        else []
    )
    if differing:
        hint = "give this study another --name, or delete that folder"
        wanted = "the same data and recipe as the study kept there"
        raise StoreError(without_secrets(store.location), wanted, "; ".join(differing[:3]), hint)


def _check_same_rows(store: StudyStore, study: StudySpec, fingerprint: str) -> None:
    """Compare rows with those of the folder's records; without a record, compare their places."""
    kept = store.fingerprints()
    _check_same_study(store, study, has_same_rows=fingerprint in kept)
    if kept and fingerprint not in kept:
        hint = "give this study another --name, or delete that folder"
        found = f"other rows in {study.data.source}"
        raise StoreError(without_secrets(store.location), "the rows of its trials", found, hint)


def _check_writable(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        probe = cache / f".probe-{os.getpid()}"
        write_whole(probe, b"1")  # a full disk still makes empty files
        probe.unlink()
    except (OSError, StoreError) as error:
        hint = "choose another folder with --runs"
        reason = error.found if isinstance(error, StoreError) else error.strerror or str(error)
        raise StoreError(str(cache.parent), "a folder to write to", reason, hint) from error


def _needs_hub(study: StudySpec) -> bool:
    source = study.data.source
    is_remote_data = not source.startswith("synthetic:") and not Path(source).expanduser().exists()
    return is_remote_data or any(map(zoo.is_on_hub, (*study.models, *models_beside(study))))
