"""Encoders for pre-training: a student's, its teacher's, and the folder that is left of one."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoModel,
    AutoModelForMaskedLM,
    PreTrainedTokenizerFast,
)

from agnews_ray.errors import ModelError
from agnews_ray.model import head, zoo
from agnews_ray.model.build import fresh_config, make_room, own_config, set_pad_id
from agnews_ray.model.distilbert_form import OF_HEAD
from agnews_ray.model.hub import explain_load_error
from agnews_ray.model.messages import refused
from agnews_ray.model.saving import as_used
from agnews_ray.model.student import resized, shorten
from agnews_ray.model.tokenizer import quieten
from agnews_ray.spec.variant import VariantSpec


def build_encoder(
    variant: VariantSpec,
    seed: int,
    tokenizer: PreTrainedTokenizerFast | None,
    with_head: bool,
    needs_kept_head: bool = False,
) -> Any:
    """Build the encoder of a variant, or of the student made of it, in float32.

    A pooler is kept as it is: no objective of pre-training trains it, and fine-tuning may start
    from it. An encoder whose folder has none gets none, so that no random one is saved.

    Args:
        variant: the model.
        seed: the seed of all weights that are fresh.
        tokenizer: its tokenizer: the embedding table gets a row for each of its entries; None does
            not change the table.
        with_head: whether the model has a masked-language-model head, whose decoder is tied to the
            word embeddings as its config says.
        needs_kept_head: whether this head has to come from the folder; else a fresh one is made if
            the folder has none.

    Returns:
        A transformers model: that of ``AutoModelForMaskedLM``, or without head of ``AutoModel``.

    Raises:
        HubError: neither the hub nor its cache has the weights.
        ModelError: the student cannot be made, the weights do not fit the config, transformers has
            no such head for the architecture, or the folder has none where it has to.
    """
    quieten()
    student = variant.student
    config = fresh_config(variant, {}) if variant.init == "random" else own_config(variant)
    if with_head and type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
        hint = "choose an encoder of text, as bert or roberta"
        wanted = "an architecture with a masked-language-model head"
        raise refused(variant.model, wanted, f"model_type {config.model_type!r}", hint)
    set_pad_id(config, tokenizer)
    if variant.init == "random" or (student is not None and student.layers is None):
        if with_head and needs_kept_head:
            raise _without_head(variant)
        config = config if student is None else resized(config, student)
        torch.manual_seed(seed)
        model = (AutoModelForMaskedLM if with_head else AutoModel).from_config(config)
        _set_pooler(model, None)
    else:
        model = _bare(variant, config, seed)
        if with_head:
            model = _with_head(variant, model, seed, needs_kept_head)
        model = model if student is None else shorten(model, student)
    if tokenizer is not None:
        make_room(variant, model, tokenizer)
    return model


def load_teacher(
    model: str,
    revision: str | None,
    with_head: bool,
    tokenizer: PreTrainedTokenizerFast | None = None,
) -> Any:
    """Load a pretrained encoder that teaches: frozen, in evaluation mode, in float32.

    Args:
        model: an alias, a hub id, or a folder.
        revision: the hub revision; None means the default branch.
        with_head: whether it needs its masked-language-model head.
        tokenizer: its tokenizer; see ``build_encoder``.

    Returns:
        A transformers model. A module that holds it as a part of its own switches it to training
        mode along with itself.

    Raises:
        HubError: neither the hub nor its cache has the weights.
        ModelError: it cannot be loaded, or has no head where it needs one.
    """
    variant = VariantSpec(model=model, revision=revision)
    teacher = build_encoder(variant, 0, tokenizer, with_head, needs_kept_head=with_head)
    return teacher.eval().requires_grad_(False)


def copy_head(teacher: Any, student: Any) -> None:
    """Give a student its teacher's masked-language-model head.

    DistilBERT's published script does so too. A decoder that is tied to the word embeddings stays
    the student's own.

    Args:
        teacher: a model with such a head.
        student: another one, perhaps a DistilBERT made of a BERT; changed in place. Modules of
            another shape, or that the teacher lacks, stay as they are.
    """
    names = OF_HEAD if type(student) is not type(teacher) else {}
    tied = {id(teacher.get_input_embeddings().weight)}
    there = {
        name: parameter
        for name, parameter in teacher.named_parameters(remove_duplicate=False)
        if not name.startswith(f"{teacher.base_model_prefix}.") and id(parameter) not in tied
    }
    here = dict(student.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name, parameter in there.items():
            module, _, kind = name.rpartition(".")
            target = here.get(f"{names.get(module, module)}.{kind}" if module else name)
            if target is not None and target.shape == parameter.shape:
                target.copy_(parameter)


def save_encoder(folder: Path, model: Any, tokenizer: PreTrainedTokenizerFast) -> int:
    """Write a folder from which an encoder is fine-tuned, pre-trained further, or teaches.

    Args:
        folder: the folder to write; it is created if missing.
        model: a model made by ``build_encoder``; its head is kept if it has one.
        tokenizer: its tokenizer; not changed.

    Returns:
        The size of the weights in bytes.
    """
    model.save_pretrained(folder)
    as_used(tokenizer, tokenizer.model_max_length).save_pretrained(folder)
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _bare(variant: VariantSpec, config: Any, seed: int) -> Any:
    """Load an encoder without head."""
    model, loaded = _load(AutoModel, variant, config, seed)
    head.check_body(variant.model, model, loaded)
    has_pooler = not any("pooler" in key for key in loaded.missing)
    _set_pooler(model, getattr(model, "pooler", None) if has_pooler else None)
    return model


def _with_head(variant: VariantSpec, bare: Any, seed: int, needs_kept_head: bool) -> Any:
    """Load an encoder with its head; transformers leaves the pooler out, so it is put back."""
    model, loaded = _load(AutoModelForMaskedLM, variant, bare.config, seed)
    head.check_body(variant.model, model, loaded)
    if needs_kept_head and loaded.missing:
        raise _without_head(variant)
    _set_pooler(model.base_model, getattr(bare, "pooler", None))
    return model


def _load(
    auto_class: Any, variant: VariantSpec, config: Any, seed: int
) -> tuple[Any, head.LoadedKeys]:
    torch.manual_seed(seed)
    try:
        model, info = auto_class.from_pretrained(
            zoo.load_path(variant),
            config=config,
            revision=variant.revision or "main",
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # transformers raises any exception of its parsers
        raise explain_load_error(variant, error) from error
    return model, head.LoadedKeys.of(info)


def _set_pooler(model: Any, pooler: Any) -> None:
    """Give an encoder a pooler that is not trained, or none."""
    if hasattr(model.base_model, "pooler"):
        model.base_model.pooler = None if pooler is None else pooler.requires_grad_(False)


def _without_head(variant: VariantSpec) -> ModelError:
    hint = "pre-train it first with objective: masked-lm (trains: head is enough)"
    return refused(variant.model, "a masked-language-model head", "none", hint)
