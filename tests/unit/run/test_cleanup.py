import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agnews_ray.run import cleanup

DEAD = 4_194_999
"""A process id that no process has."""


@pytest.fixture
def session(tmp_path, monkeypatch):
    """An empty folder as the place of a session."""
    monkeypatch.setattr(cleanup, "PATIENCE_S", 0.2)
    folder = tmp_path / "agnews-ray-1-x"
    folder.mkdir()
    return folder


@pytest.fixture
def start():
    """Start a process that sleeps, and says so first."""
    started = []

    def start(code="", **options):
        sleeping = f"{code}\nprint('ready', file=__import__('sys').stderr, flush=True)\ninput()"
        process = subprocess.Popen(
            [sys.executable, "-c", sleeping],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        assert process.stderr.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stderr):
            stream.close()


def of_session(session):
    return {process.pid for process in cleanup.processes_of(session)}


def test_a_process_is_known_by_its_log_or_its_environment_and_no_reader_by_either(session, start):
    log = session / "log"
    by_log = start(stdout=log.open("w"))
    by_environment = start(env={**os.environ, "TMPDIR": str(session / "tmp")})
    start(f"file = open({str(log)!r})")
    start(env={**os.environ, "TMPDIR": f"{session}-of-another"})
    assert of_session(session) == {by_log.pid, by_environment.pid}


def test_who_does_not_end_when_asked_is_ended(session, start):
    ignoring = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    stubborn = start(ignoring, stdout=(session / "log").open("w"))
    cleanup.end_processes(session, patience_s=0)
    assert stubborn.wait() == -9


def test_who_ends_by_itself_is_not_asked(session, start):
    process = start(stdout=(session / "log").open("w"))
    process.stdin.close()
    cleanup.end_processes(session, cleanup.processes_of(session), patience_s=30)
    assert process.wait() == 1  # of EOFError; a signal would be negative


def test_a_watchdog_ends_what_a_killed_driver_leaves(session):
    code = f"""
import subprocess, sys
from pathlib import Path
from agnews_ray.run import cleanup
folder = Path({str(session)!r})
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                         stdout=(folder / "log").open("w"), start_new_session=True)
watchdog = cleanup.start_watchdog(folder)
print(child.pid, watchdog.pid, flush=True)
input()
"""
    driver = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    child, watchdog = (psutil.Process(int(pid)) for pid in driver.stdout.readline().split())
    driver.kill()
    driver.communicate()
    assert psutil.wait_procs([child, watchdog], timeout=30)[1] == []
    assert not session.exists()


def test_a_watchdog_goes_when_it_is_not_needed(session):
    watchdog = cleanup.start_watchdog(session)
    shutil.rmtree(session)
    cleanup.stop_watchdog(watchdog)
    assert watchdog.returncode == 0


def test_what_dead_processes_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(cleanup, "short_tmp", lambda: str(tmp_path))
    monkeypatch.setattr(cleanup, "SHARED_FOLDER", tmp_path / "shm")
    stale = [f"agnews-ray-{DEAD}-x", f"shm/agnews-ray-{DEAD}-x"]
    kept = [f"agnews-ray-{os.getpid()}-x", f"other-{DEAD}-x", f"shm/agnews-ray-{os.getpid()}-x"]
    for name in (*stale, *kept):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch() if "shm" in name else path.mkdir()
    cleanup.remove_stale()
    assert not any((tmp_path / name).exists() for name in stale)
    assert all((tmp_path / name).exists() for name in kept)


def test_rays_sockets_fit_below_the_folder(monkeypatch):
    monkeypatch.setattr(cleanup.tempfile, "gettempdir", lambda: "/" + "t" * 40)
    session = Path(cleanup.short_tmp()) / "agnews-ray-4194304-12345678" / "r"
    sockets = session / "session_2026-11-26_21-02-37_909813_4194304" / "sockets"
    assert len(str(sockets / "plasma_store")) <= 107
    assert len(str(sockets)) - len("/tmp") + cleanup.LONGEST_TMP + len("/plasma_store") <= 107
