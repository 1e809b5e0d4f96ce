import os
import subprocess
import sys
import time

import psutil
import pytest

from agnews_ray.engine.machine_load import OtherPrograms


class Clocks:
    """A machine's clocks, which go on as they are told."""

    def __init__(self):
        self.now, self.busy, self.own = 10.0, 500.0, 3.0

    def others(self):
        return OtherPrograms(lambda: self.now, lambda: self.busy, lambda: self.own)

    def go_on(self, seconds, busy, own):
        self.now += seconds
        self.busy += busy
        self.own += own


@pytest.mark.parametrize(
    ("busy", "own", "expected"),
    [
        (19.0, 10.0, 0.9),  # a program beside ours on two processors
        (10.0, 10.0, 0.0),  # nobody
        (9.9, 10.0, 0.0),  # nobody: the clocks are read one after the other
        (5.0, 0.0, 0.5),  # we wait for a GPU
    ],
)
def test_what_is_not_our_own_is_the_others(busy, own, expected):
    clocks = Clocks()
    others = clocks.others()
    clocks.go_on(10.0, busy, own)
    assert others.cores() == pytest.approx(expected)
    clocks.go_on(10.0, busy, own)
    assert others.cores() == pytest.approx(expected)  # of all the time, not since the last look


def test_before_any_time_has_passed_nothing_is_known():
    assert Clocks().others().cores() is None


def test_a_machine_that_does_not_say_is_no_quiet_one(monkeypatch):
    def refuse(percpu):
        raise FileNotFoundError("/proc/stat")

    monkeypatch.setattr(psutil, "cpu_times", refuse)
    assert OtherPrograms().cores() is None


def test_waiting_for_a_disk_and_guests_are_not_counted(monkeypatch):
    others = OtherPrograms(own=lambda: 0.0)
    names = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest"]
    names.append("guest_nice")
    if not hasattr(psutil.cpu_times(), "iowait"):
        pytest.skip("counted on Linux only")
    times = psutil.cpu_times()._replace(**dict.fromkeys(names, 0.0))
    one = times._replace(user=2.0, guest=1.0, steal=1.0, iowait=50.0, idle=100.0)
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: [one] * (os.cpu_count() or 1))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert others._their_seconds() == 3.0  # of the one processor that is ours to use


def test_a_busy_program_is_seen():
    busy = "print(flush=True)\nwhile True: pass"
    command = [sys.executable, "-c", busy]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            others = OtherPrograms()
            time.sleep(1.0)  # what is measured
            found = others.cores()
        finally:
            process.kill()
    if found is None:
        pytest.skip("this machine does not say")
    assert found > 0.2  # its share of a processor, were four others busy on it
