"""A cluster of two nodes on this machine, of which one is lost now and then; without Ray here."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agnews_ray.chaos.faults import Fault
from agnews_ray.chaos.submits import Submit
from agnews_ray.errors import ClusterError
from agnews_ray.run.cleanup import kill_processes, name_prefix, short_tmp

PROGRAM = "agnews_ray.chaos.losing_nodes"
"""The module that is the cluster, in a process of its own."""

WAIT_S = 60.0


class NodePair:
    """A cluster of a head without CPUs and two nodes, in a process of its own."""

    def __init__(
        self, process: "subprocess.Popen[str]", address: str, environment: dict[str, str]
    ) -> None:
        self._process = process
        self.address = address
        """The address for jobs."""
        self.environment = environment
        """What a submit needs to reach it."""

    def lose_node(self, submit: Submit, fault: Fault) -> bool:  # noqa: ARG002
        """Kill a node while a trial trains there; another node joins."""
        if "start " not in submit.printed() or self._process.stdin is None:
            return False
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._process.stdout is not None and self._process.stdout.readline() != ""


@contextmanager
def node_pair(place: Path) -> Iterator[NodePair]:
    """Start such a cluster, and end it with everything that it started.

    Args:
        place: an existing folder, for its log.

    Yields:
        The cluster.

    Raises:
        ClusterError: it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix=name_prefix(), dir=short_tmp()))
    (port,) = free_ports(1)
    environment = _environment(folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with (place / "nodes.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # this very program
            [sys.executable, "-m", PROGRAM, str(port)],
            env=kept | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        if process.stdout is None or process.stdout.readline() != "up\n":
            found, hint = "one that did not start", f"see {place / 'nodes.log'}"
            raise ClusterError("two nodes", "a cluster on this machine", found, hint)
        yield NodePair(process, f"http://127.0.0.1:{port}", environment)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(WAIT_S)
        kill_processes(folder)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    """Return what makes the cluster private, and has its jobs run by this very Python."""
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32), encoding="ascii")
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_TMPDIR": str(folder / "r"),
        "RAY_USAGE_STATS_ENABLED": "0",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }


def free_ports(count: int) -> list[int]:
    """Find ports that nothing uses.

    Args:
        count: how many.
    """
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
