"""Use case: a job's work on its cluster; `cluster_jobs` is the user's side."""

import dataclasses
import time

from agnews_ray.app.afford import afford, allowance_of, limit_of, refuse
from agnews_ray.app.forecast_study import Machine, forecast_study
from agnews_ray.app.launch import PLANNED, StudyOutcome, Work, execute_study
from agnews_ray.app.model_check import look_at_models
from agnews_ray.app.prepare import PreparedStudy, prepare_study
from agnews_ray.bench.probe import measure_all
from agnews_ray.bench.probe_request import ProbeRequest
from agnews_ray.bench.probe_tasks import ProbeTasks
from agnews_ray.cluster.events import EventWriter
from agnews_ray.cluster.membership import (
    ClusterRoom,
    check_shared,
    gpus_by_node,
    joined_ray,
    on_a_worker,
    on_every_node,
    see_cluster,
)
from agnews_ray.cluster.node_facts import ClusterFacts, node_facts
from agnews_ray.errors import StoreError
from agnews_ray.plan.probed import Measured
from agnews_ray.record.environment import describe_environment
from agnews_ray.record.object_store import open_store
from agnews_ray.record.storage import COPIES_FOLDER, cache_folder, without_secrets
from agnews_ray.run.fit import TrainerFit
from agnews_ray.run.inputs import InputCache
from agnews_ray.run.queue import Outcome, run_trials
from agnews_ray.run.recording import Recorder
from agnews_ray.run.study_runner import StudyRunner
from agnews_ray.run.told import TrialFacts
from agnews_ray.run.trainer import TrialRunner
from agnews_ray.run.watcher import StudyWatcher
from agnews_ray.run.worker_group import WorkerGroups
from agnews_ray.spec.study import StudySpec


def execute_job(
    study: StudySpec, location: str, command: str, started_at: float, events: EventWriter
) -> StudyOutcome:
    """Run a study on the cluster of this process.

    Args:
        study: the study from ``read_study``.
        location: the storage that all nodes share: a folder or its URI.
        command: the user's command line, for the records.
        started_at: the start of this process, in Unix time.
        events: the watcher that receives the events.

    Returns:
        The records of all finished trials, and the errors of those that failed.

    Raises:
        AgnewsError: the study cannot be started; trials already finished are kept.
    """
    store = open_store(location, study.name, cache_folder(location) / COPIES_FOLDER)
    with joined_ray(store.log_path):
        check_shared(location)
        prepared = prepare_study(study, location, see_cluster().num_gpus)
        _tell_plan(prepared, events)
        return execute_study(prepared, command, started_at, events, _run_joined)


def execute_search(
    study: StudySpec, location: str, command: str, started_at: float, events: EventWriter
) -> StudyOutcome:
    """Search a study's best settings on the cluster of this process; as ``execute_job``."""
    from agnews_ray.app.tune_study import prepare_search, tune_study

    store = open_store(location, study.name, cache_folder(location) / COPIES_FOLDER)
    with joined_ray(store.log_path):
        check_shared(location)
        prepared = prepare_search(study, location, see_cluster().num_gpus)
        _tell_plan(prepared, events)
        return tune_study(prepared, command, started_at, events, _run_joined).outcome


def probe_job(location: str, hub_ids: list[str]) -> ClusterFacts:
    """Collect facts about the cluster of this process, for ``doctor``.

    Args:
        location: the storage.
        hub_ids: the models to load from the hub.

    Returns:
        The facts about the cluster and about each of its nodes.
    """
    with joined_ray(cache_folder(location) / "logs" / "doctor.log"):
        storage_error = None
        try:
            check_shared(location)
        except StoreError as error:
            storage_error = f"{error.where}: {error.found}"
        size = see_cluster()
        nodes = on_every_node(node_facts, location, hub_ids)
        for name, gpus in gpus_by_node().items():
            if name in nodes:
                nodes[name]["ray_gpus"] = gpus
        return {
            "storage": without_secrets(location),
            "storage_error": storage_error,
            "num_gpus": size.now.get("GPU", 0),
            "later_gpus": size.later_gpus,
            "num_cpus": size.now.get("CPU", 0),
            "nodes": nodes,
        }


def _tell_plan(prepared: PreparedStudy, watcher: StudyWatcher) -> None:
    trials = [TrialFacts.of(trial) for trial in prepared.trials]
    watcher.study(prepared.study.name, prepared.store.location, trials, prepared.finished)


def _run_joined(
    prepared: PreparedStudy,
    command: str,
    started_at: float,
    watcher: StudyWatcher,
    work: Work,
) -> tuple[PreparedStudy, Outcome]:
    # On the CPU: the head node needs no GPU, and if it has one, workers use it.
    looked_at = look_at_models(prepared, watcher, "cpu")
    planned, prepared = prepared.trials, looked_at.tell(watcher)
    if prepared.trials != planned:
        _tell_plan(prepared, watcher)
    device = prepared.device
    room = ClusterRoom(device, prepared.study.scaling.num_workers)
    if limit_of(prepared.study) is not None and work is PLANNED:
        prepared = _within_budget(prepared, looked_at.data, room, started_at, watcher)
    allowance = room.gate = allowance_of(prepared, started_at, on_cluster=True)
    source = work.source(prepared, watcher.note)
    fit = TrainerFit(
        num_workers=prepared.study.scaling.num_workers,
        device=device,
        cpus_per_worker=room.cpus_per_worker,
        has_autoscaler=True,
        scratch=prepared.store.scratch,
    )
    groups = WorkerGroups(fit)
    trainer = TrialRunner(
        recorder=Recorder(
            study=prepared.study,
            dataset=prepared.scanned.record,
            command=command,
            transfers=prepared.sources.known.transfers,
        ),
        store=prepared.store,
        groups=groups,
        log_hint="read `agnews-ray logs --all`, or submit.log beside the results",
        threads_per_worker=0 if device == "cuda" else room.cpus_per_worker,
        max_failures=prepared.study.recovery.max_failures,
        on_retry=watcher.retried,
        has_notices=True,
        predict=allowance.predict,
    )
    runner, load = StudyRunner(trainer=trainer), looked_at.data.load
    with runner.saving_at_an_interrupt(watcher.note):
        outcome = run_trials(source, runner, load, room, started_at, watcher)
    groups.close()
    return prepared, outcome


def _within_budget(
    prepared: PreparedStudy,
    inputs: InputCache,
    room: ClusterRoom,
    started_at: float,
    watcher: StudyWatcher,
) -> PreparedStudy:
    """Probe the variants on a worker, and refuse a study that does not fit: nobody can be asked.

    Raises:
        ResourceError: it does not fit, and it was not said that only some trials shall run.
    """
    device, budget = prepared.device, prepared.study.budget
    is_gpu, cpus = device == "cuda", room.cpus_per_worker

    def measure(request: ProbeRequest) -> Measured:
        tasks = ProbeTasks(request, inputs).make_all()
        found: Measured = on_a_worker(cpus, is_gpu, measure_all, tasks)
        return found

    machine = Machine(
        environment=on_a_worker(cpus, is_gpu, describe_environment),
        num_threads=0 if is_gpu else cpus,
        num_at_once=room.num_at_once(),
        num_machines=prepared.study.scaling.num_workers,
    )
    forecast = forecast_study(prepared, watcher.note, measure=measure, machine=machine)
    prepared = dataclasses.replace(prepared, forecast=forecast)
    answer = afford(prepared, time.time() - started_at, on_cluster=True)
    if not answer.kept or not (budget and budget.runs_what_fits):
        refuse(answer)
    return prepared
