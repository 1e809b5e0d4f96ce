"""What is said of a job file that is wrong: where, what was wanted, what was found, what to do."""

import pytest

from agnews_ray.errors import SpecError
from agnews_ray.spec.loader import build_study, override


def problems(content):
    with pytest.raises(SpecError) as caught:
        build_study(content, "job.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"recipe": {"num_epochs": 0}},
            "recipe.num_epochs: want greater than or equal to 1, found",
        ),
        ({"recipe": {"zzz": 1}}, "recipe.zzz: unknown key; known keys: num_epochs, learning_rate,"),
        ({"nam": "x"}, "nam: unknown key; did you mean 'name'?"),
        (
            {"models": [{"model": "bert", "architecture": {"num_layer": 2}}]},
            "models.0.architecture.num_layer: unknown key; did you mean 'num_layers'?",
        ),
        (
            {"models": [{"model": "bert", "ini": "x"}]},
            "models.0.ini: unknown key; did you mean 'in",
        ),
        (
            {"models": ["bert", {"model": "bert", "recipe": {"num_epochs": 0}}]},
            "models.1.recipe.num_epochs: want greater than or equal to 1, found 0; change it",
        ),
        (
            {"models": ["bert", {"model": "bert", "recipe": {"learning_rat": 0.1}}]},
            "models.1.recipe.learning_rat: unknown key; did you mean 'learning_rate'?",
        ),
        (
            {
                "models": ["bert", {"model": "bert", "recipe": {"global_batch_size": 9}}],
                "scaling": {"num_workers": 2},
            },
            "models.1.recipe.global_batch_size: want a multiple of scaling.num_workers (2), found",
        ),
        ({"data": {"quotes": "none"}}, "data.quotes: unknown key; did you mean 'quote'?"),
        ({"seeds": [1, 1]}, "seeds: want different seeds, found one twice"),
    ],
    ids=str,
)
def test_a_problem_is_told_in_one_line_with_its_path(content, expected):
    (problem,) = problems(content)
    assert problem.startswith(expected)


def test_all_that_does_not_fit_together_is_told_at_once():
    own = {"model": "bert", "recipe": {"global_batch_size": 9}, "engine": "reference"}
    content = {"models": ["bert", own], "scaling": {"num_workers": 6}, "seeds": [1, 1]}
    assert [problem.partition(": ")[0] for problem in problems(content)] == [
        "recipe.global_batch_size",
        "models.1.recipe.global_batch_size",
        "scaling.num_workers",
        "seeds",
    ]


def test_two_keys_of_like_names_are_not_both_proposed():
    (problem,) = problems({"recipe": {"adam_beta": 0.9}})
    assert problem.endswith(("did you mean 'adam_beta1'?", "did you mean 'adam_beta2'?"))


def test_a_flag_may_name_a_whole_key():
    assert override({"name": "old", "seeds": [1]}, {"name": "new"}) == {"name": "new", "seeds": [1]}


def test_a_flag_leaves_the_rest_of_its_section():
    content = {"recipe": {"num_epochs": 5, "weight_decay": 0.0}}
    merged = override(content, {"recipe.num_epochs": 1, "data.source": "x"})
    assert merged == {"recipe": {"num_epochs": 1, "weight_decay": 0.0}, "data": {"source": "x"}}
    assert content["recipe"]["num_epochs"] == 5


def test_a_flag_into_what_is_no_section_is_refused():
    with pytest.raises(SpecError) as caught:
        override({"recipe": [1]}, {"recipe.num_epochs": 1})
    assert str(caught.value) == ("job file: recipe: want a mapping, found list; indent its keys")
