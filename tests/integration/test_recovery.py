"""A study that is killed again and again ends as if nothing had happened."""

import os
import shlex
import shutil
import signal
import time

import pytest

from tests.integration.conftest import ROOT, a_job

JOB = a_job(
    models=a_job()["models"][:1],
    recipe={"num_epochs": 60},
    recovery={"checkpoint_every": "50 steps"},
)
"""1,260 steps of one tiny model."""


def end_at(place, process, step, number):
    """Send a signal once a checkpoint of that step counts; return both streams."""
    deadline = time.monotonic() + 120
    while not any(
        int(path.parent.name[5:14]) >= step for path in place.folder.rglob("checkpoint.json")
    ):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, number)
    return process.communicate(timeout=120)


@pytest.fixture(scope="module")
def whole(workplace):
    place = workplace("whole")
    done = place.run("submit", job=JOB)
    assert done.returncode == 0, done.err
    return place


def results(place):
    (trial,) = (place.folder / "runs/tiny/trials").iterdir()
    names = ("predictions.parquet", "artifact/model.safetensors")
    return [(trial / name).read_bytes() for name in names]


def test_a_study_killed_three_times_ends_with_the_same_bytes(workplace, whole):
    place = workplace("killed")
    log = place.folder / "fired"
    place.extra.update(AGNEWS_RAY_FAIL="worker.step=kill@120", AGNEWS_RAY_FAIL_LOG=str(log))
    process = place.start("submit", job=JOB)
    end_at(place, process, 300, signal.SIGKILL)
    assert log.read_text().startswith("worker.step kill ")
    process = place.start("submit", job=JOB)
    out, err = end_at(place, process, 500, signal.SIGTERM)
    assert process.returncode == 143
    assert "saved a checkpoint of first-s1-" in out + err
    done = place.run("submit", job=JOB)
    assert done.returncode == 0, done.err
    assert " goes on after step " in done.out
    assert results(place) == results(whole)
    assert sorted(path.name for path in (place.folder / "runs/tiny").iterdir()) == sorted(
        path.name for path in (whole.folder / "runs/tiny").iterdir()
    )


def readme_commands(title):
    section = (ROOT / "README.md").read_text().partition(f"## {title}\n")[2]
    block = section.partition("```\n")[2].partition("```")[0]
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines()]


def test_the_commands_of_the_readme_go_on(workplace, demo):
    place = workplace("readme")
    shutil.copytree(ROOT / "jobs", place.folder / "jobs")
    first, again, clean = readme_commands("When machines die")
    end_at(place, place.start(*first), 100, signal.SIGKILL)
    done = place.run(*again)
    assert done.returncode == 0, done.err
    assert " goes on after step " in done.out
    shown = place.run(*clean)
    assert shown.returncode == 0, shown.err
    found = list((place.folder / "runs/demo").rglob("predictions.parquet"))
    assert len(found) == 2
    for path in found:
        undisturbed = demo.folder / path.relative_to(place.folder)
        assert path.read_bytes() == undisturbed.read_bytes()
