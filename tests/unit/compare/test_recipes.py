"""The recipe of a study, and what a variant changes of it."""

import pytest

from agnews_ray.compare.recipes import RecipeChange, compared, recipe_changes, shared_recipe
from agnews_ray.compare.table import compare_records
from agnews_ray.errors import RecordError
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.records import a_linear_record, a_record, with_own_recipe


def test_a_row_says_what_is_its_variants_own_of_the_recipe():
    records = [a_record(), with_own_recipe("x", "fast", learning_rate=5e-5, num_epochs=2)]
    plain, own = compare_records("s", records, ["one"]).rows
    assert plain.recipe_changes == ()
    assert [str(one) for one in own.recipe_changes] == ["learning_rate 5e-05 (study: 2e-05)"]


def test_where_every_variant_states_a_key_the_studys_value_is_not_known():
    records = [
        with_own_recipe("x", "one", learning_rate=5e-5),
        with_own_recipe("y", "two", learning_rate=1e-5),
    ]
    rows = compare_records("s", records, ["one", "two"]).rows
    assert [[str(one) for one in row.recipe_changes] for row in rows] == [
        ["learning_rate 5e-05"],
        ["learning_rate 1e-05"],
    ]


def test_two_values_that_no_variant_states_are_refused_with_both_trials():
    other = a_record("x", seed=2, recipe=RecipeSpec(weight_decay=0.5))
    with pytest.raises(RecordError) as caught:
        shared_recipe([a_record("first"), other])
    assert caught.value.where == "trial x"
    assert caught.value.wanted == "the same recipe, but for a variant's own"
    assert caught.value.found == "weight_decay 0.5, and 0.01 in first"
    assert "another --name" in caught.value.hint


def test_a_key_that_a_variant_states_may_differ_from_the_studys():
    own = with_own_recipe("x", "own", weight_decay=0.5)
    for records in ([a_record(), own], [own, a_record()]):
        assert shared_recipe(records)["weight_decay"] == 0.01


def test_a_key_that_every_variant_states_is_not_shared():
    records = [with_own_recipe(name, name, num_epochs=3) for name in ("x", "y")]
    shared = shared_recipe(records)
    assert "num_epochs" not in shared
    assert shared.keys() == compared(a_record()).keys() - {"num_epochs"}


def test_changes_are_in_the_recipes_order_and_without_what_is_equal():
    record = with_own_recipe("x", "own", weight_decay=0.5, learning_rate=1e-4, num_epochs=2)
    found = recipe_changes(record, compared(a_record()))
    assert found == (
        RecipeChange(key="learning_rate", value=1e-4, in_study=2e-5),
        RecipeChange(key="weight_decay", value=0.5, in_study=0.01),
    )


def test_what_changes_no_score_is_not_compared():
    def keys(**recipe):
        return compared(a_record(recipe=RecipeSpec(**recipe)))

    assert keys(precision="fp32", evaluation_batch_size=8) == keys()
    assert keys(label_smoothing=0.1) != keys()


def test_a_rule_to_stop_is_written_with_its_parts():
    own = with_own_recipe("x", "own", stop={"patience": 1})
    rows = compare_records("s", [a_record(), own], ["one", "own"]).rows
    assert [str(one) for one in rows[1].recipe_changes] == [
        "stop (patience 1, min_delta 0.0, metric accuracy)"
    ]


def test_a_linear_models_record_may_name_another_recipe():
    other = a_linear_record("x", "svm", recipe=RecipeSpec(num_epochs=9, learning_rate=1e-3))
    shared = shared_recipe([other, a_record()])
    assert (shared["num_epochs"], shared["learning_rate"]) == (2, 2e-5)
    assert recipe_changes(other, shared) == ()
    weighted = a_linear_record("y", "svm", recipe=RecipeSpec(class_weights="balanced"))
    with pytest.raises(RecordError, match="class_weights none"):
        shared_recipe([weighted, a_record()])
