import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from agnews_ray.errors import SpecError
from agnews_ray.plan.class_weights import class_weights
from agnews_ray.plan.trials import Known, plan_trials
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_dataset


def test_nothing_said_weighs_nothing():
    assert class_weights(RecipeSpec(), ("a", "b"), (1, 9)) is None


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.repeat([0, 1, 2], [3, 10, 7])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    found = class_weights(RecipeSpec(class_weights="balanced"), ("a", "b", "c"), (3, 10, 7))
    assert found == pytest.approx(expected)


def test_a_class_without_rows_counts_one():
    assert class_weights(RecipeSpec(class_weights="balanced"), ("a", "b"), (0, 4)) == (1.0, 0.5)


def test_a_list_is_taken_as_it_is():
    assert class_weights(RecipeSpec(class_weights=(1, 2)), ("a", "b"), (1, 9)) == (1.0, 2.0)


def test_a_list_of_another_length_is_refused():
    with pytest.raises(SpecError) as caught:
        class_weights(RecipeSpec(class_weights=(1, 2)), ("a", "b", "c"), (1, 1, 1))
    wanted = "study: recipe.class_weights: want one for each of 3 classes (a, b, c), found 2"
    assert wanted in str(caught.value)


def test_every_trial_is_planned_with_the_weights_of_the_train_split():
    study = StudySpec(
        models=(VariantSpec(model="minilm", name="one"),),
        recipe=RecipeSpec(class_weights="balanced"),
    )
    train = a_dataset().train.model_copy(update={"class_counts": (20, 80)})
    dataset = a_dataset().model_copy(update={"train": train})
    (trial,) = plan_trials(study, dataset, Known(weights={"one": "minilm@main"}), "cpu", "fp32")
    assert trial.class_weights == (2.5, 0.625)
