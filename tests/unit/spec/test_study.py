"""The parts of a study must fit together."""

import re

import pytest
from pydantic import ValidationError

from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec

OWN_BATCH = VariantSpec(model="bert", recipe=RecipeChanges(global_batch_size=18))


def refuses(problem, **parts):
    with pytest.raises(ValidationError, match=re.escape(problem)) as caught:
        StudySpec(**parts)
    return [".".join(map(str, one["loc"])) for one in caught.value.errors()]


def test_workers_must_divide_the_global_batch():
    problem = "multiple of scaling.num_workers (3), found 16; use 18"
    assert refuses(problem, scaling=ScalingSpec(num_workers=3)) == ["recipe.global_batch_size"]


def test_a_batch_that_no_variant_uses_may_be_uneven():
    assert StudySpec(models=(OWN_BATCH,), scaling=ScalingSpec(num_workers=3))


def test_a_variants_own_batch_is_told_where_it_is_stated():
    models = (VariantSpec(model="bert", name="two"), OWN_BATCH)
    problem = "multiple of scaling.num_workers (4), found 18; use 20"
    paths = refuses(problem, models=models, scaling=ScalingSpec(num_workers=4))
    assert paths == ["models.1.recipe.global_batch_size"]


def test_the_trainers_engine_has_one_worker():
    models = (VariantSpec(model="bert"), VariantSpec(model="bert", engine="reference-best"))
    assert StudySpec(models=models)
    problem = "want 1 with engine: reference, found 2; use engine: fast, or one worker"
    assert refuses(problem, models=models, scaling=ScalingSpec(num_workers=2)) == [
        "scaling.num_workers"
    ]


def test_seeds_are_different_and_fit_into_31_bits():
    assert StudySpec(seeds=(0, 2**31 - 1)).seeds == (0, 2**31 - 1)
    assert refuses("want different seeds, found one twice", seeds=(1, 2, 1)) == ["seeds"]
    assert "seeds.0" in refuses("less than 2147483648", seeds=(2**31,))


@pytest.mark.parametrize("name", ["../x", ".hidden", "a/b", "-x", "x" * 101])
def test_a_name_that_is_no_folder_name_is_refused(name):
    assert refuses("want letters", name=name) == ["name"]


@pytest.mark.parametrize("name", ["", "a", "2.B_c-d", "x" * 100])
def test_a_name_that_is_a_folder_name_is_kept(name):
    assert StudySpec(name=name).name == name


@pytest.mark.parametrize(
    ("study", "is_default"),
    [
        (StudySpec(seeds=(1, 2), models=(VariantSpec(model="bert"),), name="x"), True),
        (StudySpec(recipe=RecipeSpec(num_epochs=1)), False),
        (StudySpec(data=DataSpec(source="x")), False),
    ],
)
def test_a_study_is_the_papers_by_its_data_and_recipe(study, is_default):
    assert study.is_default_study() == is_default


def test_a_curve_has_two_different_shares_and_always_all_rows():
    assert StudySpec().train_shares == (1.0,)
    assert StudySpec(curve=(0.3, 0.1)).train_shares == (0.1, 0.3, 1.0)
    assert refuses("want different shares, found one twice", curve=("10%", "0.1")) == ["curve"]
    assert refuses("at least two shares, found one (10%)", curve=("10%",)) == ["curve"]


def test_every_wrong_share_is_named():
    assert refuses("found '200%'", curve=("1%", "200%", "a")) == ["curve.1", "curve.2"]
