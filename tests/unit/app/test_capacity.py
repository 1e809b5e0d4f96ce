"""A disk that cannot hold what a study leaves is known before anything is trained."""

import shutil
from dataclasses import replace

import pytest

from agnews_ray.app.capacity import (
    BYTES_PER_PARAMETER,
    SPARE_BYTES,
    check_disk,
    linear_parameters,
)
from agnews_ray.errors import ResourceError
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_dataset


def trials(count):
    variant = VariantSpec(model="minilm", name="one")
    facts = {"device": "cpu", "precision": "fp32", "num_steps": 1, "recipe": RecipeSpec()}
    return [
        PlannedTrial(trial_id=f"one-s{seed}-0", variant=variant, seed=seed, **facts)
        for seed in range(count)
    ]


@pytest.fixture
def half_of_what_is_free(tmp_path):
    """Parameters of which one artifact fits on this disk, and three do not."""
    return (shutil.disk_usage(tmp_path).free // 2 - SPARE_BYTES) // BYTES_PER_PARAMETER


def test_what_fits_is_let_through(tmp_path, half_of_what_is_free):
    check_disk(str(tmp_path / "not/yet/there"), trials(1), {"one": half_of_what_is_free}, 400)


def test_more_than_is_free_is_refused_with_both_figures(tmp_path, half_of_what_is_free):
    with pytest.raises(ResourceError, match=r"MiB of disk for the files of 3 .* MiB free; free"):
        check_disk(str(tmp_path), trials(3), {"one": half_of_what_is_free}, 400)


def test_many_test_rows_count_as_well(tmp_path, half_of_what_is_free):
    with pytest.raises(ResourceError):
        check_disk(str(tmp_path), trials(1), {"one": 1000}, half_of_what_is_free * 4)


def test_models_that_are_not_kept_need_no_room(tmp_path, half_of_what_is_free):
    searched = [replace(trial, keeps_artifact=False) for trial in trials(3)]
    check_disk(str(tmp_path), searched, {"one": half_of_what_is_free}, 400)


def test_of_an_object_store_nothing_is_known():
    check_disk("s3://bucket/study", trials(3), {"one": 10**18}, 400)


def test_a_linear_model_is_estimated_from_its_rows():
    assert linear_parameters(a_dataset(num_rows=1000)) == 6 * 1000 * 8
