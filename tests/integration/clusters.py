"""Ray clusters on this machine, for tests: `ray start`, and several nodes by Ray's own utility."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

RAY = Path(sys.executable).with_name("ray")


class Nodes:
    """A head started by `ray start`, under a token of its own, with nodes added beside it."""

    def __init__(self, place, num_cpus):
        self.place = place
        self.folder = place.folder
        self._token = self.folder / "token"
        self._token.touch(mode=0o600)
        self._token.write_text(secrets.token_hex(32))
        self.gcs, dashboard, client, agent = free_ports(4)
        self.address = f"http://127.0.0.1:{dashboard}"
        place.extra = {
            "RAY_ADDRESS": self.address,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self._token),
            "PATH": f"{RAY.parent}:{os.environ['PATH']}",
        }
        self._marks = []
        self._start(
            "--head",
            f"--port={self.gcs}",
            "--dashboard-host=127.0.0.1",
            f"--dashboard-port={dashboard}",
            f"--ray-client-server-port={client}",
            f"--dashboard-agent-listen-port={agent}",
            f"--num-cpus={num_cpus}",
            f"--temp-dir={short_folder(self.folder)}",
        )

    def _start(self, *flags):
        command = [RAY, "start", "--disable-usage-stats", "--node-ip-address=127.0.0.1", *flags]
        known = set(psutil.pids())
        subprocess.run(
            command, env=self.place.environment(), check=True, capture_output=True, timeout=120
        )
        new = [p for p in psutil.process_iter(["cmdline"]) if p.pid not in known]
        mine = str(short_folder(self.folder))
        self._marks.append([p for p in new if mine in " ".join(p.info["cmdline"] or [])])

    def token(self):
        return self._token.read_text()

    def end(self):
        for processes in self._marks:
            for process in processes:
                for one in [*children(process), process]:
                    kill(one)


class Proxy:
    """Stands between a client and a dashboard; `cut` breaks all connections."""

    def __init__(self, address):
        self._target = ("127.0.0.1", int(address.rpartition(":")[2]))
        self._door = socket.create_server(("127.0.0.1", 0))
        self._open = []
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        self._shut([source, target])

    def cut(self):
        self._shut(self._open)

    def _shut(self, sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def end(self):
        self._shut([self._door])
        self._door.close()
        self.cut()


def wait_for(place, is_so, job_id, seconds=600):
    """Ask for a job's state until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = json.loads(place.run("status", job_id, "--json").out)
        if is_so(state):
            return state
        time.sleep(0.5)
    raise AssertionError(f"still {state}")


def short_folder(folder):
    """Ray's sockets want a short path."""
    return Path("/tmp") / f"agr-{folder.name[-24:]}-{os.getpid()}"


def children(process):
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def kill(process):
    with contextlib.suppress(psutil.Error):
        process.kill()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
