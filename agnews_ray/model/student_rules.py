"""What student can be made of a model, by its config alone, and how it is named.

Neither torch nor transformers is imported, so that a dry run is fast.
"""

from collections.abc import Mapping
from typing import Any

from agnews_ray.errors import ModelError
from agnews_ray.model.architectures import size_names
from agnews_ray.model.messages import clipped, refused
from agnews_ray.spec.distillation import StudentSpec
from agnews_ray.spec.variant import VariantSpec

FAMILIES = (
    "bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert", "mpnet", "deberta-v2",
    "modernbert",
)  # fmt: skip
"""The model types whose layers are blocks of their own in a list, and whose sizes have the usual
names."""

DISTILBERT_EPSILON = 1e-12
"""The epsilon of all LayerNorms of transformers' DistilBERT, which no setting changes."""


def own_sizes(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes that a config states.

    Args:
        config: the content of a config.json.

    Returns:
        The sizes by the names of ``ArchitectureSpec``; those that it leaves out are missing.
    """
    names = size_names(str(config.get("model_type")))
    return {size: config[name] for size, name in names.items() if isinstance(config.get(name), int)}


def student_sizes(student: StudentSpec, whole: Mapping[str, int]) -> dict[str, int]:
    """Return a student's sizes.

    Args:
        student: the student.
        whole: the sizes of the model that it is made of.

    Returns:
        The same sizes, changed; a new width keeps the ratio of the feed-forward layer to it.
    """
    if student.layers is not None:
        return {**whole, "num_layers": len(student.layers)}
    found = {**whole, **student.sizes}
    if student.intermediate_size is None and {"hidden_size", "intermediate_size"} <= whole.keys():
        ratio = whole["intermediate_size"] / whole["hidden_size"]
        found["intermediate_size"] = round(ratio * found["hidden_size"])
    return found


def check_student(model: str, student: StudentSpec, config: Mapping[str, Any]) -> None:
    """Refuse a student that cannot be made of a model.

    Args:
        model: the name that the user wrote.
        student: the student.
        config: the content of the model's config.json, or what is known of it.

    Raises:
        ModelError: the family, a layer, or a size does not fit; the message says what would.
    """
    model_type = config.get("model_type")
    if model_type not in FAMILIES:
        raise refused(model, f"a student of one of {', '.join(FAMILIES)}",
                      "albert, whose layers are one block" if model_type == "albert"
                      else f"model_type {model_type!r}", "choose another model")  # fmt: skip
    if student.layers is not None:
        _check_layers(model, student.layers, config)
    if student.form == "distilbert":
        _check_form(model, config)
    sizes = student_sizes(student, own_sizes(config))
    width, heads = sizes.get("hidden_size"), sizes.get("num_heads")
    if width and heads and width % heads:
        hint = "change one of them in student"
        found = f"hidden_size {width} and num_heads {heads}"
        raise refused(model, "hidden_size / num_heads whole", found, hint)


def _check_layers(model: str, layers: tuple[int, ...], config: Mapping[str, Any]) -> None:
    there = own_sizes(config).get("num_layers")
    if there is not None and layers[-1] >= there:
        hint = "count layers from 0"
        wanted = f"layers between 0 and {there - 1}, as it has {there}"
        raise refused(model, wanted, str(list(layers)), hint)
    if config["model_type"] == "modernbert" and layers[0] != 0:
        hint = "add 0: its first layer has no norm before attention, and no other can be the first"
        raise refused(model, "layer 0 among the copied ones", str(list(layers)), hint)


def _check_form(model: str, config: Mapping[str, Any]) -> None:
    """Refuse what a DistilBERT would not compute in the same way."""
    wanted: dict[str, object] = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "layer_norm_eps": DISTILBERT_EPSILON,
        "position_embedding_type": "absolute",
    }
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise _not_a_distilbert(model, f"{key} {value}", f"{config[key]!r}")


def _not_a_distilbert(model: str, wanted: str, found: str) -> ModelError:
    return refused(model, f"{wanted} to become a DistilBERT", found, "leave form out")


def taught_notes(variant: VariantSpec) -> list[str]:
    """Say in a few words what sets a student and its teaching apart, for a name.

    Args:
        variant: any variant.

    Returns:
        A note for the student, one for its pre-training, and one for its teacher, where it has
        them.
    """
    notes, student = [], variant.student
    if student is not None and student.layers is not None:
        notes.append(f"layers {', '.join(map(str, student.layers))}")
    elif student is not None:
        words = {"hidden_size": "width", "num_heads": "heads", "intermediate_size": "feed-forward"}
        for size, value in student.sizes.items():
            is_layers = size == "num_layers"
            plural = "" if value == 1 else "s"
            notes.append(f"{value} layer{plural}" if is_layers else f"{words[size]} {value}")
    if student is not None and student.form != "same":
        notes.append(f"as {student.form}")
    if variant.pretraining is not None:
        notes.append(f"pre-trained: {variant.pretraining.objective}")
    if variant.distillation is not None:
        # Of a folder or hub id the last part: the name becomes one of folders, which take that too.
        names = [name.rstrip("/").rpartition("/")[2] for name in variant.distillation.teacher]
        notes.append(f"taught by {' and '.join(names)}")
    return [clipped(note, 60) for note in notes]
