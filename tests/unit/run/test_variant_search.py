"""What the user reads about a search while it runs."""

import pytest

from agnews_ray.app.tune_study import tune_study
from agnews_ray.cli.screen import SilentScreen
from agnews_ray.plan.looks import NEVER
from agnews_ray.run.variant_search import in_words, looks_of
from tests.fakes.searches import Training, a_search_study, prepared_search, without_test_rows


@pytest.fixture
def lines(tmp_path, monkeypatch):
    without_test_rows(monkeypatch)
    training = Training(
        lambda trial, epochs: 0.5 + trial.recipe.learning_rate * 10, broken=("minilm-1-",)
    )
    study = a_search_study(num_trials=5)
    tune_study(prepared_search(tmp_path, study), "command", 0.0, SilentScreen(), training)
    return training.lines


def test_each_setting_has_a_line_with_its_number_and_result(lines):
    assert len(lines) == 5
    assert "setting 0 (learning_rate 2e-05, num_epochs 2) of 5: accuracy 0.5002" in lines[0]


def test_a_failed_setting_is_said_to_have_failed(lines):
    assert lines[1].endswith("its trial failed")


def test_a_stopped_setting_is_said_to_be_stopped_and_the_best_is_named(lines):
    stopped = [line for line in lines if "stopped after 0.25 epochs; best: 0." in line]
    assert stopped


def test_settings_are_named_by_the_last_part_of_their_paths():
    values = {"recipe.learning_rate": 1e-4, "architecture.num_layers": 2}
    assert in_words(values) == "learning_rate 0.0001, num_layers 2"


def test_a_search_without_a_scheduler_looks_at_nothing():
    assert looks_of(a_search_study(scheduler="none").search) is NEVER
