"""The default recipe is the first setting if the space holds it, and names tell winners apart."""

import pytest

from agnews_ray.app.search_plan import SearchPlan, untuned
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.searches import a_search_study, prepared_search


def first_trial(runs, **search):
    source = SearchPlan(prepared_search(runs, a_search_study(**search)), print, 0.0).source
    return source.ready({}, (), 1).startable[0]


@pytest.mark.parametrize(
    "space",
    [
        {"recipe.learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}},
        {"recipe.learning_rate": [1e-3, 2e-5]},
        {"recipe.num_epochs": {"low": 2, "high": 4}},
        {"architecture.num_layers": [6, 12]},
        {"recipe.warmup_fraction": {"low": 0.0, "high": 0.3, "step": 0.1}},
    ],
)
def test_the_default_comes_first_if_the_space_holds_it(tmp_path, space):
    trial = first_trial(tmp_path, space=space)
    assert is_default(trial)
    assert trial.search.number == 0


@pytest.mark.parametrize(
    "space",
    [
        {"recipe.learning_rate": {"low": 1e-4, "high": 1e-3}},
        {"recipe.learning_rate": [1e-3, 1e-4]},
        {"recipe.warmup_fraction": {"low": 0.05, "high": 0.35, "step": 0.1}},
    ],
)
def test_a_default_outside_of_the_space_is_not_tried(tmp_path, space):
    assert not is_default(first_trial(tmp_path, space=space))


def is_default(trial):
    return trial.recipe == a_search_study().recipe


def test_a_settings_trial_has_its_number_in_its_name(tmp_path):
    trial = first_trial(tmp_path)
    assert (trial.variant.name, trial.search.variant) == ("minilm #0", "minilm")
    assert trial.trial_id.startswith("minilm-0-s1-")


def test_winners_of_an_earlier_search_are_not_searched_again():
    models = [VariantSpec(model="minilm", name=name) for name in ("a", "a (tuned)", "b (tuned)")]
    study = a_search_study().model_copy(update={"models": tuple(models)})
    assert [variant.name for variant in untuned(study)] == ["a", "b (tuned)"]
