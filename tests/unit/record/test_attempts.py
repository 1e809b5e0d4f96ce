"""Attempts outlive the driver, and say what was made again."""

import pytest

from agnews_ray.record import attempts
from agnews_ray.record.attempts import ATTEMPTS_FILE, NO_WORD, AttemptLog, repeated
from tests.fakes.records import an_attempt


@pytest.fixture(params=["folder", "uri"])
def location(request, tmp_path):
    folder = tmp_path / ".checkpoints" / "t-1"
    return str(folder) if request.param == "folder" else folder.as_uri()


def test_after_a_killed_driver_an_attempt_without_an_end_is_known(location, monkeypatch):
    monkeypatch.setattr(attempts, "WRITE_EVERY_S", 0.0)
    monkeypatch.setattr(attempts, "UPLOAD_EVERY_S", 0.0)
    log = AttemptLog(location)
    log.begin()
    log.saw(40, 30, "node-1")
    (found,) = AttemptLog(location).attempts
    assert (found.cause, found.text) == ("interrupted", NO_WORD)
    assert (found.from_step, found.last_step, found.machine) == (30, 40, "node-1")


def test_the_next_submit_adds_its_own(location):
    log = AttemptLog(location)
    log.begin()
    log.end("lost worker", "gone")
    log.end("error", "of an attempt that has ended")
    later = AttemptLog(location)
    later.begin()
    later.end("finished")
    later.ended_from(30, 80)
    assert [one.cause for one in later.attempts] == ["lost worker", "finished"]
    assert (later.attempts[-1].from_step, later.attempts[-1].last_step) == (30, 80)


def test_a_damaged_file_and_one_that_cannot_be_written_end_nothing(tmp_path):
    (tmp_path / ATTEMPTS_FILE).write_text("{")
    log = AttemptLog(str(tmp_path / ATTEMPTS_FILE))  # no folder
    log.begin()
    log.end("finished")
    assert AttemptLog(str(tmp_path)).attempts == ()


def test_a_trial_in_one_attempt_repeated_nothing():
    assert repeated([an_attempt(0, 80, "finished")]) == (0, 0.0)


def test_steps_after_the_last_checkpoint_are_made_again():
    found = repeated([an_attempt(0, 40), an_attempt(30, 80, "finished")])
    assert found == (10, 30.0 - 20.0 * 30 / 40)


def test_an_attempt_that_made_no_step_is_lost_as_a_whole():
    found = repeated([an_attempt(0, 40), an_attempt(0, 0), an_attempt(40, 80, "finished")])
    assert found == (0, 10.0 + 30.0)
