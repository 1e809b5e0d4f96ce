"""The loss of Ray's own processes during a session: one line and an exit, instead of a long wait.

Without its GCS or its raylet Ray asks on for a minute, then ends this process without a word.
"""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from agnews_ray.errors import ResourceError
from agnews_ray.run.cleanup import kill_processes, processes_of

PROGRAMS = ("gcs_server", "raylet")
"""The programs without which a session cannot go on."""

LOOK_S = 0.2


class RayWatch:
    """Looks at a session's Ray from a thread.

    Args:
        folder: the session's folder.
        end: called once with the error, if one of the processes has ended.
    """

    def __init__(self, folder: Path, end: Callable[[ResourceError], None] | None = None) -> None:
        self._folder = folder
        self._end = end or self._exit
        self._is_over = threading.Event()

    def start(self) -> None:
        """Look for the processes, which have started, and watch them until ``stop``."""
        watched = {}
        for process in processes_of(self._folder):
            name = _program(process)
            if name in PROGRAMS:
                watched[process] = name
        if watched:
            args = (watched,)
            threading.Thread(target=self._watch, args=args, name="ray-watch", daemon=True).start()

    def stop(self) -> None:
        """Watch no more: from now on the processes may end."""
        self._is_over.set()

    def _watch(self, watched: dict[psutil.Process, str]) -> None:
        while not self._is_over.wait(LOOK_S):
            for process, name in watched.items():
                if not _runs(process) and not self._is_over.is_set():
                    self._end(_lost(name))
                    return

    def _exit(self, error: ResourceError) -> None:
        """End this process: other threads wait for Ray. Its watchdog removes what is left."""
        sys.stderr.write(f"error: {error}\n")
        sys.stderr.flush()
        kill_processes(self._folder)
        os._exit(error.exit_code)


def _lost(name: str) -> ResourceError:
    hint = "submit again: finished trials are kept, and the others go on from their checkpoints"
    return ResourceError("Ray", "a Ray that runs to the end", f"that its {name} has ended", hint)


def _program(process: psutil.Process) -> str:
    try:
        return Path(process.exe()).name
    except (psutil.Error, OSError):
        return ""


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
