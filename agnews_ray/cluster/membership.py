"""The Ray cluster that a job runs on: join it, list its resources, check its shared storage."""

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from agnews_ray.errors import ClusterError, StoreError
from agnews_ray.record.storage import Storage, is_uri, without_secrets
from agnews_ray.run.allowance import Gate, OpenGate
from agnews_ray.run.session import (
    NUM_DATA_CPUS,
    configure_ray_data,
    log_to,
    start_ray,
    stop_logging,
)
from agnews_ray.spec.base import Device

P = ParamSpec("P")
T = TypeVar("T")

GPUS_VARIABLE = "AGNEWS_RAY_GPUS"
"""The variable, set on the head node if an autoscaler starts workers, with the largest number of
GPUs.
Ray has no function that returns this number."""

REFRESH_S = 2.0
"""The time for which facts about the cluster are kept."""

PROBE_TIMEOUT_S = 120.0


@contextmanager
def joined_ray(log_path: Path) -> Iterator[None]:
    """Join the cluster on which this process runs as a job, and leave it at the end.

    Args:
        log_path: the file for Ray's own messages.
    """
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        handler = log_to(log_path)
    except OSError as error:
        hint = "choose another with --storage"
        reason = error.strerror or str(error)
        raise StoreError(str(log_path.parent), "a folder to write to", reason, hint) from error
    try:
        configure_ray_data()
        start_ray(address="auto", log_to_driver=False, logging_level=logging.ERROR)
        yield
    except KeyboardInterrupt:
        raise  # trials wait in threads, and calling Ray after shutdown ends us
    except BaseException:
        ray.shutdown()
        raise
    else:
        ray.shutdown()
    finally:
        stop_logging(handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSize:
    """The resources by Ray's names (CPU, GPU), summed over nodes."""

    now: dict[str, float]
    later_gpus: int
    """The number of GPUs with all nodes that the autoscaler may start."""
    free: dict[str, float]
    node_cpus: tuple[float, ...]
    """The number of CPUs of each node that has any."""

    @property
    def num_gpus(self) -> int:
        """The number of GPUs that exist or may be started."""
        return max(int(self.now.get("GPU", 0)), self.later_gpus)


def see_cluster() -> ClusterSize:
    """Ask Ray for the resources of the joined cluster.

    Returns:
        The resources that exist, that are free, and that may be started.
    """
    resources: Any = ray  # Ray's functions have no type information
    return ClusterSize(
        now=resources.cluster_resources(),
        later_gpus=_later_gpus(),
        free=resources.available_resources(),
        node_cpus=tuple(cpus for n in alive_nodes() if (cpus := n["Resources"].get("CPU", 0.0))),
    )


def _later_gpus() -> int:
    said = os.environ.get(GPUS_VARIABLE) or "0"
    if not said.isdecimal():
        hint = "set it to the GPUs that the autoscaler may start, or leave it empty"
        raise ClusterError(GPUS_VARIABLE, "a whole number, on the head node", repr(said), hint)
    return int(said)


class ClusterRoom:
    """The room of a cluster for trials; each takes its workers, on any nodes.

    As many trials are started as fit after the autoscaler has started all its nodes; it takes the
    waiting trials as demand.
    """

    def __init__(self, device: Device, num_workers: int) -> None:
        self.gate: Gate = OpenGate()
        self._device = device
        self._num_workers = num_workers
        self._seen_at = 0.0
        self._size: ClusterSize | None = None

    @property
    def cpus_per_worker(self) -> int:
        """The number of CPUs that a worker reserves.

        One CPU beside a GPU; without GPUs, most of the smallest node, so that no two share it.
        """
        if self._device == "cuda":
            return 1
        smallest = int(min(self._look().node_cpus, default=1))
        return max(1, smallest - NUM_DATA_CPUS, smallest // 2 + (smallest > 1))

    def num_at_once(self) -> int:
        size = self._look()
        if self._device == "cuda":
            return max(1, size.num_gpus // self._num_workers)
        return max(1, len(size.node_cpus) // self._num_workers)

    def missing(self) -> str | None:
        size = self._look()
        name = "GPU" if self._device == "cuda" else "CPU"
        wanted = self._num_workers * (1 if name == "GPU" else self.cpus_per_worker)
        if size.free.get(name, 0) >= wanted:
            return None
        there = f"{size.now.get(name, 0):g} there, {size.free.get(name, 0):g} free"
        coming = size.later_gpus if name == "GPU" else 0
        limit = f", up to {coming} with the autoscaler" if coming else ""
        return f"{wanted} {name}{'s' if wanted > 1 else ''} ({there}{limit})"

    def _look(self) -> ClusterSize:
        now = time.monotonic()
        if self._size is None or now - self._seen_at > REFRESH_S:
            self._size, self._seen_at = see_cluster(), now
        return self._size


def check_shared(location: str) -> None:
    """Check that every node can read and write the storage.

    Args:
        location: a folder, or its URI.

    Raises:
        StoreError: a node cannot; the message names all of them.
    """
    token = f".probe-{secrets.token_hex(8)}"
    leave, remove = _probe_ends(location, token)
    try:
        leave()
    except OSError as error:
        hint = "choose another with --storage"
        reason = error.strerror or str(error)
        raise StoreError(location, "a folder to write to", reason, hint) from error
    try:
        answers = on_every_node(_look_from_node, location, token)
    finally:
        remove()
    failed = {node: answer for node, answer in answers.items() if answer}
    if failed:
        node, answer = next(iter(failed.items()))
        found = f"{len(failed)} node(s) cannot see it (first: {node}: {answer})"
        hint = "use a folder mounted on all nodes, or s3://BUCKET/FOLDER, with --storage"
        raise StoreError(without_secrets(location), "storage that all nodes share", found, hint)


def _probe_ends(location: str, token: str) -> tuple[Callable[[], object], Callable[[], object]]:
    if is_uri(location):
        storage = Storage(location)
        return (lambda: storage.write(f"{token}/file", b"1")), (lambda: storage.delete(token))
    path = Path(location) / token

    def leave() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1", encoding="ascii")

    return leave, path.unlink


def _look_from_node(location: str, token: str) -> str | None:
    """Check the storage from one node, and return the problem. This function runs on that node."""
    try:
        if is_uri(location):
            Storage(location).child(token).read("file")
            return None
        path = Path(location) / token
        if not path.is_file():
            return "the folder there is a different one"
        mine = path.with_name(f"{token}-{secrets.token_hex(4)}")
        mine.touch()
        mine.unlink()
    except (OSError, StoreError) as error:
        return str(error)
    return None


def on_a_worker(
    num_cpus: int, has_gpu: bool, function: Callable[P, T], *arguments: P.args, **named: P.kwargs
) -> T:
    """Call a function where a trial's worker would run, as soon as there is room for one.

    Args:
        num_cpus: the number of CPUs that a worker reserves.
        has_gpu: whether it reserves a GPU.
        function: a function of this package.
        arguments: of the function.
        named: further arguments.
    """
    make_remote: Any = ray.remote  # Ray's type hints lack options of this kind
    task = make_remote(num_cpus=num_cpus, num_gpus=int(has_gpu), max_calls=1)(function)
    answer: T = ray.get(task.remote(*arguments, **named))
    return answer


def on_every_node(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> dict[str, T]:
    """Call a function on each node that lives.

    Args:
        function: a function of this package.
        arguments: the same for each node.
        named: further ones.

    Returns:
        The answers by node address, without nodes that were lost during the call.

    Raises:
        ClusterError: a live node does not answer.
    """
    calls = {}
    for node in alive_nodes():
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        make_remote: Any = ray.remote  # Ray's type hints lack options of this kind
        task = make_remote(num_cpus=0, scheduling_strategy=there)(function)
        calls[_address(node)] = task.remote(*arguments, **named)
    answers = {}
    for address, call in calls.items():
        try:
            answers[address] = ray.get(call, timeout=PROBE_TIMEOUT_S)
        except ray.exceptions.RayError as error:
            # A spot machine may be lost at any time; a live one that does not answer is an error.
            if address in {_address(node) for node in alive_nodes()}:
                found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
                hint = "check that node, its mounts and its log"
                raise ClusterError(f"node {address}", "an answer", found, hint) from error
    return answers


def gpus_by_node() -> dict[str, float]:
    """Count the GPUs that Ray offers, by node address."""
    return {_address(node): node["Resources"].get("GPU", 0.0) for node in alive_nodes()}


def alive_nodes() -> list[dict[str, Any]]:  # Any: Ray's own mappings have no type information
    """List the nodes that live, as Ray describes them."""
    list_nodes: Any = ray.nodes  # no type information
    return [node for node in list_nodes() if node["Alive"]]


def _address(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
