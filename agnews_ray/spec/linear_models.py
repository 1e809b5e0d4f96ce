"""Linear models by name: cheap comparisons, which are fitted in seconds and not fine-tuned.

They are linear classifiers on fixed features: counts of words (TF-IDF), or the mean of a frozen
encoder's token vectors. The recipe's steps, learning rate, engine and so on mean nothing to them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

EMBEDDING = "embed-logreg"

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
"""The encoder of ``embed-logreg`` alone. It was trained so that the mean of its token vectors says
what a sentence is about, which a model that only learned to fill gaps was not."""

LINEAR_ENGINE = "scikit-learn"
"""The name of what fits linear models, in the place of an engine."""

HAVE_EFFECT = ("class_weights",)
"""The keys of a recipe that change a linear model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearRules:
    """How a linear model is made; its numbers were chosen on validation rows of AG News."""

    version: int = 1
    """Raised when the same rows give another model: it is part of trial ids."""
    cost: float
    """The C of its loss: a larger value regularises less."""
    summary: str
    """What it is, in a few words."""


LINEAR: Mapping[str, LinearRules] = {
    "tfidf-svm": LinearRules(cost=0.5, summary="linear SVM on TF-IDF of words and pairs of words"),
    "tfidf-logreg": LinearRules(
        cost=10.0, summary="logistic regression on TF-IDF of words and pairs of words"
    ),
    EMBEDDING: LinearRules(
        cost=1.0, summary="logistic regression on the mean token vector of a frozen encoder"
    ),
}


def kind_of(model: str) -> str | None:
    """Return the linear model that a name means.

    Args:
        model: the name of a variant's model, such as ``tfidf-svm`` or ``embed-logreg:minilm``.

    Returns:
        A key of ``LINEAR``; None for all other models, which are fine-tuned.
    """
    kind = EMBEDDING if model.startswith(f"{EMBEDDING}:") else model
    return kind if kind in LINEAR else None


def is_linear(model: str) -> bool:
    """Whether a name means a linear model."""
    return kind_of(model) is not None


def weights_name(model: str) -> str | None:
    """Return the model whose pretrained weights are used.

    Args:
        model: the name of a variant's model.

    Returns:
        An alias, hub id or folder: the name itself, or the encoder of ``embed-logreg:ENCODER``;
        None for a linear model without an encoder.
    """
    if model == EMBEDDING:
        return DEFAULT_ENCODER
    if model.startswith(f"{EMBEDDING}:"):
        return model.removeprefix(f"{EMBEDDING}:")
    return None if is_linear(model) else model


def keys_with_effect(model: str, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of a recipe that may change what this model learns or scores."""
    return tuple(key for key in keys if not is_linear(model) or key in HAVE_EFFECT)


def misfit(model: str, stated: Iterable[str]) -> str | None:
    """Say what is stated for a linear model although it would have no effect.

    Args:
        model: the name of a variant's model.
        stated: the settings of the variant that differ from their defaults; of its recipe by
            dotted name.

    Returns:
        A reason with what to do; None if all is well, or if the model is fine-tuned.
    """
    if not is_linear(model):
        return None
    encoder = weights_name(model)
    if encoder is not None and (not encoder or is_linear(encoder)):
        return f"model: want an encoder after the colon, found {encoder!r}; use {EMBEDDING}:minilm"
    allowed = {f"recipe.{key}" for key in HAVE_EFFECT} | ({"revision"} if encoder else set())
    unfit = [name for name in stated if name not in allowed]
    if not unfit:
        return None
    names = ", ".join(unfit)
    return f"{names}: no meaning for {model}, which is not fine-tuned; leave it out"
