"""A recipe checks its own values, and a variant changes some of them."""

import pytest
from pydantic import ValidationError

from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec, StopSpec


@pytest.mark.parametrize(
    ("given", "expected"),
    [("none", "none"), ("balanced", "balanced"), ([1, 2.5], (1.0, 2.5)), ((3,), (3.0,))],
)
def test_class_weights_are_a_word_or_numbers(given, expected):
    assert RecipeSpec(class_weights=given).class_weights == expected


@pytest.mark.parametrize(
    "given",
    [
        "even",
        [],
        3,
        None,
        [1, 0],
        [1, -1],
        [1, True],
        [1, "2"],
        [1, float("nan")],
        [float("inf")],
        [10**400],
    ],
    ids=str,
)
def test_class_weights_that_are_no_positive_numbers_are_refused(given):
    with pytest.raises(ValidationError, match="want none, balanced, or a positive number for each"):
        RecipeSpec(class_weights=given)


@pytest.mark.parametrize("weights", ["balanced", [1, 2.5]])
def test_class_weights_are_written_without_a_warning_and_read_again(weights):
    recipe = RecipeSpec(class_weights=weights)
    assert RecipeSpec.model_validate_json(recipe.model_dump_json(), strict=True) == recipe


def test_what_is_stated_stands_in_the_recipes_order():
    changes = RecipeChanges(label_smoothing=0.1, learning_rate=1e-5, num_epochs=3)
    expected = [("num_epochs", 3), ("learning_rate", 1e-5), ("label_smoothing", 0.1)]
    assert list(changes.stated().items()) == expected


def test_a_default_that_was_written_is_a_change():
    written = RecipeChanges(num_epochs=2)
    assert written.stated() == {"num_epochs": 2}
    assert written != RecipeChanges()
    assert written.applied_to(RecipeSpec(num_epochs=5)).num_epochs == 2


def test_changes_leave_the_rest_of_the_studys_recipe():
    study = RecipeSpec(num_epochs=5, weight_decay=0.0)
    found = RecipeChanges(learning_rate=1e-5).applied_to(study)
    assert type(found) is RecipeSpec
    assert found == RecipeSpec(num_epochs=5, weight_decay=0.0, learning_rate=1e-5)


def test_changes_are_written_as_they_were_stated_and_read_again():
    changes = RecipeChanges(class_weights=[1, 2])
    assert changes.model_dump_json() == '{"class_weights":[1.0,2.0]}'
    again = RecipeChanges.model_validate_json(changes.model_dump_json())
    assert (again, hash(again)) == (changes, hash(changes))


def test_changes_keep_the_recipes_limits():
    with pytest.raises(ValidationError, match="learning_rate"):
        RecipeChanges(learning_rate=1.0)


def test_a_variant_may_have_a_rule_to_stop_of_its_own_or_none():
    study = RecipeSpec(stop=StopSpec(patience=2))
    own = RecipeChanges(stop={"patience": 1, "metric": "macro-f1"})
    assert own.applied_to(study).stop == StopSpec(patience=1, metric="macro-f1")
    assert RecipeChanges(stop=None).applied_to(study).stop is None
    assert RecipeChanges(num_epochs=3).applied_to(study).stop == study.stop


@pytest.mark.parametrize("stop", [None, {"patience": 1}])
def test_a_rule_that_a_variant_states_is_written_and_read_again(stop):
    changes = RecipeChanges(stop=stop)
    again = RecipeChanges.model_validate_json(changes.model_dump_json(exclude_none=True))
    assert (again, hash(again)) == (changes, hash(changes))


@pytest.mark.parametrize("stop", [{"patience": 0}, {"patience": 1, "min_delta": -0.1}, {}], ids=str)
def test_rules_that_make_no_sense_are_refused(stop):
    with pytest.raises(ValidationError, match="stop"):
        RecipeSpec(stop=stop)
