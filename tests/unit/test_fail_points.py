"""Points fail when it is asked for, once, and say that they did."""

import pickle
import subprocess
import sys
import time

import pytest

from agnews_ray import fail_points


@pytest.fixture(autouse=True)
def _off():
    yield
    fail_points.set_up("")
    time.time = fail_points._real_time


def test_a_point_fails_when_it_is_reached_for_the_nth_time():
    fail_points.set_up("write=full@2; worker.step=error")
    fail_points.reach("write")
    with pytest.raises(OSError, match="No space"):
        fail_points.reach("write")
    fail_points.reach("write")
    with pytest.raises(RuntimeError, match="asked for"):
        fail_points.reach("worker.step")


def test_with_a_log_an_entry_happens_once_in_all_processes(tmp_path, monkeypatch):
    monkeypatch.setenv(fail_points.LOG_VARIABLE, str(tmp_path / "log"))
    for _ in range(2):  # two processes, as far as the entries know
        fail_points.set_up("write=sleep(0)")
        fail_points.reach("write")
    assert [line.split()[:2] for line in (tmp_path / "log").read_text().splitlines()] == [
        ["write", "sleep"]
    ]


def test_the_clock_moves():
    before = time.time()
    fail_points.set_up("write=clock(-3600)")
    fail_points.reach("write")
    assert -3610 < time.time() - before < -3590


def test_functions_of_c_are_pickled_while_the_clock_is_moved():
    functions = [fail_points._real_time, len, "a".upper]
    fail_points.set_up("write=clock(60)")
    fail_points.reach("write")
    back = pickle.loads(pickle.dumps([*functions, time.time]))
    assert back[0] is back[3] is time.time
    assert (back[1], back[2]()) == (len, "A")


def test_a_killed_process_has_said_so(tmp_path):
    code = "from agnews_ray import fail_points; fail_points.reach('driver.start'); print('alive')"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"AGNEWS_RAY_FAIL": "driver.start=kill", "AGNEWS_RAY_FAIL_LOG": str(tmp_path / "log")},
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout) == (-9, "")
    assert (tmp_path / "log").read_text().startswith("driver.start kill ")


@pytest.mark.parametrize("text", ["write", "write=burn", "nowhere=kill", "write=kill@x"])
def test_what_is_unknown_is_refused(text):
    with pytest.raises(ValueError, match="want POINT=ACTION"):
        fail_points.set_up(text)
