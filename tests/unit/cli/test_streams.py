"""The command as a process: whose reader leaves, and whose streams are closed."""

import os
import subprocess
import sys

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
