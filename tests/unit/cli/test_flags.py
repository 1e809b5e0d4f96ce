"""Flags that say what to run: how their words become values."""

from typing import get_args

import click
import pytest
from click.testing import CliRunner

from agnews_ray.cli.flags import NO_TEXTS, overrides, study_options
from agnews_ray.errors import SpecError
from agnews_ray.spec.distillation import DistillationSpec
from agnews_ray.spec.loader import build_study, override
from agnews_ray.spec.study import StudySpec


def study_of(*words):
    found = {}

    @click.command()
    @study_options
    def command(**flags):
        found.update({name.replace("__", "."): value for name, value in flags.items()})

    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = {name: value for name, value in found.items() if value is not None}
    return build_study(override({}, found), "flags")


def test_numbers_are_read_as_those_of_a_job_file():
    study = study_of("--learning-rate", "2e-5", "--seeds", "1, 2", "--epochs", "1")
    assert (study.recipe.learning_rate, study.seeds, study.recipe.num_epochs) == (2e-5, (1, 2), 1)
    assert study_of("--header", "true", "--label-base", "1").data.has_header is True


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], "none"), (["balanced"], "balanced"), (["none"], "none"), (["1,2.5, 3"], (1.0, 2.5, 3.0))],
)
def test_class_weights_are_a_word_or_numbers(words, expected):
    flag = ["--class-weights"] * bool(words)
    assert study_of(*flag, *words).recipe.class_weights == expected


def test_a_name_may_look_like_a_number():
    study = study_of("--name", "2024", "--class-names", "no,010", "--label-column", "2")
    assert (study.name, study.data.class_names, study.data.label_column) == (
        "2024",
        ("no", "010"),
        "2",
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--seeds", "1,1"], "seeds: want different seeds"),
        (["--seeds", "010"], "seeds.0: want a whole number, found '010'"),
        (["--seeds", "1_0"], "seeds.0: want a whole number, found '1_0'"),
        (["--seeds", "1.5"], "seeds.0: want a whole number, found 1.5"),
        (["--seeds", ""], "seeds: want at least one"),
        (["--models", ","], "models: want at least one"),
        (["--learning-rate", "true"], "recipe.learning_rate: want a number, found true"),
        (["--learning-rate", "nan"], "recipe.learning_rate: want a number, found 'nan'"),
        (["--learning-rate", ".inf"], "recipe.learning_rate: want a number, found '.inf'"),
        (["--label-smoothing", "1"], "recipe.label_smoothing: want less than 1, found 1"),
        (["--class-weights", "even"], "recipe.class_weights: want none, balanced, or a positive"),
        (["--class-weights", "1,0"], "for each class, found [1, 0]"),
        (["--class-weights", "1,true"], "for each class, found [1, True]"),
        (["--class-weights", ".inf"], "for each class, found ['.inf']"),
        (["--epochs", ""], "recipe.num_epochs: want a whole number, found ''"),
        (["--epochs", "1e0"], "recipe.num_epochs: want a whole number, found 1.0"),
        (["--limit-train", "0x10"], "data.limit_train: want a whole number, found '0x10'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_no_number_is_refused(words, expected):
    with pytest.raises(SpecError) as caught:
        study_of(*words)
    assert expected in str(caught.value)


def field_at(path):
    """The field of a study at a dotted path; a section may be left out, or None."""
    part = StudySpec
    *sections, key = path.split(".")
    for section in sections:
        annotation = part.model_fields[section].annotation
        part = next(
            one for one in (annotation, *get_args(annotation)) if hasattr(one, "model_fields")
        )
    return part.model_fields[key]


def test_every_field_that_is_no_text_is_read_as_none():
    def takes_text(annotation):
        inner = get_args(annotation)
        return annotation is str or isinstance(annotation, str) or any(map(takes_text, inner))

    options = study_options(click.command()(str)).params
    flags = {p.name.replace("__", ".") for p in options if not p.is_flag}
    of_students = {"teacher", "temperature", "soft_weight", "transfer"}
    for name in flags - {"init", "engine", "models"} - of_students:
        assert takes_text(field_at(name).annotation) == (name not in NO_TEXTS), name
    for name in of_students:
        annotation = DistillationSpec.model_fields[name].annotation
        assert (annotation is float) == (name in NO_TEXTS), name


def test_an_engine_is_for_models_that_are_fine_tuned():
    flags = dict.fromkeys(("models", "init", "engine"))
    flags |= {"models": ["tfidf-svm", {"model": "embed-logreg:minilm"}, "minilm"]}
    found = overrides(None, flags | {"engine": "reference", "init": "random"})
    assert found["models"] == [
        {"model": "tfidf-svm"},
        {"model": "embed-logreg:minilm"},
        {"model": "minilm", "init": "random", "engine": "reference"},
    ]
