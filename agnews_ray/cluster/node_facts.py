"""Facts that decide whether a study can run on a machine; collected on every node."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NotRequired, TypedDict

import psutil

from agnews_ray.errors import HubError
from agnews_ray.model.hub import go_offline_if_unreachable
from agnews_ray.record.environment import describe_environment, gpu_memory_bytes, nvidia_driver
from agnews_ray.record.storage import is_uri
from agnews_ray.run.device import usable_gpus


class TorchFacts(TypedDict):
    """What torch sees of the GPUs."""

    num_gpus: int
    cuda: str | None
    trouble: str
    hint: str


class NodeFacts(TypedDict):
    """What is known of one machine; JSON-ready. None: it could not be found out."""

    python: str
    versions: dict[str, str]
    num_cpus: int
    memory_free: int
    disk_free: int
    num_gpus: int
    gpu: str | None
    driver: str | None
    torch: TorchFacts | None
    gpu_memory: int
    hub: str
    has_token: bool
    ray_gpus: NotRequired[float]
    """GPUs that Ray hands out there."""


class ClusterFacts(TypedDict):
    """What is known of a cluster; JSON-ready."""

    storage: str
    storage_error: str | None
    num_gpus: float
    later_gpus: int
    num_cpus: float
    nodes: dict[str, NodeFacts]


def node_facts(location: str, hub_ids: list[str]) -> NodeFacts:
    """Look around on this machine.

    Args:
        location: the storage; its disk is checked only if it is a folder.
        hub_ids: the models to load from the hub.

    Returns:
        The facts.
    """
    environment = describe_environment()
    return {
        "python": environment.python,
        "versions": environment.versions,
        "num_cpus": environment.num_cpus,
        "memory_free": psutil.virtual_memory().available,
        "disk_free": _disk_free(location),
        "num_gpus": environment.num_gpus,
        "gpu": environment.gpu,
        "driver": nvidia_driver(),
        "torch": _torch_facts() if environment.num_gpus else None,
        "gpu_memory": gpu_memory_bytes(),
        "hub": _hub(hub_ids),
        "has_token": os.environ.get("RAY_AUTH_MODE") == "token",
    }


def _disk_free(location: str) -> int:
    folder = Path(tempfile.gettempdir() if is_uri(location) else location).expanduser().absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _torch_facts() -> TorchFacts:
    """Importing torch takes seconds, so it is asked only where there is a GPU."""
    found = usable_gpus()
    trouble, hint = found.trouble, found.hint
    return {"num_gpus": found.count, "cuda": found.cuda, "trouble": trouble, "hint": hint}


def _hub(hub_ids: list[str]) -> str:
    """Say where models come from: not needed, hub, cache, or which ones are missing."""
    if not hub_ids:
        return "not needed"
    was_offline = os.environ.get("HF_HUB_OFFLINE")
    try:
        if go_offline_if_unreachable():
            return "reachable"
    except HubError as error:
        return f"missing: {error}"
    if was_offline is None:
        os.environ.pop("HF_HUB_OFFLINE", None)
    platform_cache = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    cache = Path(os.environ.get("HF_HUB_CACHE", platform_cache / "hub"))
    missing = [one for one in hub_ids if not (cache / f"models--{one.replace('/', '--')}").is_dir()]
    return f"missing {', '.join(missing)}" if missing else "cache"
