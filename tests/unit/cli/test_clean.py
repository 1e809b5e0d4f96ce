import json

import pytest
from click.testing import CliRunner

from agnews_ray.cli import clean
from agnews_ray.cli.main import main
from agnews_ray.run import cleanup
from tests.fakes.command import error, run
from tests.fakes.studies import a_study


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    """No Ray of this machine is seen, and no cache of the user's."""
    monkeypatch.setattr(cleanup, "short_tmp", lambda: str(tmp_path / "tmp"))
    monkeypatch.setattr(cleanup, "SHARED_FOLDER", tmp_path / "shm")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def runs(tmp_path):
    """A runs folder with a study, in which two things may go."""
    study = a_study(tmp_path / "runs", seeds=(1,))
    for folder in (*(study / ".staging").iterdir(), study / ".damaged/one"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_bytes(bytes(1500))
    return tmp_path / "runs"


def left(runs):
    return {path.name for path in (runs / "study").iterdir()} & {".staging", ".damaged"}


def test_without_a_terminal_it_only_shows(runs):
    lines = run("clean", "--runs", runs).stdout.splitlines()
    assert lines[0].split() == ["what", "where", "size", "why", "it", "may", "go"]
    assert f"{runs}/study/.damaged/one" in lines[1]
    assert "1.5 kB" in lines[1]
    assert lines[-2:] == ["together 3 kB", "nothing was deleted; --yes deletes it"]
    assert left(runs) == {".staging", ".damaged"}


def test_yes_deletes_without_a_question(runs):
    assert run("clean", "--runs", runs, "--yes").stdout.splitlines()[-1] == "freed 3 kB"
    assert left(runs) == set()
    assert run("clean", "--runs", runs, "--yes").stdout == "nothing to clean\n"


@pytest.mark.parametrize(("answer", "kept"), [("y", set()), ("n", {".staging", ".damaged"})])
def test_on_a_terminal_it_asks(runs, monkeypatch, answer, kept):
    monkeypatch.setattr(clean, "_is_on_terminal", lambda: True)
    done = CliRunner().invoke(main, ["clean", "--runs", str(runs)], input=f"{answer}\n")
    assert "delete these 2 (3 kB)? [y/N]" in done.stdout
    assert done.exit_code == 0
    assert left(runs) == kept


def test_json_is_one_document_and_deletes_nothing_by_itself(runs):
    document = json.loads(run("clean", "--runs", runs, "--json").stdout)
    assert document["size_bytes"] == 3000
    assert [one["what"] for one in document["removable"]] == ["damaged trials", "unfinished files"]
    assert document["is_removed"] is False
    assert left(runs) == {".staging", ".damaged"}
    document = json.loads(run("clean", "--runs", runs, "--json", "--yes").stdout)
    assert document["freed_bytes"] == 3000
    assert left(runs) == set()


def test_what_cannot_be_deleted_is_an_error(runs, monkeypatch):
    def fail(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("agnews_ray.record.leftovers.shutil.rmtree", fail)
    done = run("clean", "--runs", runs, "--yes", code=1)
    assert "freed 0 B" in done.stdout
    assert "Permission denied" in done.stderr


def test_a_runs_folder_that_is_missing_is_an_error_in_a_line(tmp_path):
    assert "no such folder" in error("clean", "--runs", tmp_path / "none")
