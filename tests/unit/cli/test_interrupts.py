"""Ctrl-C and SIGTERM: one line, the shell's exit code, and an end although threads go on."""

import signal
import subprocess
import sys
import threading

import pytest

from agnews_ray.cli.interrupts import Terminated, exit_code

INTERRUPTED = """
import os, signal, sys
from agnews_ray.cli import interrupts, main
from agnews_ray.cli.streams import make_lenient
from agnews_ray.app import analyse

def compare_study(*_):
    try:
        os.kill(os.getpid(), signal.{name})
        signal.pause()
    finally:
        {ending}

analyse.compare_study = compare_study
make_lenient()
interrupts.catch_signals()
main.main(["compare", "study"])
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("ending", ["pass", "os.kill(os.getpid(), signal.SIGINT)"])
def test_a_signal_ends_a_verb_with_its_code_and_without_a_traceback(name, code, ending):
    program = INTERRUPTED.format(name=name, ending=ending)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == (code if ending == "pass" else 130)
    assert done.stderr == ("interrupted\n" if ending == "pass" else "")


def test_a_thread_that_does_not_end_holds_up_no_interrupt():
    program = INTERRUPTED.format(name="SIGTERM", ending="pass").replace(
        "make_lenient()", "import threading; threading.Thread(target=input).start(); make_lenient()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watch = threading.Timer(60, process.kill)
    watch.start()
    assert process.wait() == 128 + signal.SIGTERM
    watch.cancel()
    process.stdin.close()
    process.stderr.close()


def test_both_signals_have_the_exit_codes_that_a_shell_gives_them():
    assert exit_code(KeyboardInterrupt()) == 130
    assert exit_code(Terminated()) == 143


LEAVING = """
import threading
from agnews_ray.cli import interrupts

threading.Thread(target=threading.Event().wait).start()
print("half a ", end="")
try:
    interrupts.leave(interrupts.Terminated(), "trials are kept")
finally:
    print("never printed")
"""


def test_leaving_says_its_line_and_writes_what_was_printed_before():
    done = subprocess.run(
        [sys.executable, "-c", LEAVING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 143
    assert (done.stdout, done.stderr) == ("half a ", "trials are kept\n")
