"""A search space that no study could use is refused, with its place and the reason."""

import pytest

from agnews_ray.errors import SpecError
from agnews_ray.spec.loader import build_study, read_job_file, to_yaml
from agnews_ray.spec.search import as_written, is_integer, with_settings
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec

LOG_RATE = {"low": 1e-5, "high": 1e-3, "log": True}
FRESH = [{"model": "minilm", "init": "random"}]


def study_with(space, models=("minilm",), **others):
    return build_study({"models": list(models), "search": {"space": space}} | others, "job.yaml")


def problems_of(space, **others):
    with pytest.raises(SpecError) as caught:
        study_with(space, **others)
    return caught.value.problems


def test_ranges_and_lists_are_both_read():
    study = study_with({"recipe.learning_rate": LOG_RATE, "recipe.num_epochs": [1, 2, 3]})
    assert study.search.space["recipe.learning_rate"].log
    assert study.search.space["recipe.num_epochs"].choices == (1, 2, 3)


def test_sections_may_be_nested():
    nested = {"recipe": {"learning_rate": LOG_RATE, "stop": {"patience": [1, 2]}}}
    plain = {"recipe.learning_rate": LOG_RATE, "recipe.stop.patience": [1, 2]}
    assert study_with(nested).search == study_with(plain).search


def test_a_written_search_is_read_back(tmp_path):
    study = study_with({"recipe.learning_rate": LOG_RATE, "recipe.num_epochs": [1, 2]})
    (tmp_path / "job.yaml").write_text(to_yaml(study))
    assert build_study(read_job_file(tmp_path / "job.yaml"), "again").search == study.search


@pytest.mark.parametrize(
    ("space", "place", "words"),
    [
        ({"recipe.learning_rat": LOG_RATE}, "recipe.learning_rat", "want a field of recipe"),
        ({"optimizer.name": ["a", "b"]}, "optimizer.name", "want a path such as"),
        ({"learning_rate": LOG_RATE}, "learning_rate", "want a path such as"),
        ({"recipe.class_weights": ["none", [1, 2]]}, "recipe.class_weights", "found [1, 2]"),
        ({"recipe.learning_rate": [None, 1e-3]}, "recipe.learning_rate", "found None"),
        ({"recipe.num_epochs": {"low": 1, "high": 3, "step": 5}}, "recipe.num_epochs", "step of"),
        ({"recipe.num_epochs": [2, 2]}, "recipe.num_epochs", "at least two different values"),
        ({"recipe.num_epochs": []}, "recipe.num_epochs", "at least two different values"),
        ({"recipe.learning_rate": {"low": 1e-3}}, "recipe.learning_rate", "both low and high"),
        (
            {"recipe.learning_rate": {"low": 1e-3, "high": 1e-3}},
            "recipe.learning_rate",
            "low < high",
        ),
        (
            {"recipe.weight_decay": {"low": 0, "high": 1, "log": True}},
            "recipe.weight_decay",
            "low > 0",
        ),
        ({"recipe.num_epochs": {"low": 1, "high": 2.5}}, "recipe.num_epochs", "whole numbers"),
        ({"recipe.learning_rate": {"low": 0.1, "high": 5}}, "recipe.learning_rate", "less than 1"),
        ({"recipe.num_epochs": [0, 1]}, "recipe.num_epochs", "greater than or equal to 1"),
        ({"recipe.class_weights": ["none", "bal"]}, "recipe.class_weights", "balanced"),
        ({"recipe.precision": {"low": 1, "high": 2}}, "recipe.precision", "want a list of values"),
        (
            {"recipe.evaluation_batch_size": [8, 16]},
            "recipe.evaluation_batch_size",
            "change a score",
        ),
        ({"architecture.num_layers": [1, 2]}, "architecture.num_layers", "init: random"),
    ],
    ids=lambda value: value if isinstance(value, str) else "space",
)
def test_a_wrong_parameter_is_named_with_the_reason(space, place, words):
    (problem,) = problems_of(space)
    assert problem.startswith(f"search.space.{place}")
    assert words in problem


def test_wrong_values_of_several_parameters_are_told_together():
    space = {"recipe.num_epochs": [0, 1], "recipe.warmup_fraction": {"low": 0, "high": 2}}
    assert len(problems_of(space)) == 2


def test_an_empty_space_is_refused():
    assert "search.space" in problems_of({})[0]


@pytest.mark.parametrize(
    "values", [[15, 16], {"low": 16, "high": 32}, {"low": 16, "high": 32, "step": 3}]
)
def test_batches_that_workers_cannot_share_are_refused(values):
    (problem,) = problems_of({"recipe.global_batch_size": values}, scaling={"num_workers": 2})
    assert "multiples of scaling.num_workers (2)" in problem


def test_batches_in_even_steps_can_be_shared():
    values = {"low": 16, "high": 32, "step": 4}
    study = study_with({"recipe.global_batch_size": values}, scaling={"num_workers": 2})
    assert study.search.space["recipe.global_batch_size"].step == 4


def test_settings_go_over_a_variants_own_and_leave_the_rest():
    variant = VariantSpec(
        model="minilm", init="random", architecture=ArchitectureSpec(num_layers=4, num_heads=4)
    )
    found = with_settings(variant, {"recipe.num_epochs": 3, "architecture.num_layers": 2})
    assert found.recipe.stated() == {"num_epochs": 3}
    assert (found.architecture.num_layers, found.architecture.num_heads) == (2, 4)
    assert variant.architecture.num_layers == 4


def test_numbers_are_written_as_their_field_wants_them():
    assert is_integer("recipe.num_epochs")
    assert not is_integer("recipe.learning_rate")
    assert repr(as_written("architecture.num_layers", 3.0)) == "3"
    assert repr(as_written("recipe.learning_rate", 1.0)) == "1.0"
