"""Names of linear models, and which settings they have."""

import pytest
from pydantic import ValidationError

from agnews_ray.spec.linear_models import (
    DEFAULT_ENCODER,
    is_linear,
    keys_with_effect,
    kind_of,
    weights_name,
)
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


@pytest.mark.parametrize(
    ("model", "kind", "weights"),
    [
        ("tfidf-svm", "tfidf-svm", None),
        ("tfidf-logreg", "tfidf-logreg", None),
        ("embed-logreg", "embed-logreg", DEFAULT_ENCODER),
        ("embed-logreg:minilm", "embed-logreg", "minilm"),
        ("embed-logreg:/a/b:c", "embed-logreg", "/a/b:c"),
        ("minilm", None, "minilm"),
        ("tfidf-svm/x", None, "tfidf-svm/x"),
    ],
)
def test_a_name_says_the_kind_and_whose_weights_are_loaded(model, kind, weights):
    assert (kind_of(model), is_linear(model), weights_name(model)) == (
        kind,
        kind is not None,
        weights,
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "tfidf-svm", "init": "random"}, "init: no meaning for tfidf-svm"),
        ({"model": "tfidf-svm", "revision": "main"}, "revision: no meaning for tfidf-svm"),
        (
            {"model": "embed-logreg:minilm", "engine": "reference", "keep_head": True},
            "keep_head, engine: no meaning for embed-logreg:minilm",
        ),
        (
            {"model": "tfidf-logreg", "recipe": {"learning_rate": 1e-4, "class_weights": "none"}},
            "recipe.learning_rate: no meaning for tfidf-logreg",
        ),
        ({"model": "embed-logreg:"}, "want an encoder after the colon, found ''"),
        ({"model": "embed-logreg:tfidf-svm"}, "want an encoder after the colon"),
    ],
)
def test_what_would_have_no_effect_is_refused_in_one_line(settings, said):
    with pytest.raises(ValidationError) as caught:
        VariantSpec.model_validate(settings)
    (error,) = caught.value.errors()
    assert said in error["msg"]
    assert "\n" not in error["msg"]


def test_what_has_an_effect_may_be_stated():
    weighted = {
        "model": "embed-logreg:a/b",
        "revision": "v1",
        "recipe": {"class_weights": "balanced"},
    }
    variant = VariantSpec.model_validate(weighted)
    assert variant.recipe_in(RecipeSpec()).class_weights == "balanced"


def test_of_the_recipe_only_class_weights_count():
    keys = ("num_epochs", "class_weights", "learning_rate")
    assert keys_with_effect("tfidf-svm", keys) == ("class_weights",)
    assert keys_with_effect("minilm", keys) == keys


def test_batches_that_workers_cannot_share_do_not_concern_them():
    three = {"scaling": {"num_workers": 3}}  # 16 rows a batch
    StudySpec.model_validate({"models": [{"model": "tfidf-svm"}], **three})
    with pytest.raises(ValidationError, match="want a multiple of"):
        StudySpec.model_validate({"models": [{"model": "minilm"}], **three})
