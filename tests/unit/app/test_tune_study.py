"""A search finds good settings on validation alone, may be ended anywhere, and tells the truth."""

import math
import time

import pytest

from agnews_ray.app.prepare import read_study
from agnews_ray.app.tune_study import check_search, prepare_search, tune_study
from agnews_ray.cli.screen import SilentScreen
from agnews_ray.errors import SpecError
from agnews_ray.spec.loader import build_study, read_job_file
from agnews_ray.spec.spending import BudgetSpec
from tests.fakes.searches import Training, a_search_study, prepared_search, without_test_rows


def best_at_1e_3(trial, epochs):
    """Accuracy peaks at a learning rate of 1e-3, and grows with epochs."""
    distance = abs(math.log10(trial.recipe.learning_rate) + 3)
    return 0.9 - 0.15 * distance - 0.02 / epochs


@pytest.fixture(autouse=True)
def _no_test_rows(monkeypatch):
    without_test_rows(monkeypatch)


def tune(prepared, training):
    return tune_study(prepared, "agnews-ray tune", 0.0, SilentScreen(), training)


def searched(training):
    return [record for record in training.records if record.search is not None]


def in_table(tuned):
    return [record for record in tuned.outcome.records if record.scores_test]


def settings_of(training):
    return [record.search.settings for record in searched(training)]


def test_the_winner_is_near_the_best_settings_and_trained_beside_the_default(tmp_path):
    training = Training(best_at_1e_3)
    tuned = tune(prepared_search(tmp_path), training)
    (winner,) = tuned.winners
    assert 3e-4 < winner.settings["recipe.learning_rate"] < 3e-3
    final = in_table(tuned)
    names = [record.variant.name for record in final]
    assert names == ["minilm", "minilm", "minilm (tuned)", "minilm (tuned)"]
    assert final[-1].recipe.learning_rate == winner.settings["recipe.learning_rate"]


def test_no_trial_of_the_search_sees_test_rows_or_the_seeds_of_the_table(tmp_path):
    training = Training(best_at_1e_3)
    tune(prepared_search(tmp_path, a_search_study(seeds=(1, 2), num_seeds=2)), training)
    assert searched(training)
    assert not any(record.scores_test for record in searched(training))
    assert not {record.seed for record in searched(training)} & {1, 2}


def test_every_variant_has_the_same_number_of_settings(tmp_path):
    training = Training(best_at_1e_3)
    study = a_search_study(variants=("a", "b"), num_trials=5)
    tuned = tune(prepared_search(tmp_path, study), training)
    assert [winner.num_tried for winner in tuned.winners] == [5, 5]
    assert [record.search.variant for record in searched(training)] == ["a"] * 5 + ["b"] * 5


def test_settings_that_fall_behind_are_stopped_within_an_epoch(tmp_path):
    training = Training(best_at_1e_3)
    (winner,) = tune(prepared_search(tmp_path), training).winners
    stopped = [record.search for record in searched(training) if record.search.is_stopped]
    assert winner.num_stopped == len(stopped) > 3
    assert any(place.rungs[-1].epochs < 1 for place in stopped)


def test_a_search_without_a_scheduler_stops_nothing(tmp_path):
    training = Training(best_at_1e_3)
    tune(prepared_search(tmp_path, a_search_study(scheduler="none")), training)
    assert not any(record.search.is_stopped for record in searched(training))


@pytest.mark.parametrize("num_ends", [1, 6, 13])
def test_an_interrupted_search_continues_as_if_it_had_not_been(tmp_path, num_ends):
    whole = Training(best_at_1e_3)
    wanted = tune(prepared_search(tmp_path / "whole"), whole)
    first, second = Training(best_at_1e_3, num_ends=num_ends), Training(best_at_1e_3)
    with pytest.raises(KeyboardInterrupt):
        tune(prepared_search(tmp_path / "parts"), first)
    found = tune(prepared_search(tmp_path / "parts"), second)
    assert settings_of(first) + settings_of(second) == settings_of(whole)
    assert list(found.winners[0].settings) == list(wanted.winners[0].settings)
    assert len(first.records) + len(second.records) == len(whole.records)
    assert found.winners == wanted.winners


def test_several_trials_at_once_find_it_too_and_no_setting_is_tried_twice(tmp_path):
    first, second = Training(best_at_1e_3, 7, num_at_once=3), Training(best_at_1e_3, num_at_once=3)
    with pytest.raises(KeyboardInterrupt):
        tune(prepared_search(tmp_path), first)
    (winner,) = tune(prepared_search(tmp_path), second).winners
    numbers = [record.search.number for record in (*searched(first), *searched(second))]
    assert sorted(numbers) == list(range(12))
    assert 3e-4 < winner.settings["recipe.learning_rate"] < 3e-3


def test_a_finished_search_runs_nothing_again(tmp_path):
    tuned = tune(prepared_search(tmp_path), Training(best_at_1e_3))
    again = Training(best_at_1e_3)
    assert tune(prepared_search(tmp_path), again).winners == tuned.winners
    assert again.started == []


@pytest.mark.parametrize(
    "space",
    [
        {"recipe.learning_rate": {"low": 1e-4, "high": 2e-3, "log": True}},
        {"recipe.learning_rate": {"low": 1e-5, "high": 1e-2}, "recipe.weight_decay": [0.0, 0.1]},
    ],
)
def test_settings_of_another_space_are_tried_anew(tmp_path, space):
    tune(prepared_search(tmp_path), Training(best_at_1e_3))
    training = Training(best_at_1e_3)
    study = a_search_study(space=space, num_trials=4, scheduler="none")
    (winner,) = tune(prepared_search(tmp_path, study), training).winners
    assert {tuple(one) for one in settings_of(training)} == {tuple(space)}
    assert (winner.num_tried, len(searched(training))) == (4, 4)


def test_fewer_settings_than_were_tried_end_a_search(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        tune(prepared_search(tmp_path), Training(best_at_1e_3, num_ends=5))
    training = Training(best_at_1e_3)
    (winner,) = tune(prepared_search(tmp_path, a_search_study(num_trials=5)), training).winners
    assert (winner.num_tried, searched(training)) == (5, [])


@pytest.mark.parametrize(("minutes_gone", "num_tried"), [(0, 12), (15, 1), (60, 1)])
def test_a_search_leaves_time_in_the_budget_for_its_winner(tmp_path, minutes_gone, num_tried):
    """Four final trials of 200 s leave 1,000 of 30 minutes' 1,800 seconds for the search."""
    study = a_search_study().model_copy(update={"budget": BudgetSpec(limit="30m")})
    training = Training(best_at_1e_3, seconds=200.0)
    started_at = time.time() - 60 * minutes_gone
    prepared = prepared_search(tmp_path, study)
    tuned = tune_study(prepared, "agnews-ray tune", started_at, SilentScreen(), training)
    assert tuned.winners[0].num_tried == num_tried
    assert any("the budget ends it" in line for line in training.lines) == (num_tried == 1)


def test_a_setting_is_scored_by_the_mean_over_its_seeds(tmp_path):
    def noisy(trial, epochs):
        return best_at_1e_3(trial, epochs) + (0.04 if trial.seed == 1 else -0.04)

    training = Training(noisy)
    study = a_search_study(num_seeds=2, num_trials=4, scheduler="none")
    (winner,) = tune(prepared_search(tmp_path, study), training).winners
    own = [r.validation[-1].accuracy for r in searched(training) if winner_of(r, winner)]
    assert len(own) == 2
    assert winner.score == pytest.approx(sum(own) / 2)


def winner_of(record, winner):
    return record.search.settings == winner.settings


def test_only_settings_that_are_not_stopped_have_further_seeds(tmp_path):
    training = Training(best_at_1e_3)
    tune(prepared_search(tmp_path, a_search_study(num_seeds=3)), training)
    counts = {}
    for record in searched(training):
        counts.setdefault(record.search.number, []).append(record.search.is_stopped)
    assert {len(one) for one in counts.values() if any(one)} == {1}
    assert {len(one) for one in counts.values() if not any(one)} == {3}


def test_a_default_that_nothing_beats_is_the_winner(tmp_path):
    def best_at_default(trial, epochs):
        return 0.9 if trial.recipe.learning_rate == 2e-5 and trial.recipe.num_epochs == 2 else 0.5

    tuned = tune(prepared_search(tmp_path), Training(best_at_default))
    (winner,) = tuned.winners
    assert winner.tuned is None
    assert {record.variant.name for record in in_table(tuned)} == {"minilm"}


def test_the_best_job_file_trains_the_winner(tmp_path):
    tuned = tune(prepared_search(tmp_path), Training(best_at_1e_3))
    study = build_study(read_job_file(tuned.best_path), "best.yaml")
    (variant,) = study.models
    assert (
        variant.recipe_in(study.recipe).learning_rate
        == (tuned.winners[0].settings["recipe.learning_rate"])
    )
    assert (study.search, study.name) == (None, "toy-best")


def test_the_kept_study_names_winners_after_their_defaults(tmp_path):
    prepared = prepared_search(tmp_path)
    tune(prepared, Training(best_at_1e_3))
    kept = prepared.store.load_study()
    assert [variant.name for variant in kept.models] == ["minilm", "minilm (tuned)"]
    assert kept.search == prepared.study.search


def test_a_small_space_ends_when_all_of_it_was_tried(tmp_path):
    training = Training(best_at_1e_3)
    study = a_search_study(space={"recipe.num_epochs": [1, 2, 3]}, scheduler="none")
    (winner,) = tune(prepared_search(tmp_path, study), training).winners
    assert (winner.num_tried, len(searched(training))) == (3, 3)
    assert winner.settings == {"recipe.num_epochs": 3}


def test_a_setting_that_fails_ends_no_search(tmp_path):
    tuned = tune(
        prepared_search(tmp_path), Training(best_at_1e_3, broken=("minilm-3-", "minilm-5-"))
    )
    assert tuned.winners[0].num_tried == 12
    assert tuned.outcome.failed == {}


def test_a_search_all_of_whose_settings_fail_is_an_error(tmp_path):
    broken = tuple(f"minilm-{number}-" for number in range(12))
    tuned = tune(prepared_search(tmp_path), Training(best_at_1e_3, broken=broken))
    assert list(tuned.outcome.failed) == ["search minilm"]
    assert [record.variant.name for record in in_table(tuned)] == ["minilm", "minilm"]


def test_sizes_that_do_not_fit_together_are_left_out_with_a_line(tmp_path):
    space = {"architecture.num_heads": [5, 12], "architecture.hidden_size": [384, 400]}
    training = Training(lambda trial, epochs: 0.8)
    study = a_search_study(space=space, num_trials=4, scheduler="none")
    tune(prepared_search(tmp_path, study), training)
    tried = {tuple(one.values()) for one in settings_of(training)}
    assert tried == {(12, 384), (5, 400)}
    assert sum("is left out" in line for line in training.lines) == 2


def test_a_study_without_a_validation_split_gets_one_and_another_name(tmp_path):
    study = a_search_study()
    data = study.data.model_copy(update={"validation_fraction": 0.0})
    prepared = prepare_search(study.model_copy(update={"data": data}), str(tmp_path))
    assert prepared.study.name == "toy-tune"
    assert prepared.scanned.record.num_validation == 32
    assert any("validate" in note for note in prepared.notes)


def test_a_study_without_a_search_is_refused():
    with pytest.raises(SpecError, match="want a search space"):
        check_search(read_study(None, {"models": [{"model": "minilm", "init": "random"}]}))
