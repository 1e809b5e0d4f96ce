"""The parts of Ray that are used but not public, or deprecated."""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def kv_put(key: str, value: bytes) -> None:
    """Store a value with Ray's head; actors, the public way, wake up a hundred times a second."""
    from ray.experimental.internal_kv import _internal_kv_put

    _internal_kv_put(key, value)


def kv_get(key: str) -> bytes | None:
    """Ask Ray's head for a value; see ``kv_put``."""
    from ray.experimental.internal_kv import _internal_kv_get

    found: bytes | None = _internal_kv_get(key)
    return found


def kv_delete(key: str) -> None:
    """Delete a value from Ray's head; see ``kv_put``."""
    from ray.experimental.internal_kv import _internal_kv_del

    _internal_kv_del(key)


def pickle_with_objects(value: object) -> tuple[bytes, list[Any]]:
    """Pickle a value that contains references to Ray objects, for another process of the job.

    ``ray.cloudpickle.dumps`` alone keeps these objects until Ray ends. Here the caller holds them.

    Returns:
        The message, and the references in it: the objects live while these are held, or a process
        that has read the message holds its own.
    """
    import ray._private.worker
    import ray.cloudpickle

    worker: Any = ray._private.worker  # neither has type information
    pickle: Any = ray.cloudpickle
    context = worker.global_worker.get_serialization_context()
    context.get_and_clear_contained_object_refs()
    context.set_in_band_serialization()
    try:
        message: bytes = pickle.dumps(value)
        return message, list(context.get_and_clear_contained_object_refs())
    finally:
        context.set_out_of_band_serialization()


def draining_nodes() -> tuple[str, ...]:
    """Ask which nodes of this worker's group are about to be taken away, such as spot machines.

    Each rank makes the same call and waits for the others. The function is in alpha in Ray 2.60.

    Returns:
        Their ids; none if there is no notice, or no such function.
    """
    import ray.train
    from ray.exceptions import RayError

    ask: Any = getattr(ray.train, "get_preemption_info", None)
    with contextlib.suppress(RayError):  # training goes on without an answer
        notice = ask() if ask is not None else None
        return tuple(notice.preempted_node_ids) if notice is not None else ()
    return ()


def no_own_retries() -> dict[str, int]:
    """Return settings of ``FailureConfig`` with which Ray Train starts no workers again itself.

    The second one, for preempted workers, came after Ray 2.55.
    """
    from ray.train import FailureConfig

    wanted = ("max_failures", "max_preemption_failures")
    return {name: 0 for name in wanted if name in inspect.signature(FailureConfig).parameters}


def is_preemption(error: BaseException) -> bool:
    """Whether Ray says that a worker was lost with a node that its owner took away.

    Ray Train's own exception for that came after Ray 2.55.
    """
    import ray.train
    from ray.exceptions import RayActorError

    of_train: Any = getattr(ray.train, "PreemptionError", ())
    is_lost_actor = isinstance(error, RayActorError)
    return isinstance(error, of_train) or (
        is_lost_actor and bool(getattr(error, "preempted", False))
    )


def on_this_node(num_cpus: float) -> dict[str, Any]:
    """Return options of ``ray.data.read_datasource`` that keep its tasks on this node.

    ``ray_remote_args`` will be removed in Ray 2.64. The label that replaces it works too, but on
    two nodes tasks started seconds later with it, so it is used only if there is nothing else.
    """
    import ray
    import ray.data
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    node_id = ray.get_runtime_context().get_node_id()
    if "ray_remote_args" in inspect.signature(ray.data.read_datasource).parameters:
        strategy = NodeAffinitySchedulingStrategy(node_id, soft=False)
        return {"ray_remote_args": {"num_cpus": num_cpus, "scheduling_strategy": strategy}}
    return {"num_cpus": num_cpus, "label_selector": {"ray.io/node-id": node_id}}


def ask_for_limits_every(seconds: float) -> None:
    """Shorten an interval for which Ray Data has no setting; nothing breaks if it is gone."""
    with contextlib.suppress(ImportError):
        from ray.data._internal.execution.resource_manager import ResourceManager

        manager: Any = ResourceManager
        manager.GLOBAL_LIMITS_UPDATE_INTERVAL_S = seconds


def check_as_ray_up(content: dict[str, Any]) -> None:
    """Make the first checks of ``ray up``, for which there is no public function.

    Raises:
        jsonschema.ValidationError: a key or a value is wrong.
    """
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(content))


def job_config_without_working_folder(search_path: Path) -> Any:
    """Return job settings with which workers do not search the user's working folder for modules.

    Ray puts the caller's working folder first, unless a runtime environment has its own; setting
    one there would start every worker again.
    """
    from ray.job_config import JobConfig

    class OwnJobConfig(JobConfig):
        def _runtime_env_has_working_dir(self) -> bool:
            return True

    return OwnJobConfig(_py_driver_sys_path=[str(search_path)])


def tell_lines_to(show: Callable[..., None]) -> None:
    """Send Ray's output on a driver's terminal to a function; no setting stops all of it."""
    import ray._private.worker

    worker: Any = ray._private.worker
    worker.print_to_stdstream = show


def light_trainer(trainer: type[Any], *, has_autoscaler: bool) -> type[Any]:
    """A ``TorchTrainer`` without the processes that a group of workers of ours does not need.

    One frees a dead controller's workers, which Ray does when a job ends; it would wake up all the
    time. The second hands out the datasets that a trainer was given; ours come with each task. The
    third collects what a cluster's autoscaler is asked for; the controller waits for its start.

    Args:
        trainer: ``TorchTrainer``.
        has_autoscaler: whether nodes may be added for the workers.
    """
    unneeded = ("PlacementGroupCleanerCallback", "DatasetsCallback")

    class Trainer(trainer):  # type: ignore[misc]  # Ray's hints know no private method
        def _create_default_callbacks(self) -> list[Any]:
            made: list[Any] = super()._create_default_callbacks()
            return [callback for callback in made if type(callback).__name__ not in unneeded]

        def _initialize_and_run_controller(self, **settings: Any) -> Any:
            if not has_autoscaler:
                settings["scaling_policy"] = _without_autoscaler(settings["scaling_policy"])
            return super()._initialize_and_run_controller(**settings)

    return Trainer


def _without_autoscaler(policy: Any) -> Any:
    """Return Ray Train's scaling policy with the requests to the autoscaler left out."""
    asking = ("_send_resource_request", "_maybe_send_resource_request", "_cancel_resource_request")
    for name in asking:
        setattr(policy, name, _do_nothing)
    return policy


def _do_nothing() -> None:
    """Replace a method that asks for what nobody gives."""


@contextlib.contextmanager
def only_needed_services() -> Iterator[None]:
    """Return a context in which ``ray.init`` starts no monitors for people and clusters.

    These are the dashboard (``include_dashboard=False`` starts its process too, and waits for it),
    the autoscaler's monitor, and the one that copies logs to the driver's terminal. Together they
    take two seconds of a processor at the start of each study.
    """
    import ray._private.node

    node: Any = ray._private.node.Node
    names = ("start_api_server", "start_monitor", "start_log_monitor")
    before = {name: getattr(node, name) for name in names if hasattr(node, name)}
    try:
        for name in before:
            setattr(node, name, _start_nothing)
        yield
    finally:
        for name, method in before.items():
            setattr(node, name, method)


def _start_nothing(*_arguments: Any, **_settings: Any) -> None:
    """Replace a method of Ray's node that starts a process."""
