"""Clean-up of a session's processes, folders and shared memory.

Run as a program, this file is a session's watchdog: it ends the processes of a driver that was
killed. It imports nothing of this package, so that it is small and starts wherever the driver did.
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
"""The start of all names outside a runs folder; the creating process's id follows."""

SHARED_FOLDER = Path("/dev/shm")  # noqa: S108  # memory, not a folder for others' files

LONGEST_TMP = 13
"""The longest path, in characters, of a folder for Ray's sockets: their paths may have 107, of
which our folder's name, the session's and the socket's take 94 with process ids of 7 digits."""

LONGEST_PID = 9
"""The most digits of a process id; a longer number is no process's."""

POLL_S = 0.05

PATIENCE_S = 2.0
"""The time that a process has to exit by itself, and then to exit after a request."""

WATCHDOG_PATIENCE_S = 5.0
"""The time that a watchdog with nothing to do has to exit."""


def name_prefix() -> str:
    """Return the start of the name of a file or folder that must not outlive this process."""
    return f"{PREFIX}-{os.getpid()}-"


def short_tmp() -> str:
    """Return the folder for temporary files; it is short, because Ray's sockets are below it."""
    standard = tempfile.gettempdir()
    return standard if len(standard) <= LONGEST_TMP else "/tmp"  # noqa: S108


def remove_stale() -> None:
    """Remove the folders and shared-memory files of this user's dead processes."""
    for path in private_paths(of_living=False):
        remove_private(path)


def private_paths(*, of_living: bool) -> list[Path]:
    """Find this user's folders and shared-memory files, by the process that made them.

    Args:
        of_living: whether those of running processes are wanted, or those of dead ones.
    """
    found = []
    for parent in (Path(short_tmp()), SHARED_FOLDER):
        for path in parent.glob(f"{PREFIX}-*-*"):
            pid = path.name.split("-")[2]
            is_pid = pid.isdecimal() and pid.isascii() and len(pid) <= LONGEST_PID
            if is_pid and _is_ours(path) and psutil.pid_exists(int(pid)) == of_living:
                found.append(path)
    return found


def remove_private(path: Path) -> None:
    """Remove a folder or file of a dead process, and end what still runs in it."""
    if path.is_dir() and not path.is_symlink():
        end_processes(path, patience_s=0)
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def processes_of(folder: Path) -> set[psutil.Process]:
    """Find this user's processes that belong to a session, even if their parents have changed.

    Each of them writes to a file in the session's folder, at least its log, or has the folder in
    its environment, or both: Ray's process titles overwrite some environments.

    Args:
        folder: the session's folder.

    Returns:
        The running ones, without this process.
    """
    found = set()
    for process in psutil.process_iter():
        try:
            is_candidate = process.pid != os.getpid() and process.uids().real == os.getuid()
            if is_candidate and _belongs(process, str(folder)):
                found.add(process)
        except (psutil.Error, OSError):  # it has just ended, or we may not read it
            continue
    return found


def end_processes(
    folder: Path, known: Iterable[psutil.Process] = (), patience_s: float = PATIENCE_S
) -> None:
    """Wait for a session's processes, ask the remaining ones to exit, and kill the rest.

    Args:
        folder: the session's folder.
        known: processes seen earlier; those found now are added.
        patience_s: the seconds of the first wait; 0: no wait.
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
    """Kill a session's processes at once."""
    for _ in range(3):  # one of them may have started another one
        found = processes_of(folder)
        for process in found:
            _send(process, psutil.Process.kill)
        _wait(found, PATIENCE_S)
        if not found:
            return


def start_watchdog(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process that ends the session after this process has ended in any way.

    A terminal's Ctrl-C does not reach it.

    Args:
        folder: the session's folder.

    Returns:
        The process, for ``stop_watchdog``.
    """
    # -P: no module in the caller's folder may replace a library.
    return subprocess.Popen(  # noqa: S603  # this very file
        [sys.executable, "-P", __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def stop_watchdog(watchdog: "subprocess.Popen[bytes]") -> None:
    """End a watchdog that is no longer needed."""
    if watchdog.stdin is not None:
        watchdog.stdin.close()
    try:
        watchdog.wait(WATCHDOG_PATIENCE_S)
    except subprocess.TimeoutExpired:
        watchdog.kill()
        watchdog.wait()


def _watch(folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # these signals are meant for the driver
    sys.stdin.buffer.read()  # returns when the driver ends
    if folder.exists():
        end_processes(folder, patience_s=0)
    remove_stale()
    shutil.rmtree(folder, ignore_errors=True)


def _belongs(process: psutil.Process, folder: str) -> bool:
    # "r": a process that only reads one of our logs is not ours.
    files = (file for file in process.open_files() if getattr(file, "mode", "w") != "r")
    return any(_is_below(file.path, folder) for file in files) or any(
        _is_below(value, folder) for value in process.environ().values()
    )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_ours(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.getuid()
    except OSError:
        return False


def _send(process: psutil.Process, end: Callable[[psutil.Process], None]) -> None:
    with contextlib.suppress(psutil.Error):  # ended, even if another process now has its number
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
