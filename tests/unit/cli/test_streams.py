"""The command as a process: whose reader leaves, whose streams are closed, who is interrupted."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.fakes.studies import a_study


@pytest.fixture
def run(tmp_path):
    """Run the command with some standard output or error."""
    a_study(tmp_path, name="study")

    def run(*words, **streams):
        command = [sys.executable, "-m", "agnews_ray", *words]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.run(command, cwd=tmp_path, text=True, check=False, **streams)

    return run


@pytest.fixture
def unread():
    """The end to write to of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


READERS = [
    ("compare", "study"),
    ("compare", "study", "--format", "json"),
    ("report", "study", "--format", "json"),
]


@pytest.mark.parametrize("words", READERS)
def test_a_reader_who_leaves_costs_no_error(run, unread, words):
    done = run(*words, stdout=unread)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_that_nobody_reads_keeps_its_exit_code(run, unread):
    done = run("compare", "nowhere", stderr=unread)
    assert (done.returncode, done.stdout) == (2, "")


def test_streams_that_are_closed_from_the_start_cost_no_error(tmp_path, run):
    command = f"exec {sys.executable} -m agnews_ray compare study <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False).returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")  # noqa: PTH110
def test_what_could_not_be_written_whole_is_an_error(run):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = run("compare", "study", stdout=full)
    assert done.returncode == 1
    assert done.stderr == "error: standard output: No space left on device; not all was written\n"


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
def test_a_signal_ends_a_verb_with_its_code_and_without_a_traceback(run, name, code, ending):
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
