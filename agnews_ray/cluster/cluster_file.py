"""Problems of a cluster file, found offline: first Ray's own checks, then ours."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from agnews_ray.cluster.checks import Check, failed, passed, warned
from agnews_ray.cluster.membership import GPUS_VARIABLE
from agnews_ray.compat.of_ray import check_as_ray_up
from agnews_ray.errors import ClusterError, SpecError
from agnews_ray.spec.yaml_text import read_yaml

PLACEHOLDER = re.compile(r"YOUR-[A-Z]+")
PROVIDER_KEYS = {
    "aws": {
        "type", "region", "availability_zone", "cache_stopped_nodes", "security_group",
        "use_internal_ips", "key_pair", "cloudwatch", "aws_credentials",
    },
    "gcp": {
        "type", "region", "availability_zone", "project_id", "cache_stopped_nodes",
        "use_internal_ips", "gcp_credentials",
    },
    "local": {"type", "head_ip", "worker_ips", "coordinator_address", "use_internal_ips"},
}  # fmt: skip
"""The known keys of each provider, as Ray's schema accepts any key."""


def check_cluster_file(path: Path) -> list[Check]:
    """Check a file for ``ray up``, without asking any cloud.

    Args:
        path: the YAML file.

    Returns:
        The findings, including those that will make a run fail.

    Raises:
        ClusterError: the file cannot be read, or is not YAML.
    """
    hint = "see cluster.yaml of this project for an example"
    try:
        content = read_yaml(path, is_ours=False)  # Ray reads YAML 1.1
    except SpecError as error:
        raise ClusterError(str(path), "a readable cluster file", error.problems[0], hint) from error
    if not isinstance(content, dict):
        raise ClusterError(str(path), "a mapping", type(content).__name__, hint)
    schema = _by_ray(content)
    if schema.level == "error":
        return [schema]
    parts = (
        _placeholders,
        _provider,
        _doors,
        _node_types,
        _told,
        _accounts,
        _images,
        _token,
    )
    checks = [check for part in parts for check in part(content)]
    return [schema, *checks, *_packages(content, path.parent), *_mounts(content, path.parent)]


def _by_ray(content: dict[str, Any]) -> Check:
    """Check with Ray's schema and with the first checks of ``ray up`` itself."""
    from jsonschema import ValidationError

    logging.getLogger("ray.autoscaler").setLevel(logging.ERROR)
    copy = yaml.safe_load(yaml.safe_dump(content))
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            check_as_ray_up(copy)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.absolute_path) or "top level"
        return failed("ray's schema", f"{place}: {error.message[:200]}", "fix that key")
    except Exception as error:  # noqa: BLE001  # it raises whatever its author thought of
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return failed("ray's schema", found, "fix what it names")
    return passed("ray's schema", "valid")


def _placeholders(content: dict[str, Any]) -> Iterator[Check]:
    found = sorted(set(PLACEHOLDER.findall(yaml.safe_dump(content))))
    if found:
        yield failed("placeholders", ", ".join(found), "put your own names in their place")


def _provider(content: dict[str, Any]) -> Iterator[Check]:
    provider = content["provider"]
    kind = provider.get("type", "")
    unknown = sorted(set(provider) - PROVIDER_KEYS.get(kind, set(provider)))
    if unknown:
        known = ", ".join(sorted(PROVIDER_KEYS[kind]))
        yield failed("provider", f"unknown: {', '.join(unknown)}", f"known to {kind}: {known}")
    elif kind not in PROVIDER_KEYS:
        yield warned("provider", f"type {kind!r}", "only aws, gcp and local are checked")
    else:
        yield passed("provider", kind)


def _doors(content: dict[str, Any]) -> Iterator[Check]:
    """Check who may connect to the machines."""
    if content["provider"].get("type") == "aws":
        types = content.get("available_node_types", {})
        without = [
            name
            for name, t in types.items()
            if not t.get("node_config", {}).get("SecurityGroupIds")
        ]
        if without:
            found = f"Ray makes a group for {', '.join(without)} that is open to everyone"
            hint = "name your own group: node_config.SecurityGroupIds: [sg-...]"
            yield failed("ssh", found, hint)
        else:
            yield passed("ssh", "by your own security groups")
    commands = _commands(content, "head_start_ray_commands")
    host = re.search(r"--dashboard-host[= ](\S+)", commands)
    if host and host[1].strip("'\"") not in ("127.0.0.1", "localhost"):
        hint = "--dashboard-host=127.0.0.1, and `ray dashboard` from outside"
        yield failed("dashboard", f"listens on {host[1]}", hint)
    else:
        yield passed("dashboard", "on loopback only")


def _node_types(content: dict[str, Any]) -> Iterator[Check]:
    types = content.get("available_node_types", {})
    head = content.get("head_node_type", "")
    if types.get(head, {}).get("resources", {}).get("GPU"):
        yield warned("head", "has a GPU, which costs money all day", "use a type without one")
    for name, kind in types.items():
        if name == head:
            continue
        resources = kind.get("resources", {})
        if not resources.get("GPU"):
            hint = f"available_node_types.{name}.resources: {{CPU: 4, GPU: 1}}"
            yield warned(name, "no GPU named, so Ray requests none while none is running", hint)
        elif kind.get("min_workers", 0):
            hint = "min_workers: 0 costs nothing while nothing runs"
            yield warned(name, f"at least {kind['min_workers']} always run", hint)
        else:
            yield passed(name, f"0 to {kind.get('max_workers', content.get('max_workers'))}")
    minutes = content.get("idle_timeout_minutes", 5)
    if types and minutes > 60:
        yield warned("idle time", f"{minutes} minutes", "idle GPUs cost money; 10 is enough")


def _told(content: dict[str, Any]) -> Iterator[Check]:
    """Check the settings that the head needs because Ray does not provide them."""
    commands = _commands(content, "head_start_ray_commands")
    gpus = sum(
        int(kind.get("resources", {}).get("GPU", 0)) * kind.get("max_workers", 0)
        for name, kind in content.get("available_node_types", {}).items()
        if name != content.get("head_node_type")
    )
    said = re.search(rf"{GPUS_VARIABLE}=(\d+)", commands)
    if gpus and (said is None or int(said[1]) > gpus):
        hint = f"{GPUS_VARIABLE}={gpus} before `ray start` in head_start_ray_commands"
        found = f"{GPUS_VARIABLE} {said[1] if said else 'not set'}, GPUs possible: {gpus}"
        yield failed("GPUs that may be started", found, hint)
    elif gpus:
        yield passed("GPUs that may be started", str(said[1] if said else 0))
    storage = re.search(r"AGNEWS_RAY_STORAGE=(\S+?);?(?:\s|$)", commands)
    if storage:
        yield passed("storage", storage[1])
    elif content["provider"].get("type") != "local":
        hint = "AGNEWS_RAY_STORAGE=s3://BUCKET/FOLDER there, or --storage with each submit"
        yield warned("storage", "none named on the head", hint)


def _accounts(content: dict[str, Any]) -> Iterator[Check]:
    """Check that workers may use the bucket; on Google Cloud, Ray lets only the head."""
    key = {"gcp": "serviceAccounts", "aws": "IamInstanceProfile"}.get(content["provider"]["type"])
    without = [
        name
        for name, kind in content.get("available_node_types", {}).items()
        if name != content.get("head_node_type") and key not in kind.get("node_config", {})
    ]
    if key and without:
        hint = f"name one under node_config.{key}"
        yield warned("account", f"{', '.join(without)} may not write to a bucket", hint)
    elif key:
        yield passed("account", f"workers have {key}")


def _images(content: dict[str, Any]) -> Iterator[Check]:
    docker = content.get("docker") or {}
    images = {docker[key] for key in ("image", "head_image", "worker_image") if docker.get(key)}
    installed = version("ray")
    for image in sorted(images):
        tag = image.rpartition(":")[2] if ":" in image else ""
        if "ray-ml" in image:
            yield failed("image", f"{image}: deprecated", f"rayproject/ray:{installed}-py311-gpu")
        elif not tag or tag.startswith(("latest", "nightly")):
            yield failed("image", f"{image}: not pinned", f"rayproject/ray:{installed}-py311-gpu")
        elif "rayproject/ray" in image and tag.split("-")[0] != installed:
            hint = f"a tag that starts with {installed}, or install that Ray here"
            yield failed("image", f"{image}, but Ray {installed} here", hint)
        else:
            yield passed("image", image)


def _packages(content: dict[str, Any], folder: Path) -> Iterator[Check]:
    """Compare the versions that the set-up commands install with those here."""
    names = ("setup_commands", "head_setup_commands", "worker_setup_commands")
    commands = " ".join(_commands(content, name) for name in names)
    lock = next((Path(source) for source in _mounted(content) if source.endswith(".lock")), None)
    pins = commands
    if lock and (folder / lock.expanduser()).is_file():
        pins += (folder / lock.expanduser()).read_text(encoding="utf-8")
    wrong = []
    for name in ("ray", "torch", "transformers"):
        pinned = re.search(rf"(?<![\w-]){name}(?:\[[\w,]+\])?==([\w.]+)", pins)
        here = version(name).partition("+")[0]
        if pinned and pinned[1] != here:
            wrong.append(f"{name} {pinned[1]} there, {here} here")
    if "nightly" in commands or "latest/ray-" in commands:
        yield failed("packages", "a nightly Ray is installed", "pin a release in setup_commands")
    elif wrong:
        yield failed(
            "packages", "; ".join(wrong), "install the versions of requirements.lock on both"
        )
    elif "transformers==" not in pins:
        yield warned("packages", "no pinned set-up", "pip install -r requirements.lock")
    else:
        yield passed("packages", "pinned to the versions here")


def _mounts(content: dict[str, Any], folder: Path) -> Iterator[Check]:
    missing = [s for s in _mounted(content) if not (folder / Path(s).expanduser()).exists()]
    if missing:
        hint = "make them first (for a token, see the README's section on clusters)"
        yield failed("file mounts", f"missing here: {', '.join(missing)}", hint)
    elif _mounted(content):
        yield passed("file mounts", "all here")


def _token(content: dict[str, Any]) -> Iterator[Check]:
    hint = "export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=... before `ray start`"
    for name in ("head_start_ray_commands", "worker_start_ray_commands"):
        commands = _commands(content, name)
        if "RAY_AUTH_MODE=token" not in commands or "RAY_AUTH_TOKEN_PATH=" not in commands:
            yield failed("token", f"{name} start Ray without one", hint)
            return
    yield passed("token", "required")


def _mounted(content: dict[str, Any]) -> list[str]:
    return [str(source) for source in (content.get("file_mounts") or {}).values()]


def _commands(content: dict[str, Any], key: str) -> str:
    return " ".join(str(command) for command in content.get(key) or [])
