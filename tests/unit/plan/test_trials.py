import pytest

from agnews_ray.errors import SpecError
from agnews_ray.plan.planned import Known
from agnews_ray.plan.trials import plan_trials, same_question
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec, StopSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_dataset

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


OWN = VariantSpec(model="minilm", name="one", recipe=RecipeChanges(learning_rate=1e-5))


def test_steps_are_those_of_the_variants_own_recipe():
    own = OWN.model_copy(update={"recipe": RecipeChanges(num_epochs=1, global_batch_size=50)})
    assert plan(StudySpec(models=(own,)))[0].num_steps == 2


def test_a_variants_own_batch_must_not_be_larger_than_the_split():
    own = OWN.model_copy(update={"recipe": RecipeChanges(global_batch_size=101)})
    with pytest.raises(SpecError, match=r"one global batch of one \(101 rows\), found 100"):
        plan(StudySpec(models=(TWO, own)))


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
