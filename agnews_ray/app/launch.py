"""Use cases that run trials: prepare a study, show its plan, execute it."""

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agnews_ray.app.room import check_disk
from agnews_ray.data.audit import audit_test_rows
from agnews_ray.data.scan import ScannedDataset, scan_dataset
from agnews_ray.errors import AgnewsError, SpecError, StoreError
from agnews_ray.model import zoo
from agnews_ray.model.hub import go_offline_if_unreachable
from agnews_ray.plan.trials import (
    WHERE_ROWS_LIE,
    PlannedTrial,
    content_hash,
    plan_trials,
    same_question,
    slug,
)
from agnews_ray.record.durable import write_whole
from agnews_ray.record.environment import gpu_memory_bytes, num_usable_cpus
from agnews_ray.record.outputs import load_test_rows
from agnews_ray.record.remote import open_store
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import is_uri, user_cache, without_keys, without_secrets
from agnews_ray.record.store import StudyStore, refuse_newer
from agnews_ray.run.watcher import SteadyWatcher
from agnews_ray.spec.loader import build_study, override, read_job_file
from agnews_ray.spec.study import Device, Precision, StudySpec

logger = logging.getLogger(__name__)

CACHE_FOLDER = ".cache"
"""Below the runs folder: downloads, generated corpora, tokenizers, tokenised splits."""


MAX_START_FAILURES = 2
"""Of a trial's workers on this machine, whose room was counted before."""

COPIES_FOLDER = "studies"
"""Inside it: working copies of studies that lie in an object store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedStudy:
    """A study whose every local check has passed; nothing has been started yet."""

    study: StudySpec
    store: StudyStore
    cache: Path
    scanned: ScannedDataset
    trials: tuple[PlannedTrial, ...]
    finished: dict[str, TrialRecord]
    """Records of planned trials that need not run again, by trial id."""
    num_gpus: int
    precision: Precision
    """Wanted; a trial of a model that cannot be trained in it has another."""
    notes: tuple[str, ...] = ()
    """What is to be said of the machine, a line each."""

    @property
    def todo(self) -> tuple[PlannedTrial, ...]:
        """Trials without a record."""
        return tuple(trial for trial in self.trials if trial.trial_id not in self.finished)

    def planned_in(self, precisions: Mapping[str, Precision]) -> "PreparedStudy":
        """Plan anew where a variant cannot be trained in the wanted precision.

        Args:
            precisions: by variant name; the others keep what they have.

        Returns:
            The same study where nothing changes.
        """
        planned = {trial.variant.name: trial.precision for trial in self.trials}
        wanted = {**planned, **precisions}
        if planned == wanted:
            return self
        trials = _plan(self.study, self.scanned, self.trials[0].device, wanted)
        return dataclasses.replace(self, trials=trials, finished=_finished(self.store, trials))


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutcome:
    """What a call of ``execute_study`` came to."""

    prepared: PreparedStudy
    records: tuple[TrialRecord, ...]
    """Of all planned trials that are finished, now or before, in planned order."""
    failed: dict[str, Exception]
    """Error by trial id."""
    notes: tuple[str, ...] = ()
    """Lines about what was kept, and what was not, for the user to read."""


def cache_folder(location: str) -> Path:
    """Name the cache of a runs folder: inside it, or the user's where that is a URI."""
    return (user_cache() if is_uri(location) else Path(location).absolute()) / CACHE_FOLDER


def read_study(job_file: Path | None, flags: Mapping[str, Any]) -> StudySpec:
    """Build a study from a job file and the flags that override it.

    Args:
        job_file: YAML, or None for the paper's study.
        flags: dotted path to value; None is "not given".

    Returns:
        The study, with a name for itself and for each variant.

    Raises:
        SpecError: something is wrong with file or flags; lists every problem.
        ModelError: a model that cannot exist.
    """
    content = read_job_file(job_file) if job_file else {}
    where = str(job_file) if job_file else "flags"
    study = build_study(override(content, flags), where)
    _check_paths(study, where)
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
    """Make every check that can be made before any trial.

    Args:
        study: from ``read_study``.
        location: the runs folder, or its URI.
        cluster_gpus: GPUs that the joined cluster has or may get; None on this machine alone.

    Returns:
        The plan, and what of it is already done.

    Raises:
        AgnewsError: data, device, plan or runs folder are not as they should be.
    """
    cache = cache_folder(str(location))
    store = open_store(str(location), study.name, cache / COPIES_FOLDER)
    _check_same_study(store, study, has_same_rows=True)  # which is seen below
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
    precision = resolve_precision(study.recipe, device, is_here=cluster_gpus is None)
    for variant in study.models:
        check_engine(variant.engine, device, precision)
    precisions = {variant.name: zoo.own_precision(variant, precision) for variant in study.models}
    trials = _plan(study, scanned, device, precisions)
    return PreparedStudy(
        study=study,
        store=store,
        cache=cache,
        scanned=scanned,
        trials=trials,
        finished=_finished(store, trials),
        num_gpus=num_gpus,
        precision=precision,
        notes=_machine_notes(study, device) if cluster_gpus is None else (),
    )


def _machine_notes(study: StudySpec, device: Device) -> tuple[str, ...]:
    from agnews_ray.run.device import device_notes

    there = gpu_memory_bytes() if device == "cuda" else 0
    memory = (f"GPU memory: {gpu_memory_line(study, there)[0]}",) if there else ()
    return device_notes(study.scaling, device) + memory


def gpu_memory_line(study: StudySpec, there: int) -> tuple[str, str | None]:
    """Say what training will want of a GPU, for the largest model and the longest batch.

    Args:
        study: whose models and batches.
        there: memory of the GPU, in bytes.

    Returns:
        A line, and what fits: ``recorded``, ``unrecorded`` or None.
    """
    from agnews_ray.model.memory import training_memory

    recipe = study.recipe
    precision: Precision = "fp16" if recipe.precision == "auto" else recipe.precision
    rows, length = (
        recipe.global_batch_size // study.scaling.num_workers,
        study.data.max_length_tokens,
    )
    most = max(
        (training_memory(one, rows, length, precision) for one in study.models),
        key=lambda one: one.recorded,
    )
    text = (
        f"{there / 2**30:.1f} GiB, about {most.recorded / 2**30:.1f} wanted for batches of "
        f"{rows} x {length} tokens ({most.unrecorded / 2**30:.1f} with unrecorded steps)"
    )
    if most.recorded <= there:
        return text, "recorded"
    return text, "unrecorded" if most.unrecorded <= there else None


def execute_study(
    prepared: PreparedStudy,
    command: str,
    started_at: float,
    watcher: Any,
    run: "Callable[[PreparedStudy, str, float, Any], tuple[PreparedStudy, Any]] | None" = None,
) -> StudyOutcome:
    """Run the trials that have no record yet.

    Args:
        prepared: from ``prepare_study``.
        command: the command line, for the records.
        started_at: Unix time of ``submit``.
        watcher: a ``run.watcher.StudyWatcher``, told what happens until it fails.
        run: takes the first four and gives the study as it was planned in the end and a
            ``run.study.Outcome``; None runs the trials on a Ray of this process.

    Returns:
        Records of all finished trials, and the errors of those that failed.

    Raises:
        AgnewsError: the study cannot be started; trials already finished are kept.
        KeyboardInterrupt: as sent; Ray is gone and finished trials are kept.
    """
    watcher = SteadyWatcher(watcher)
    failed: dict[str, Exception] = {}
    store, command = prepared.store, without_keys(command)
    with store.writing():
        # Again, now that nobody else writes: another submit may have finished some.
        finished = _finished(store, prepared.trials)
        prepared = dataclasses.replace(prepared, finished=finished)
        done = dict(finished)
        store.save_study(with_places(prepared.study))
        for line in (*store.take_notes(), *map(str, store.finished().set_aside)):
            watcher.note(f"note  {line}")
        if prepared.todo:
            prepared, outcome = (run or _run_embedded)(prepared, command, started_at, watcher)
            done |= prepared.finished
            done |= {record.trial_id: record for record in outcome.finished}
            failed |= outcome.failed
            done |= _finished(store, prepared.trials)  # the first record of a trial counts
        notes = _keep_test_rows(prepared)
    records = tuple(done[t.trial_id] for t in prepared.trials if t.trial_id in done)
    notes = (*store.take_notes(), *notes)
    return StudyOutcome(prepared=prepared, records=records, failed=failed, notes=notes)


def _keep_test_rows(prepared: PreparedStudy) -> tuple[str, ...]:
    """Leave texts and duplicates beside the records: reports are written without the source.

    What keeps them from being left is told in a line: the table that was trained for is worth more.
    """
    store, fingerprint = prepared.store, prepared.scanned.record.fingerprint
    num_rows = prepared.scanned.test.num_rows
    try:
        with suppress(StoreError):  # damaged: made anew
            if load_test_rows(store.test_rows_path, fingerprint, num_rows) is not None:
                return ()
        store.save_test_rows(audit_test_rows(prepared.scanned), fingerprint)
    except AgnewsError as error:
        return (f"the test rows, which reports need, were not kept: {error}",)
    return ()


def _run_embedded(
    prepared: PreparedStudy, command: str, started_at: float, watcher: Any
) -> tuple[PreparedStudy, Any]:
    from agnews_ray.run.session import embedded_ray

    num_at_once = max(1, prepared.num_gpus // prepared.study.scaling.num_workers)
    num_workers = num_at_once * prepared.study.scaling.num_workers
    with embedded_ray(prepared.store.log_path, prepared.num_gpus, num_workers) as session:
        loading = _beside(look_at_models, prepared, watcher, prepared.todo[0].device)
        session.start()  # waits for processes to come up while the thread imports and loads
        logger.info("Ray started %.1f s after the start", time.time() - started_at)
        looked_at = loading.result()
        logger.info("models looked at %.1f s after the start", time.time() - started_at)
        prepared = looked_at.tell(watcher)

        from agnews_ray.run.study import OwnRoom, run_trials
        from agnews_ray.run.trainer import TrialRunner

        runner = TrialRunner(
            study=prepared.study,
            dataset=prepared.scanned.record,
            store=prepared.store,
            scratch=str(session.folder / "train"),
            log_hint=f"read {os.path.relpath(prepared.store.log_path)}",
            command=command,
            threads_per_worker=max(1, num_usable_cpus() // num_workers),
            max_start_failures=MAX_START_FAILURES,
        )
        room = OwnRoom(count=num_at_once)
        load = looked_at.data.load
        return prepared, run_trials(prepared.todo, runner, load, room, started_at, watcher)


def _beside(function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
    """Call a function in a daemon thread: an interrupt must not wait for a download."""
    future: Future[Any] = Future()

    def target() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001  # raised again by ``result``
            future.set_exception(error)

    threading.Thread(target=target, daemon=True).start()
    return future


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """Models that can be loaded and trained, and what is to be said of them."""

    prepared: PreparedStudy
    """Planned anew where a model cannot be trained in the wanted precision."""
    data: Any
    """A ``run.tokenised.TokenisedCache``."""
    lines: tuple[str, ...]

    def tell(self, watcher: Any) -> PreparedStudy:
        """Show the lines; from the thread that the watcher knows."""
        for line in self.lines:
            watcher.note(line)
        return self.prepared


def look_at_models(prepared: PreparedStudy, watcher: Any, device: Device) -> LookedAt:
    """Load every model and have it make a pass, so that what is wrong is told before any trial.

    Args:
        prepared: with trials to run.
        watcher: told of tokenised rows, later.
        device: where the pass is made.

    Returns:
        The loaded tokenizers, and the study as it can be run.

    Raises:
        HubError: neither the hub nor its cache has a model.
        ModelError: one cannot be loaded or trained.
        ResourceError: the disk has no room for the files of the trials.
    """
    from agnews_ray.run.tokenised import TokenisedCache

    lines: list[str] = []  # a watcher is only told from the thread it knows
    data = TokenisedCache(
        prepared.scanned, prepared.study.data, prepared.cache, watcher.tokenised, lines.append
    )
    variants = {trial.variant.name: trial.variant for trial in prepared.todo}
    trains_on = prepared.todo[0].device
    found = {
        name: data.look_at(variant, prepared.precision, device, trains_on)
        for name, variant in variants.items()
    }
    sizes = {name: one.num_parameters for name, one in found.items()}
    rows = prepared.scanned.record
    num_logits = rows.test.num_selected * len(rows.class_names)
    check_disk(prepared.store.location, prepared.todo, sizes, num_logits)
    for name, one in found.items():
        lines.append(
            f"model {name}: {one.head} head, {one.precision}, "
            f"{one.unknown_share:.1%} of the rows' pieces unknown to its vocabulary"
        )
        lines += [f"note  {name}: {note}" for note in one.notes]
    planned = prepared.planned_in({name: one.precision for name, one in found.items()})
    data.note = watcher.note  # the splits are loaded in that thread
    return LookedAt(prepared=planned, data=data, lines=tuple(lines))


def _plan(
    study: StudySpec, scanned: ScannedDataset, device: Device, precisions: Mapping[str, Precision]
) -> tuple[PlannedTrial, ...]:
    identities = {
        variant.name: zoo.identity(variant) + zoo.head_of(variant) for variant in study.models
    }
    return plan_trials(study, scanned.record, identities, device, precisions)


def _finished(store: StudyStore, trials: tuple[PlannedTrial, ...]) -> dict[str, TrialRecord]:
    planned, found = {trial.trial_id for trial in trials}, store.finished()
    refuse_newer([one for one in found.set_aside if one.trial_id in planned])
    return {r.trial_id: r for r in found.records if r.trial_id in planned}


def _check_paths(study: StudySpec, where: str) -> None:
    """Refuse what not even the file system can be asked for."""
    named = {f"data.{key}": getattr(study.data, key) for key in WHERE_ROWS_LIE}
    named |= {f"models.{number}.model": one.model for number, one in enumerate(study.models)}
    problems = []
    for key, name in named.items():
        try:
            Path(name or "").expanduser().exists()
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "no such user"
            problems.append(f"{key}: want a name or a path, found {name[:60]!r}: {reason}; mend it")
    if problems:
        raise SpecError(where, problems)


def with_places(study: StudySpec) -> StudySpec:
    """Write out where data and models lie, so that a study means the same in another folder.

    Args:
        study: as asked for.

    Returns:
        The same with absolute paths, without ``~`` and links, for what lies on this machine.
    """
    data = {key: _place(getattr(study.data, key)) for key in WHERE_ROWS_LIE}
    models = tuple(
        variant.model_copy(update={"model": zoo.load_path(variant)})
        if Path(zoo.load_path(variant)).is_dir()
        else variant
        for variant in study.models
    )
    return study.model_copy(update={"models": models, "data": study.data.model_copy(update=data)})


def _place(name: str | None) -> str | None:
    if name is None or name == "none" or not Path(name).expanduser().exists():
        return name
    return str(Path(name).expanduser().resolve())


def _default_name(study: StudySpec) -> str:
    """``paper`` for the paper's own data and recipe, else the source and a hash of the question."""
    if study.is_default_study():
        return "paper"
    question = study.model_dump(mode="json", include={"data", "recipe", "scaling"})
    here = f"{Path.cwd()}{os.sep}"
    for key in WHERE_ROWS_LIE:  # however it was written; below this folder, wherever that lies
        place = _place(question["data"][key])
        question["data"][key] = place and place.removeprefix(here)
    source = study.data.source.partition(":")[0]
    path = Path(source).expanduser()
    name = path.resolve().stem if path.exists() else source
    return f"{slug(name)}-{content_hash(question, 6)}"


def _check_same_study(store: StudyStore, study: StudySpec, *, has_same_rows: bool) -> None:
    """Two questions in one folder could not be compared."""
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
    """Which rows there are says more than where they lie; that decides before there is a record."""
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
        write_whole(probe, b"1")  # a full disk makes files all the same
        probe.unlink()
    except (OSError, StoreError) as error:
        hint = "choose another folder with --runs"
        reason = error.found if isinstance(error, StoreError) else error.strerror or str(error)
        raise StoreError(str(cache.parent), "a folder to write to", reason, hint) from error


def _needs_hub(study: StudySpec) -> bool:
    source = study.data.source
    is_remote_data = not source.startswith("synthetic:") and not Path(source).expanduser().exists()
    return is_remote_data or any(
        variant.init == "pretrained" and not Path(zoo.load_path(variant)).is_dir()
        for variant in study.models
    )
