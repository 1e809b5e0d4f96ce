"""The Ray cluster that a job runs on: join it, see what it has, see that nodes share storage."""

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
"""Set on the head node where an autoscaler starts workers: GPUs that there will be at most. Ray
knows, and does not say."""

REFRESH_S = 2.0
"""How long what was seen of the cluster is believed."""

PROBE_TIMEOUT_S = 120.0


@contextmanager
def joined_ray(log_path: Path) -> Iterator[None]:
    """Join the cluster that this process was started on as a job, and leave it in the end.

    Args:
        log_path: where Ray's own messages go.
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
        raise  # trials wait in threads, and one that calls Ray after its shutdown ends us at once
    except BaseException:
        ray.shutdown()
        raise
    else:
        ray.shutdown()
    finally:
        stop_logging(handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSize:
    """Resources by Ray's names (CPU, GPU), added up over nodes."""

    now: dict[str, float]
    later_gpus: int
    """With all nodes that the autoscaler may start."""
    free: dict[str, float]
    node_cpus: tuple[float, ...]
    """CPUs of each node that has any."""

    @property
    def num_gpus(self) -> int:
        """GPUs that there are or may be."""
        return max(int(self.now.get("GPU", 0)), self.later_gpus)


def see_cluster() -> ClusterSize:
    """Ask Ray what the joined cluster has.

    Returns:
        What there is now, is free, and may come.
    """
    resources: Any = ray  # its functions have no type information
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
    """A cluster's room for trials: each takes its workers, wherever they fit.

    As many trials are started as fit once the autoscaler has done its best; those that wait are
    what it sees as demand.
    """

    def __init__(self, device: Device, num_workers: int) -> None:
        self._device = device
        self._num_workers = num_workers
        self._seen_at = 0.0
        self._size: ClusterSize | None = None

    @property
    def cpus_per_worker(self) -> int:
        """What a worker reserves.

        One CPU beside a GPU; without, most of the smallest node, so that no two share it.
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
    """Make sure that every node sees the storage and may write there.

    Args:
        location: a folder, or the URI of one.

    Raises:
        StoreError: names the nodes that do not.
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
    """Runs on a node: say what is wrong with the storage there."""
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


def on_every_node(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> dict[str, T]:
    """Call a function on each node that lives.

    Args:
        function: of this package.
        arguments: the same for each node.
        named: further ones.

    Returns:
        Answers by the node's address, without those of nodes that went away meanwhile.

    Raises:
        ClusterError: a node that lives does not answer.
    """
    calls = {}
    for node in alive_nodes():
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        make_remote: Any = ray.remote  # its hints know no options of this kind
        task = make_remote(num_cpus=0, scheduling_strategy=there)(function)
        calls[_address(node)] = task.remote(*arguments, **named)
    answers = {}
    for address, call in calls.items():
        try:
            answers[address] = ray.get(call, timeout=PROBE_TIMEOUT_S)
        except ray.exceptions.RayError as error:
            # A spot machine may go at any time; one that stays and says nothing is at fault.
            if address in {_address(node) for node in alive_nodes()}:
                found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
                hint = "check that node, its mounts and its log"
                raise ClusterError(f"node {address}", "an answer", found, hint) from error
    return answers


def gpus_by_node() -> dict[str, float]:
    """Count the GPUs that Ray hands out, by the node's address."""
    return {_address(node): node["Resources"].get("GPU", 0.0) for node in alive_nodes()}


def alive_nodes() -> list[dict[str, Any]]:  # Any: Ray's own mappings have no type information
    """List the nodes that live, as Ray describes them."""
    list_nodes: Any = ray.nodes  # no type information
    return [node for node in list_nodes() if node["Alive"]]


def _address(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
