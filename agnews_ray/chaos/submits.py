"""One `agnews-ray submit` as a child process, with everything that it starts."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from agnews_ray.fail_points import LOG_VARIABLE, VARIABLE
from agnews_ray.run.cleanup import PREFIX, SHARED_FOLDER, processes_of, short_tmp

OUTPUT = "output.log"
"""The file with what all submits of a life printed."""

POLL_S = 0.1


class Submit:
    """A running submit.

    Args:
        words: the command's words after `agnews-ray`.
        place: the folder of the life; the processes are found by it.
        entries: what happens at fail points, constant during a life.
        extra: further environment variables.
    """

    def __init__(
        self, words: Sequence[str], place: Path, entries: str, extra: Mapping[str, str]
    ) -> None:
        self.place = place
        self.is_ended_by_us = False
        """Whether a fault from outside has ended the driver."""
        self._output = place / OUTPUT
        self._from = self._output.stat().st_size if self._output.exists() else 0
        self._started = time.monotonic()
        (place / "tmp").mkdir(exist_ok=True)
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603  # this very program
                [sys.executable, "-m", "agnews_ray", *words],
                env=_environment(place, entries) | dict(extra),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def seconds(self) -> float:
        """The seconds since its start."""
        return time.monotonic() - self._started

    def printed(self) -> str:
        """Return what this submit has printed so far."""
        with self._output.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")

    def processes(self) -> set[psutil.Process]:
        """Find all processes that it has started, whoever their parents are by now."""
        found = processes_of(self.place)
        for folder in self.folders():
            found |= processes_of(folder)
        with contextlib.suppress(psutil.Error):
            found.add(psutil.Process(self.process.pid))
        return {one for one in found if _runs(one)}

    def folders(self) -> Iterator[Path]:
        """Find the temporary folders and shared memory of its process."""
        for parent in (short_tmp(), SHARED_FOLDER):
            yield from Path(parent).glob(f"{PREFIX}-{self.process.pid}-*")

    def named(self, name: str) -> psutil.Process | None:
        """Find the process of its Ray whose program has a name, such as gcs_server."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if Path(process.exe()).name == name:
                    return process
        return None

    def wait_for_all(self, patience_s: float) -> list[str]:
        """Wait until nothing of an ended submit is left.

        Args:
            patience_s: the longest wait.

        Returns:
            What is left: processes and folders.
        """
        end = time.monotonic() + patience_s
        while (left := self._left()) and time.monotonic() < end:
            time.sleep(POLL_S)
        return left

    def _left(self) -> list[str]:
        running = [] if self.process.poll() is None else self.processes()
        return [f"process {_title(one)}" for one in running] + [str(one) for one in self.folders()]

    def kill_all(self) -> None:
        """Kill everything of it, and nothing else."""
        for _ in range(3):  # one of them may have started another one
            for process in self.processes():
                with contextlib.suppress(psutil.Error):
                    process.kill()
        self.process.wait()

    def kill_group(self) -> None:
        """Kill the process group, as what runs it does when the time of grace is over."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _environment(place: Path, entries: str) -> dict[str, str]:
    """Return this process's environment without another cluster, with the faults of a life."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    own = {VARIABLE: entries, LOG_VARIABLE: str(place / "fired.log"), "COLUMNS": "200"}
    return kept | own | {"TMPDIR": str(place / "tmp")}


def _title(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return f"{process.pid} {' '.join(process.cmdline())[:80]}"
    return str(process.pid)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
