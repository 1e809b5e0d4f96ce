"""How a tracker is opened, and what is said if it cannot be."""

import sys

import pytest

from agnews_ray.errors import StoreError, TrackerError
from agnews_ray.track import tracker
from agnews_ray.track.tracker import check_installed, explained, open_tracker


@pytest.fixture
def without_packages(monkeypatch):
    monkeypatch.setattr(tracker, "find_spec", lambda name: None)


@pytest.mark.parametrize("name", tracker.NAMES)
def test_a_missing_extra_says_what_to_install(without_packages, name):
    with pytest.raises(TrackerError, match=f'pip install "agnews-ray\\[{name}\\]"'):
        check_installed([name])


def test_a_missing_extra_is_found_before_a_file_is_made(without_packages, tmp_path):
    with pytest.raises(TrackerError):
        open_tracker("mlflow", None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_half_an_installation_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(tracker, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "trackio", None)  # importing it fails
    monkeypatch.delitem(sys.modules, "agnews_ray.track.trackio_tracker", raising=False)
    with pytest.raises(TrackerError, match=r'pip install "agnews-ray\[trackio\]"'):
        open_tracker("trackio", None, tmp_path)


def test_an_error_of_a_library_becomes_one_line():
    with (
        pytest.raises(TrackerError, match=r"tracker mlflow at there: .*no route") as raised,
        explained("mlflow", "there"),
    ):
        raise ConnectionError("no\nroute")
    assert "\n" not in str(raised.value)


def test_an_error_of_ours_stays_what_it_is():
    error = StoreError("a", "b", "c", "d")
    with pytest.raises(StoreError) as raised, explained("mlflow", "there"):
        raise error
    assert raised.value is error
