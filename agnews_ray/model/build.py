"""Classifiers: from the hub, from a folder, or with fresh weights and published sizes."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerBase,
)

from agnews_ray.model import head, zoo
from agnews_ray.model.architectures import size_names
from agnews_ray.model.hub import explain_load_error
from agnews_ray.model.limits import bare_model, counts_from_padding
from agnews_ray.model.messages import refused
from agnews_ray.model.student import resized, shorten, student_note
from agnews_ray.model.student_rules import check_student
from agnews_ray.model.tokenizer import quieten
from agnews_ray.spec.distillation import StudentSpec
from agnews_ray.spec.variant import VariantSpec

SINGLE_LABEL = "single_label_classification"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltClassifier:
    """A classifier, and the changes made to what its folder holds."""

    model: Any
    notes: tuple[str, ...] = ()
    """The changes made, one line each."""


def build_classifier(
    variant: VariantSpec,
    class_names: tuple[str, ...],
    seed: int,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> torch.nn.Module:
    """Build an encoder with a classification head, in float32; see ``build_with_notes``."""
    model: torch.nn.Module = build_with_notes(variant, class_names, seed, tokenizer).model
    return model


def build_with_notes(
    variant: VariantSpec,
    class_names: tuple[str, ...],
    seed: int,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> BuiltClassifier:
    """Build an encoder with a classification head, in float32.

    The head is fresh, even if the folder holds one, unless the variant has ``keep_head``.

    Args:
        variant: the model; pretrained weights are read from safetensors only, remote code never
            runs.
        class_names: the class names in label order; they are kept in the model's config.
        seed: the seed of the head, and with ``init: random`` of all weights. A folder with a head
            gets the same fresh head as one without.
        tokenizer: the model's tokenizer: the config takes its pad token, and the embedding table
            gets a row for each of its entries; None changes neither.

    Returns:
        A transformers sequence classifier, or the student made of it, with
        C = ``len(class_names)`` outputs.

    Raises:
        HubError: neither the hub nor its cache has the weights.
        ModelError: there are no safetensors weights, transformers has no classifier of this
            architecture, the weights do not fit the config, the student cannot be made of it, or
            the head to keep does not fit the classes.
    """
    quieten()
    if variant.init == "random":
        config = fresh_config(variant, _labels(class_names))
        torch.manual_seed(seed)
        return BuiltClassifier(model=AutoModelForSequenceClassification.from_config(config))
    config = own_config(variant)
    order = head.kept_order(variant.model, config, class_names) if variant.keep_head else None
    notes = _say_single_label(config, class_names if order is None else None)
    set_pad_id(config, tokenizer)
    if variant.student is not None and variant.student.layers is None:
        model, said = _of_other_sizes(variant.student, config, seed)
    else:
        model, said = _pretrained(variant, config, seed, order)
    notes += said
    if order is not None:
        _set_labels(model.config, class_names)
    if tokenizer is not None:
        notes += make_room(variant, model, tokenizer)
        set_pad_id(model.config, tokenizer)
    return BuiltClassifier(model=model, notes=tuple(notes))


def own_config(variant: VariantSpec) -> Any:
    """Load a pretrained variant's config, and check that its student can be made of it."""
    try:
        config = AutoConfig.from_pretrained(
            zoo.load_path(variant), revision=variant.revision or "main", trust_remote_code=False
        )
    except Exception as error:  # transformers raises any exception of its parsers
        raise explain_load_error(variant, error) from error
    if variant.student is not None:
        check_student(variant.model, variant.student, config.to_dict())
    return config


def _of_other_sizes(student: StudentSpec, config: Any, seed: int) -> tuple[Any, list[str]]:
    """Draw all weights of a student with other sizes."""
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_config(resized(config, student))
    share = num_parameters(model) / num_parameters(bare_model(config))
    return model, [student_note(student, config, model.config, share)]


def _pretrained(
    variant: VariantSpec, config: Any, seed: int, order: head.Order | None
) -> tuple[Any, list[str]]:
    """Load the weights, and give the model its head and its number of layers."""
    torch.manual_seed(seed)
    try:
        model, info = AutoModelForSequenceClassification.from_pretrained(
            zoo.load_path(variant),
            config=config,
            revision=variant.revision or "main",
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # a head for other classes will be replaced
            output_loading_info=True,
        )
    except Exception as error:  # transformers raises any exception of its parsers
        raise explain_load_error(variant, error) from error
    loaded = head.LoadedKeys.of(info)
    notes = head.check_body(variant.model, model, loaded)
    if order is not None:
        return model, notes + head.keep(variant.model, model, loaded, order)
    of_head, student = head.refresh(model, loaded, seed), variant.student
    if student is None:
        return model, notes + of_head
    whole, num_before = copy.deepcopy(config), num_parameters(model)
    model = shorten(model, student)
    if student.form == "distilbert":
        head.draw(model, seed)
        notes = []  # the only one is about the pooler, which a DistilBERT does not have
    share = num_parameters(model) / num_before
    return model, [*notes, *of_head, student_note(student, whole, model.config, share)]


def _labels(class_names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "num_labels": len(class_names),
        "id2label": dict(enumerate(class_names)),
        "label2id": {name: index for index, name in enumerate(class_names)},
    }


def _set_labels(config: Any, class_names: tuple[str, ...]) -> None:
    for name, value in _labels(class_names).items():
        setattr(config, name, value)


def _say_single_label(config: Any, class_names: tuple[str, ...] | None) -> list[str]:
    """Set the config to one class per row, by softmax, whatever task the folder's own head had."""
    before = getattr(config, "problem_type", None)
    config.problem_type = SINGLE_LABEL
    if class_names is not None:
        _set_labels(config, class_names)
    if before in (None, SINGLE_LABEL):
        return []
    return [f"the folder's head was for {before}; this one gives one class a row"]


def set_pad_id(config: Any, tokenizer: Any) -> None:
    """Give the config the tokenizer's pad id, by which decoders find a row's last token.

    This is not done if positions are counted from the pad id, which is then part of the weights.
    """
    pad_id = None if tokenizer is None else tokenizer.pad_token_id
    own = getattr(config, "pad_token_id", None)
    if pad_id is None or own == pad_id or pad_id >= config.get_text_config().vocab_size:
        return
    if own is None or not counts_from_padding(bare_model(config)):
        config.pad_token_id = pad_id


def make_room(variant: VariantSpec, model: Any, tokenizer: Any) -> list[str]:
    """Append rows to the embedding table for the tokenizer's entries that it lacks."""
    num_rows = int(model.get_input_embeddings().weight.shape[0])
    num_wanted = max(tokenizer.get_vocab().values()) + 1
    if num_wanted <= num_rows:
        return []
    try:
        model.resize_token_embeddings(num_wanted, mean_resizing=False)
    except Exception as error:
        hint = "pass the tokenizer that belongs to this model"
        found = f"{num_wanted}, because the tokenizer's last is {num_wanted - 1}"
        raise refused(variant.model, f"at most {num_rows} tokens", found, hint) from error
    return [f"embedding table resized from {num_rows} to {num_wanted} rows for its tokenizer's "
            f"entries; the new rows are fresh"]  # fmt: skip


def num_parameters(model: torch.nn.Module) -> int:
    """Count all parameters, including embeddings and frozen ones."""
    return sum(parameter.numel() for parameter in model.parameters())


def fresh_config(variant: VariantSpec, labels: dict[str, Any]) -> Any:
    """Make the config of a variant with fresh weights, with its labels in it."""
    sizes, known = zoo.sizes(variant), zoo.architecture(variant)
    names = size_names(known.model_type)
    named = {names[size]: value for size, value in sizes.items()}
    return AutoConfig.for_model(known.model_type, **named, **known.settings, **labels)
