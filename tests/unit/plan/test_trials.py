from dataclasses import replace

import pytest

from agnews_ray.errors import SpecError
from agnews_ray.plan.looks import NEVER
from agnews_ray.plan.planned import Known, trial_id
from agnews_ray.plan.trials import plan_trials, same_question
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


def test_every_variant_runs_with_every_seed():
    trials = plan(StudySpec(models=(ONE, TWO), seeds=(1, 2)))
    assert [(t.variant.name, t.seed) for t in trials] == [
        ("one", 1),
        ("one", 2),
        ("two", 1),
        ("two", 2),
    ]
    assert len({t.trial_id for t in trials}) == 4


def test_a_variant_may_have_a_precision_of_its_own():
    study = StudySpec(models=(ONE, TWO))
    one, two = plan(study, precision={"one": "bf16", "two": "fp32"})
    assert (one.precision, two.precision) == ("bf16", "fp32")
    assert (one.trial_id, two.trial_id) == (
        plan(study, precision="bf16")[0].trial_id,
        plan(study, precision="fp32")[1].trial_id,
    )


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


def test_steps_are_those_of_the_variants_own_recipe():
    own = OWN.model_copy(update={"recipe": RecipeChanges(num_epochs=1, global_batch_size=50)})
    assert plan(StudySpec(models=(own,)))[0].num_steps == 2


def test_a_variants_own_batch_must_not_be_larger_than_the_split():
    own = OWN.model_copy(update={"recipe": RecipeChanges(global_batch_size=101)})
    with pytest.raises(SpecError, match=r"one global batch of one \(101 rows\), found 100"):
        plan(StudySpec(models=(TWO, own)))


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


def test_a_rule_to_stop_needs_a_validation_split():
    rule = StopSpec(patience=1)
    own = OWN.model_copy(update={"recipe": RecipeChanges(stop=rule)})
    wanted = "want a validation split, found none; set data.validation_fraction"
    with pytest.raises(SpecError, match=rf"recipe\.stop: {wanted}"):
        plan(StudySpec(models=(ONE,), recipe=RecipeSpec(stop=rule)))
    with pytest.raises(SpecError, match=rf"recipe\.stop of one: {wanted}"):
        plan(StudySpec(models=(TWO, own)))
    cut = a_dataset().model_copy(update={"num_validation": 10})
    assert plan(StudySpec(models=(TWO, own)), cut)[1].recipe.stop == rule


def test_a_trial_is_planned_for_its_device():
    study = StudySpec(models=(ONE,))
    assert plan_trials(study, a_dataset(), KNOWN, "cuda", "fp16")[0].device == "cuda"


def test_steps_count_the_last_partial_batch():
    assert plan(StudySpec(models=(ONE,)))[0].num_steps == 2 * 7  # 100 rows in batches of 16


def test_fewer_rows_than_a_batch_are_refused():
    assert len(plan(StudySpec(models=(ONE,)), a_dataset(num_rows=16))) == 1
    with pytest.raises(SpecError, match="study: train split: want at least one global batch"):
        plan(StudySpec(models=(ONE,)), a_dataset(num_rows=15))


def test_two_variants_of_one_name_are_refused():
    with pytest.raises(SpecError, match="study: models: want different names, found 'one' twice"):
        plan(StudySpec(models=(ONE, ONE)))


def test_a_study_may_grow_by_seeds_and_models_but_not_change_its_question():
    first = StudySpec(models=(ONE,))
    assert same_question(first, StudySpec(models=(TWO,), seeds=(7,))) == []
    assert same_question(first, StudySpec(recipe=RecipeSpec(num_epochs=1))) == [
        "recipe.num_epochs: 2 there, 1 asked"
    ]


def test_a_study_may_grow_by_a_variant_with_a_recipe_of_its_own():
    assert same_question(StudySpec(models=(ONE,)), StudySpec(models=(ONE, OWN))) == []


def test_rows_known_to_be_the_same_may_lie_elsewhere():
    first = StudySpec(data=DataSpec(source="one", test_source="two"))
    second = StudySpec(data=DataSpec(source="three", test_source="four", max_length_tokens=64))
    length = "data.max_length_tokens: 128 there, 64 asked"
    assert same_question(first, second, has_same_rows=True) == [length]
    assert same_question(first, second) == [
        "data.source: 'one' there, 'three' asked",
        "data.test_source: 'two' there, 'four' asked",
        length,
    ]


def test_workers_are_part_of_the_question():
    first, second = StudySpec(), StudySpec(scaling=ScalingSpec(num_workers=2))
    assert same_question(first, second) == ["scaling.num_workers: 1 there, 2 asked"]


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
        {"identities": {"one": "tfidf-svm 2"}},
        {"dataset": a_dataset("c" * 32)},
        {"seeds": (43,)},
        {"data": DataSpec(limit_train=10)},
    ],
)
def test_what_may_change_a_linear_model_is_in_its_id(change):
    assert id_of(variant=SVM, **change) != id_of(variant=SVM)


def test_a_linear_model_is_fitted_without_steps_on_a_cpu_in_fp32():
    study = StudySpec(models=(SVM,))
    (trial,) = plan_trials(study, a_dataset(num_rows=3), KNOWN, "cuda", "fp16")
    assert (trial.num_steps, trial.device, trial.precision) == (0, "cpu", "fp32")


def test_a_curve_adds_trials_and_leaves_those_of_all_rows_what_they_are():
    plain = plan(StudySpec(models=(ONE,), seeds=(1, 2)))
    trials = plan(StudySpec(models=(ONE,), seeds=(1, 2), curve=(0.4, 0.2)))
    assert [(t.train_share, t.seed, t.num_steps) for t in trials] == [
        (0.2, 1, 2 * 2),  # 20 rows in batches of 16
        (0.2, 2, 2 * 2),
        (0.4, 1, 2 * 3),
        (0.4, 2, 2 * 3),
        (1.0, 1, 2 * 7),
        (1.0, 2, 2 * 7),
    ]
    assert trials[4:] == plain
    assert [trial.keeps_artifact for trial in trials] == [False] * 4 + [True] * 2
    assert len({trial.trial_id for trial in trials}) == 6


def test_a_share_is_the_same_trial_on_any_curve():
    first = plan(StudySpec(models=(ONE,), curve=(0.2, 0.4)))[0]
    assert plan(StudySpec(models=(ONE,), curve=(1.0, 0.2)))[0] == first


def test_all_shares_that_are_too_small_are_named():
    with pytest.raises(SpecError) as caught:
        plan(StudySpec(models=(ONE, TWO), curve=(0.001, 0.1, 0.2)))
    first, second = caught.value.problems
    assert first.startswith("curve: 0.1% of the train rows: want at least one global batch (16 ")
    assert (
        "curve: 10% of the train rows: want at least one global batch (16 rows), found 10" in second
    )


def test_a_share_with_fewer_rows_than_classes_is_refused():
    split = a_dataset().train.model_copy(update={"class_counts": (4,) * 25})
    dataset = a_dataset().model_copy(update={"train": split})
    with pytest.raises(SpecError, match="20% of the train rows: want a row of each of 25 classes"):
        plan(StudySpec(models=(ONE,), curve=(0.2, 0.5)), dataset)
