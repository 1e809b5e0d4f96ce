import pytest

from agnews_ray.errors import SpecError
from agnews_ray.plan.budget import steps_per_epoch, warmup_steps
from agnews_ray.plan.trials import plan_trials, same_question, slug
from agnews_ray.spec.study import DataSpec, RecipeSpec, StudySpec, VariantSpec
from tests.fakes.records import a_dataset

ONE, TWO = VariantSpec(model="minilm", name="one"), VariantSpec(model="bert", name="two")
IDENTITIES = {"one": "minilm@main", "two": "bert@main", "renamed": "minilm@main"}


def plan(study, dataset=None, precision="fp32"):
    return plan_trials(study, dataset or a_dataset(), IDENTITIES, "cpu", precision)


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


def test_the_id_depends_on_what_may_change_the_result():
    def trial_id(study=StudySpec(models=(ONE,)), **facts):  # noqa: B008
        return plan(study, **facts)[0].trial_id

    base = trial_id()
    assert trial_id() == base
    assert trial_id(StudySpec(name="other", models=(ONE, TWO), seeds=(42, 1))) == base
    different = [
        trial_id(StudySpec(models=(ONE,), recipe=RecipeSpec(num_epochs=3))),
        trial_id(StudySpec(models=(ONE,), data=DataSpec(max_length_tokens=64))),
        trial_id(StudySpec(models=(ONE,), seeds=(43,))),
        trial_id(dataset=a_dataset("c" * 32)),
        trial_id(precision="bf16"),
    ]
    assert len({base, *different}) == 6


def test_steps_count_the_last_partial_batch():
    assert plan(StudySpec(models=(ONE,)))[0].num_steps == 2 * 7  # 100 rows in batches of 16
    assert steps_per_epoch(32, 16) == 2


def test_warm_up_rounds_up_as_the_trainer_does():
    from transformers import TrainingArguments

    for steps in (1, 7, 10, 1001):
        arguments = TrainingArguments(output_dir="unused", warmup_steps=0.1, use_cpu=True)
        assert warmup_steps(steps, 0.1) == arguments.get_warmup_steps(steps)


def test_fewer_rows_than_a_batch_are_refused():
    with pytest.raises(SpecError, match="at least one global batch"):
        plan(StudySpec(models=(ONE,)), a_dataset(num_rows=15))


def test_two_variants_of_one_name_are_refused():
    with pytest.raises(SpecError, match="'one' twice"):
        plan(StudySpec(models=(ONE, ONE)))


def test_a_study_may_grow_by_seeds_and_models_but_not_change_its_question():
    first = StudySpec(models=(ONE,))
    assert same_question(first, StudySpec(models=(TWO,), seeds=(7,))) == []
    assert same_question(first, StudySpec(recipe=RecipeSpec(num_epochs=1))) == [
        "recipe.num_epochs: 2 there, 1 asked"
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("microsoft/MiniLM-L12", "minilm-l12"), ("../..", "model"), ("a b;rm -rf", "a-b-rm-rf")],
)
def test_a_slug_is_safe_in_a_path(name, expected):
    assert slug(name) == expected
