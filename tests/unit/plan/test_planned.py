from dataclasses import replace

import pytest

from agnews_ray.plan.looks import NEVER
from agnews_ray.plan.planned import Known, trial_id
from agnews_ray.plan.trials import plan_trials
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec, StopSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.fakes.records import a_dataset, a_split

ONE, TWO = VariantSpec(model="minilm", name="one"), VariantSpec(model="bert", name="two")
KNOWN = Known(weights={"one": "minilm@main", "two": "bert@main", "renamed": "minilm@main"})


def plan(study, dataset=None, precision="fp32"):
    return plan_trials(study, dataset or a_dataset(), KNOWN, "cpu", precision)


def id_of(study=None, known=KNOWN, dataset=None, precision="fp32", variant=ONE, **parts):
    """The id of one trial, all as in the simplest study but for what is given."""
    study = study or StudySpec(models=(variant,), **parts)
    return plan_trials(study, dataset or a_dataset(), known, "cpu", precision)[0].trial_id


VALIDATED = a_dataset().model_copy(update={"validation": a_split("c" * 32)})
CHANGES = {
    "weights": {"known": Known(weights={"one": "minilm@another commit"})},
    "rows": {"dataset": a_dataset("c" * 32)},
    "class names": {"dataset": a_dataset().model_copy(update={"class_names": ("yes", "no")})},
    "precision": {"precision": "bf16"},
    "seed": {"seeds": (43,)},
    "workers": {"scaling": ScalingSpec(num_workers=2)},
    "init": {"variant": VariantSpec(model="minilm", name="one", init="random")},
    "engine": {"variant": VariantSpec(model="minilm", name="one", engine="reference")},
    "sizes": {
        "variant": VariantSpec(
            model="minilm", name="one", init="random", architecture=ArchitectureSpec(num_layers=2)
        )
    },
    "epochs": {"recipe": RecipeSpec(num_epochs=3)},
    "learning rate": {"recipe": RecipeSpec(learning_rate=1e-5)},
    "batch": {"recipe": RecipeSpec(global_batch_size=32)},
    "decay": {"recipe": RecipeSpec(weight_decay=0.0)},
    "warm-up": {"recipe": RecipeSpec(warmup_fraction=0.0)},
    "clipping": {"recipe": RecipeSpec(max_grad_norm=2.0)},
    "first moment": {"recipe": RecipeSpec(adam_beta1=0.8)},
    "second moment": {"recipe": RecipeSpec(adam_beta2=0.99)},
    "epsilon": {"recipe": RecipeSpec(adam_epsilon=1e-6)},
    "label smoothing": {"recipe": RecipeSpec(label_smoothing=0.1)},
    "class weights": {"recipe": RecipeSpec(class_weights="balanced")},
    "rule to stop": {"recipe": RecipeSpec(stop=StopSpec(patience=1)), "dataset": VALIDATED},
    "listed class weights": {"recipe": RecipeSpec(class_weights=(1.0, 2.0))},
    "length": {"data": DataSpec(max_length_tokens=64)},
    "train rows": {"data": DataSpec(limit_train=50)},
    "test rows": {"data": DataSpec(limit_test=5)},
    "validation": {"data": DataSpec(validation_fraction=0.1)},
    "split": {"data": DataSpec(split_seed=1)},
    "room": {"data": DataSpec(max_resident_mb=1)},
    "window": {"data": DataSpec(stream_window_rows=10)},
}
"""What makes another trial: it may change the result, or what it costs."""


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_another_question_is_another_trial(changes):
    assert id_of(**changes) != id_of()


def test_all_these_trials_differ_from_one_another():
    assert len({id_of(**changes) for changes in CHANGES.values()}) == len(CHANGES)


@pytest.mark.parametrize(
    "parts",
    [
        {"name": "other", "question": "?"},
        {"seeds": (42, 1)},
        {"data": DataSpec(source="elsewhere", delimiter=";")},  # the content is in the fingerprint
        {"recipe": RecipeSpec(evaluation_batch_size=8)},
        {"recipe": RecipeSpec(precision="fp32")},  # what auto came to
        {"scaling": ScalingSpec(device="cpu")},
        {"dataset": a_dataset().model_copy(update={"source": "elsewhere"})},
    ],
    ids=str,
)
def test_the_same_question_asked_in_other_words_is_the_same_trial(parts):
    assert id_of(**parts) == id_of()


def test_another_variant_beside_it_leaves_a_trial_what_it_is():
    assert id_of(StudySpec(models=(ONE, TWO))) == id_of()


OWN = VariantSpec(model="minilm", name="one", recipe=RecipeChanges(learning_rate=1e-5))


def test_a_variants_own_recipe_is_part_of_its_trials_and_of_no_others():
    plain, own = plan(StudySpec(models=(TWO, OWN)))
    assert (plain.recipe.learning_rate, own.recipe.learning_rate) == (2e-5, 1e-5)
    assert plain.trial_id == plan(StudySpec(models=(TWO,)))[0].trial_id
    assert own.trial_id != id_of()


def test_the_whole_recipe_decides_wherever_it_is_stated():
    assert id_of(variant=OWN) == id_of(recipe=RecipeSpec(learning_rate=1e-5))


def test_a_trial_that_does_not_score_test_is_another():
    facts = (StudySpec(models=(ONE,)), a_dataset(), KNOWN, "cpu", "fp32")
    (trial,) = plan_trials(*facts, NEVER)
    assert not trial.scores_test
    assert trial.trial_id != id_of()


@pytest.mark.parametrize("changes", [{"rungs": (1,)}, {"keeps_artifact": False}], ids=str)
def test_a_trial_that_a_search_may_stop_or_that_leaves_no_model_is_another(changes):
    study = StudySpec(models=(ONE,))
    (trial,) = plan(study)
    changed = replace(trial, **changes)
    assert trial_id(changed, study, a_dataset(), KNOWN) != trial.trial_id


def test_an_id_is_the_same_in_every_version():
    """Or trials that are finished would be trained again: as in studies of version 0.1.0."""
    sizes = ArchitectureSpec(num_layers=2)
    variant = VariantSpec(model="minilm", name="one", init="random", architecture=sizes)
    assert id_of() == "one-s42-08dd870b98"
    assert id_of(variant=variant) == "one-s42-2ccd414597"


SVM = VariantSpec(model="tfidf-svm", name="one")


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": RecipeSpec(learning_rate=1e-3, num_epochs=9, global_batch_size=999)},
        {"scaling": ScalingSpec(num_workers=2)},
        {"data": DataSpec(max_resident_mb=1)},
        {"precision": "bf16"},
    ],
)
def test_what_means_nothing_to_a_linear_model_is_not_in_its_id(change):
    assert id_of(variant=SVM, **change) == id_of(variant=SVM)


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": RecipeSpec(class_weights="balanced")},
        {"known": Known(weights={"one": "tfidf-svm 2"})},
        {"dataset": a_dataset("c" * 32)},
        {"seeds": (43,)},
        {"data": DataSpec(limit_train=10)},
    ],
)
def test_what_may_change_a_linear_model_is_in_its_id(change):
    assert id_of(variant=SVM, **change) != id_of(variant=SVM)


def test_a_share_is_the_same_trial_on_any_curve():
    first = plan(StudySpec(models=(ONE,), curve=(0.2, 0.4)))[0]
    assert plan(StudySpec(models=(ONE,), curve=(1.0, 0.2)))[0] == first
