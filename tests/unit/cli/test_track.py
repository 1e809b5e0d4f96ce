"""``agnews-ray track``, and ``submit --track`` before anything starts."""

import json

import pytest

from agnews_ray.cli import track
from agnews_ray.track import tracker
from tests.fakes.command import error, run
from tests.fakes.studies import a_study


@pytest.fixture
def runs(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    a_study(tmp_path, "news", seeds=(1,))
    return tmp_path


def test_it_says_what_was_written_where_and_how_to_look(runs):
    done = run("track", runs / "news", "--to", "tensorboard")
    assert done.stdout.splitlines() == [
        f"news in tensorboard ({runs}/tensorboard): 2 new",
        f"look: tensorboard --logdir {runs}/tensorboard",
    ]
    again = run("track", runs / "news", "--to", "tensorboard")
    assert again.stdout.startswith(f"news in tensorboard ({runs}/tensorboard): 2 unchanged\n")


def test_several_studies_go_to_one_place_and_other_folders_are_left_out(runs):
    a_study(runs, "more", seeds=(1,))
    (runs / "tensorboard").mkdir()  # named by the shell's runs/* too
    done = run("track", *sorted(runs.iterdir()), "--to", "tensorboard")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["more", "news", "look:"]


def test_another_place_can_be_given(runs):
    done = run("track", runs / "news", "--to", "tensorboard", "--uri", runs / "elsewhere")
    assert f"look: tensorboard --logdir {runs}/elsewhere" in done.stdout
    assert list((runs / "elsewhere" / "news").iterdir())


def test_json_has_a_document_for_each_study(runs):
    done = run("track", runs / "news", "--to", "tensorboard", "--json")
    (found,) = json.loads(done.stdout)
    assert found["runs"] == {"v0-s1": "new", "v1-s1": "new"}
    assert found["destination"] == f"{runs}/tensorboard"


def test_a_folder_that_is_no_study_is_one_line_and_nothing_is_made(runs):
    before = sorted(runs.iterdir())
    line = error("track", runs / "none", "--to", "tensorboard")
    assert line.startswith(f"error: {runs}/none: want the folder of a study")
    assert sorted(runs.iterdir()) == before


@pytest.mark.parametrize(
    "words", [["track", "runs/demo", "--to", "mlflow"], ["submit", "--track", "mlflow"]]
)
def test_a_missing_extra_is_one_line(words, monkeypatch):
    monkeypatch.setattr(tracker, "find_spec", lambda name: None)
    assert error(*words).endswith('pip install "agnews-ray[mlflow]"')


def test_a_run_on_a_cluster_is_tracked_after_it_was_fetched():
    line = error("submit", "--track", "mlflow", "--address", "http://127.0.0.1:8265")
    assert line.endswith("agnews-ray fetch JOB, and agnews-ray track runs/STUDY --to mlflow")


def test_the_trackers_that_can_be_named_are_those_that_there_are():
    assert track.TRACKERS == tracker.NAMES
