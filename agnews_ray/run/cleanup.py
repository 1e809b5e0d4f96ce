"""What a session could leave behind: processes, folders, shared memory; and the end of all three.

Run as a program, this file is a session's watchdog: it ends what a driver leaves that was killed
itself. It imports nothing of this package, so that it is light and starts wherever the driver did.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

PREFIX = "agnews-ray"
"""Starts the name of all that lies outside a runs folder; its maker's process id follows."""

SHARED_FOLDER = Path("/dev/shm")  # noqa: S108  # memory, not a folder for others' files

LONGEST_TMP = 13
"""Characters of a folder below which Ray's sockets can lie: their paths may have 107, of which our
folder's name, Ray's session's and the socket's own take 94 where process ids have 7 digits."""

POLL_S = 0.05

PATIENCE_S = 2.0
"""How long a process has to end by itself, and then to end when asked."""

WATCHDOG_PATIENCE_S = 5.0
"""How long a watchdog has that finds nothing to do."""


def name_prefix() -> str:
    """Start the name of a file or folder that must not outlive this process."""
    return f"{PREFIX}-{os.getpid()}-"


def short_tmp() -> str:
    """Name the folder for temporary files: the paths of Ray's sockets below it must be short."""
    standard = tempfile.gettempdir()
    return standard if len(standard) <= LONGEST_TMP else "/tmp"  # noqa: S108


def remove_stale() -> None:
    """Remove what dead processes of this user left: folders, and files of shared memory."""
    for parent in (Path(short_tmp()), SHARED_FOLDER):
        for path in parent.glob(f"{PREFIX}-*-*"):
            pid = path.name.split("-")[2]
            if pid.isdigit() and _is_ours(path) and not psutil.pid_exists(int(pid)):
                if path.is_dir():
                    end_processes(path, patience_s=0)
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def processes_of(folder: Path) -> set[psutil.Process]:
    """Find this user's processes that belong to a session, whoever their parents are by now.

    Each writes to a file of the session's folder, its log if nothing else, or has the folder in
    its environment, or both: the titles that Ray gives to its processes take some environments'
    place.

    Args:
        folder: the session's.

    Returns:
        Those that run, without this process.
    """
    found = set()
    for process in psutil.process_iter():
        try:
            is_candidate = process.pid != os.getpid() and process.uids().real == os.getuid()
            if is_candidate and _belongs(process, str(folder)):
                found.add(process)
        except (psutil.Error, OSError):  # gone meanwhile, or not for us to see
            continue
    return found


def end_processes(
    folder: Path, known: Iterable[psutil.Process] = (), patience_s: float = PATIENCE_S
) -> None:
    """Wait for a session's processes, ask those to end that have not, and end the rest.

    Args:
        folder: the session's.
        known: processes seen earlier; those found now are added.
        patience_s: of the first wait; 0 asks at once.
    """
    known = {*known, *processes_of(folder)}
    _wait(known, patience_s)
    for end in (psutil.Process.terminate, psutil.Process.kill, psutil.Process.kill):
        left = {process for process in known | processes_of(folder) if _runs(process)}
        if not left:
            return
        for process in left:
            _send(process, end)
        _wait(left, PATIENCE_S)


def kill_processes(folder: Path) -> None:
    """End a session's processes on the spot."""
    for _ in range(3):  # one of them may have been starting another
        found = processes_of(folder)
        for process in found:
            _send(process, psutil.Process.kill)
        _wait(found, PATIENCE_S)
        if not found:
            return


def start_watchdog(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process that ends the session when this one has ended, in whatever way.

    A terminal's Ctrl-C does not reach it.

    Args:
        folder: the session's.

    Returns:
        To be given to ``stop_watchdog``.
    """
    # -P: no module of the folder where one calls us may take the place of a library.
    return subprocess.Popen(  # noqa: S603  # this very file
        [sys.executable, "-P", __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def stop_watchdog(watchdog: "subprocess.Popen[bytes]") -> None:
    """End a watchdog that has nothing left to do."""
    if watchdog.stdin is not None:
        watchdog.stdin.close()
    try:
        watchdog.wait(WATCHDOG_PATIENCE_S)
    except subprocess.TimeoutExpired:
        watchdog.kill()
        watchdog.wait()


def _watch(folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the driver
    sys.stdin.buffer.read()  # ends when the driver does
    if folder.exists():
        end_processes(folder, patience_s=0)
    remove_stale()
    shutil.rmtree(folder, ignore_errors=True)


def _belongs(process: psutil.Process, folder: str) -> bool:
    # "r": somebody who reads a log of ours is not ours.
    files = (file for file in process.open_files() if getattr(file, "mode", "w") != "r")
    return any(_is_below(file.path, folder) for file in files) or any(
        _is_below(value, folder) for value in process.environ().values()
    )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_ours(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False


def _send(process: psutil.Process, end: Callable[[psutil.Process], None]) -> None:
    with contextlib.suppress(psutil.Error):  # gone, even if its number is another's by now
        end(process)


def _wait(processes: Iterable[psutil.Process], patience_s: float) -> None:
    given_up_at = time.monotonic() + patience_s
    while any(map(_runs, processes)) and time.monotonic() < given_up_at:
        time.sleep(POLL_S)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
