from pathlib import Path

import pytest

from agnews_ray.errors import SpecError
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.loader import build_study, override, read_job_file, to_yaml
from agnews_ray.spec.recipe import RecipeSpec, StopSpec

JOBS = sorted(
    path
    for path in (Path(__file__).parents[3] / "jobs").glob("*.yaml")
    if path.stem != "rayjob"  # for Kubernetes
)


def problems(content):
    with pytest.raises(SpecError) as caught:
        build_study(content, "job.yaml")
    return str(caught.value)


def test_nothing_said_is_the_papers_study():
    study = build_study({}, "flags")
    recipe = study.recipe
    assert [v.model for v in study.models] == ["distilbert", "minilm"]
    assert study.seeds == (42,)
    assert (study.data.source, study.data.max_length_tokens) == ("ag_news", 128)
    assert (recipe.num_epochs, recipe.learning_rate, recipe.global_batch_size) == (2, 2e-5, 16)
    assert (recipe.evaluation_batch_size, recipe.weight_decay) == (64, 0.01)
    assert (recipe.warmup_fraction, recipe.max_grad_norm) == (0.1, 1.0)
    assert (recipe.adam_beta1, recipe.adam_beta2, recipe.adam_epsilon) == (0.9, 0.999, 1e-8)


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_every_job_file_loads_and_survives_being_written(path):
    study = build_study(read_job_file(path), str(path))
    import yaml

    assert build_study(yaml.safe_load(to_yaml(study)), "again") == study


def test_half_a_character_is_refused_with_its_place():
    """YAML has escapes for it, and a terminal in another encoding sends it."""
    assert "want text, found half a character" in problems({"name": "demo\udcff"})


def test_the_paper_job_says_what_the_defaults_say():
    study = build_study(read_job_file(JOBS[0].with_name("paper.yaml")), "paper")
    assert (study.data, study.recipe) == (DataSpec(), RecipeSpec())


def test_a_variants_recipe_is_written_as_it_was_stated():
    own = {"model": "bert", "name": "fast", "recipe": {"learning_rate": 2e-5}}
    study = build_study({"models": ["bert", own]}, "job")
    import yaml

    written = yaml.safe_load(to_yaml(study))
    assert written["models"][1]["recipe"] == {"learning_rate": 2e-5}
    assert build_study(written, "again") == study


def test_flags_lie_over_the_job_file():
    content = override(
        {"recipe": {"num_epochs": 5, "learning_rate": 3e-5}},
        {"name": None, "recipe.num_epochs": 1},
    )
    recipe = build_study(content, "job").recipe
    assert (recipe.num_epochs, recipe.learning_rate) == (1, 3e-5)


def test_a_flag_reaches_below_a_section_and_leaves_the_file_alone():
    file = {"recipe": {"num_epochs": 5, "stop": {"patience": 1, "min_delta": 0.01}}}
    recipe = build_study(override(file, {"recipe.stop.patience": 3}), "job").recipe
    assert (recipe.num_epochs, recipe.stop) == (5, StopSpec(patience=3, min_delta=0.01))
    assert file["recipe"]["stop"]["patience"] == 1


def test_a_flag_below_what_is_no_section_is_refused_with_its_path():
    with pytest.raises(SpecError, match=r"recipe\.stop: want a mapping, found int"):
        override({"recipe": {"stop": 3}}, {"recipe.stop.patience": 3})


def test_a_key_that_must_be_given_is_named():
    text = problems({"recipe": {"stop": {"min_delta": 0.01}}})
    assert "recipe.stop.patience: want a value, found nothing; write it" in text


def test_all_problems_come_at_once_each_with_its_path():
    text = problems({"seeds": [-1], "recipe": {"num_epochs": 0, "learning_rate": "fast"}})
    assert [line.split(": ")[1] for line in text.splitlines()] == [
        "seeds.0",
        "recipe.num_epochs",
        "recipe.learning_rate",
    ]


def test_an_unknown_key_names_the_nearest_one():
    text = problems({"recipe": {"learnin_rate": 1e-5}})
    assert text == "job.yaml: recipe.learnin_rate: unknown key; did you mean 'learning_rate'?"


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "\xff"])
def test_a_file_that_is_no_job_is_explained(tmp_path, text):
    path = tmp_path / "job.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SpecError, match=r"job\.yaml: (line 1: )?want"):
        read_job_file(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"recipe": {"num_epochs": True}}, "recipe.num_epochs: want a whole number, found true"),
        ({"recipe": {"learning_rate": True}}, "recipe.learning_rate: want a number, found true"),
        ({"recipe": {"learning_rate": "2e-5"}}, "want a number, found '2e-5'; write it in decimal"),
        ({"seeds": ["1"]}, "seeds.0: want a whole number, found '1'"),
        ({"seeds": [1.0]}, "seeds.0: want a whole number, found 1.0"),
        ({"recipe": {"weight_decay": float("inf")}}, "recipe.weight_decay: want a finite number"),
        ({"data": {"has_header": 1}}, "data.has_header: want true or false, found 1"),
        ({"name": 2024}, "name: want text, found 2024; quote it"),
        ({"models": [2024]}, "models.0.model: want text, found 2024; quote it"),
        ({"data": {"class_names": ["a", False]}}, "class_names.1: want text, found false; quote"),
        ({"name": None}, "name: want text, found nothing; write it, or leave the key out"),
        ({"recipe": {"precision": "fp8"}}, "recipe.precision: want 'fp32', 'bf16', 'fp16' or"),
        ({"models": []}, "models: want at least one, found []; name one"),
        ({"seeds": 1}, "seeds: want a list, found 1; write it in brackets"),
        ({"recipe": 3}, "recipe: want a mapping, found 3; indent its keys"),
    ],
    ids=str,
)
def test_a_value_of_another_kind_is_not_converted_in_silence(content, expected):
    text = problems(content)
    assert expected in text
    assert "\n" not in text


def test_a_whole_number_may_stand_for_a_fraction():
    assert build_study({"recipe": {"weight_decay": 0}}, "job").recipe.weight_decay == 0.0


def test_an_empty_job_file_is_said_to_be_empty(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("# nothing yet\n")
    with pytest.raises(SpecError, match="keys such as models, found nothing"):
        read_job_file(path)
