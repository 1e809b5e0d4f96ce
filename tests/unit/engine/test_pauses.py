import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from agnews_ray.engine.pauses import TICK_S, PauseWatch


class Clocks:
    """Two clocks that go on as they are told."""

    def __init__(self):
        self.now = self.computed = 0.0

    def go_on(self, seconds, computed):
        self.now += seconds
        self.computed += computed

    def watch(self):
        return PauseWatch(clock=lambda: self.now, computed=lambda: self.computed)


@pytest.mark.parametrize(
    ("seconds", "computed", "expected"),
    [
        (100.0, 0.4, 100.0 - TICK_S),  # a laptop slept
        (100.0, 99.0, 0.0),  # one thread computed and let no other run
        (2.0, 0.0, 0.0),  # a busy machine
        (0.25, 0.0, 0.0),  # a GPU computed, and the thread looked on
    ],
)
def test_a_pause_is_time_in_which_nothing_of_the_process_ran(seconds, computed, expected):
    clocks = Clocks()
    watch = clocks.watch()
    clocks.go_on(0.25, 0.25)
    assert watch.seconds() == 0.0
    clocks.go_on(seconds, computed)
    assert watch.seconds() == pytest.approx(expected)
    clocks.go_on(0.25, 0.25)
    assert watch.seconds() == pytest.approx(expected)


def test_pauses_add_up():
    clocks = Clocks()
    watch = clocks.watch()
    for _ in range(3):
        clocks.go_on(10.0, 0.1)
        total = watch.seconds()
    assert total == pytest.approx(3 * (10.0 - TICK_S))


STOPPED = textwrap.dedent(
    """
    import sys, time
    from agnews_ray.engine.pauses import PauseWatch

    with PauseWatch(tick_s=0.01, threshold_s=0.2) as watch:
        start = time.perf_counter()
        print("ready", flush=True)
        sys.stdin.readline()
        print(time.perf_counter() - start, watch.seconds(), flush=True)
    """
)


def test_a_process_that_was_stopped_knows():
    command = [sys.executable, "-c", STOPPED]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        time.sleep(0.5)  # what is measured
        os.kill(process.pid, signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        waited, paused = map(float, process.stdout.readline().split())
    assert 0.4 <= paused <= waited
