"""What a space means for one variant."""

import pytest

from agnews_ray.app.search_space import default_settings, most_epochs, other_seeds
from tests.fakes.searches import a_search_study


@pytest.mark.parametrize(
    ("count", "taken", "seeds"), [(1, (42,), (1,)), (2, (1, 2), (3, 4)), (3, (2,), (1, 3, 4))]
)
def test_a_search_has_seeds_that_the_study_has_not(count, taken, seeds):
    assert other_seeds(count, taken) == seeds


@pytest.mark.parametrize(
    ("space", "most"),
    [
        ({"recipe.num_epochs": [1, 5, 3]}, 5),
        ({"recipe.num_epochs": {"low": 2, "high": 4}}, 4),
        ({"recipe.learning_rate": [1e-4, 1e-3]}, 2),
    ],
)
def test_the_longest_training_is_that_of_the_space_or_the_variants_own(space, most):
    study = a_search_study(space=space)
    assert most_epochs(study.models[0], study, study.search) == most


def test_a_variants_own_recipe_is_its_default():
    space = {"recipe.learning_rate": {"low": 1e-5, "high": 1e-2, "log": True}}
    study = a_search_study(space=space, recipe={"learning_rate": 3e-3})
    found = default_settings(study.models[0], study, study.search)
    assert found == {"recipe.learning_rate": 3e-3}


def test_a_rule_to_stop_that_is_not_set_is_in_no_space():
    study = a_search_study(space={"recipe.stop.patience": [1, 2]})
    assert default_settings(study.models[0], study, study.search) is None
