"""Students: a model with fewer of its layers, or a config with other sizes."""

from typing import Any

import torch

from agnews_ray.model.architectures import size_names
from agnews_ray.model.distilbert_form import as_distilbert
from agnews_ray.model.student_rules import own_sizes, student_sizes
from agnews_ray.spec.distillation import StudentSpec

MADE_OF_OTHER_SIZES = ("layer_types", "pooler_hidden_size")
"""The settings that a config computes from its sizes if they are not stated."""


def shorten(model: Any, student: StudentSpec) -> Any:
    """Keep some of a model's layers, and its embeddings and head.

    Args:
        model: a transformers model of one of ``student_rules.FAMILIES``; changed in place.
        student: a student with ``layers`` that were checked with the model's config.

    Returns:
        The same model, or with ``form: distilbert`` a new one with the same weights, but for the
        classification head, which has to be drawn.
    """
    _cut(model, student.layers or ())
    return as_distilbert(model) if student.form == "distilbert" else model


def _cut(model: Any, layers: tuple[int, ...]) -> None:
    """Leave out all other layers, in the model and in its config."""
    owner, name = _list_of_layers(model.base_model)
    setattr(owner, name, torch.nn.ModuleList([getattr(owner, name)[index] for index in layers]))
    config = model.config
    setattr(config, size_names(config.model_type)["num_layers"], len(layers))
    if getattr(config, "layer_types", None):
        config.layer_types = [config.layer_types[index] for index in layers]


def _list_of_layers(base: Any) -> tuple[Any, str]:
    """The module that holds the list of layers, and the list's name there."""
    if hasattr(base, "layers"):
        return base, "layers"  # ModernBERT
    return (base.transformer if hasattr(base, "transformer") else base.encoder), "layer"


def resized(config: Any, student: StudentSpec) -> Any:
    """Make a config with a student's sizes.

    Args:
        config: the config of the model; not changed.
        student: a student with sizes, checked with this config.

    Returns:
        A new config of the same type.
    """
    content = config.to_dict()
    names = size_names(config.model_type)
    wanted = student_sizes(student, own_sizes(content))
    kept = {key: value for key, value in content.items() if key not in MADE_OF_OTHER_SIZES}
    stated = {names[size]: value for size, value in wanted.items()}
    return type(config).from_dict({**kept, **stated})


def student_note(student: StudentSpec, whole: Any, config: Any, share: float) -> str:
    """Say what student was made.

    Args:
        student: the student.
        whole: the config of the model that it was made of, as it was before.
        config: its own config.
        share: the student's parameters, as a share of the whole model's.

    Returns:
        A line.
    """
    there, found = (own_sizes(one.to_dict()) for one in (whole, config))
    made = f"fresh weights, {found['num_layers']} layer(s) of width {found['hidden_size']}"
    if student.layers is not None:
        made = f"layers {', '.join(map(str, student.layers))} of {there['num_layers']}"
    form = "" if student.form == "same" else ", as a DistilBERT"
    return f"{made}{form}; {share:.1%} of the whole model's parameters"
