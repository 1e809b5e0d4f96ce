"""Model names: aliases, hub ids, local folders."""

import hashlib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from agnews_ray.model.architectures import KNOWN_MODELS, KnownModel, size_names
from agnews_ray.model.folder import check_folder
from agnews_ray.model.headers import read_json
from agnews_ray.model.layouts import explain_file
from agnews_ray.model.messages import refused
from agnews_ray.model.student_rules import check_student, own_sizes, student_sizes, taught_notes
from agnews_ray.spec.base import Precision
from agnews_ray.spec.linear_models import LINEAR, is_linear, kind_of, weights_name
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec

DIGESTED_SUFFIXES = (".json", ".txt", ".safetensors", ".model")
"""The suffixes of the files in a model folder that may change the result of training."""


NOT_IN_BF16 = ("deberta",)
"""The model types that cannot be trained in bf16. The first DeBERTa masks attention with the lowest
number of fp32, which bf16 does not have. Other such models are found by a first pass
(``engine.preflight``), after trials were planned."""

KNOWN_BEFORE_HEADS = ("distilbert", "minilm", "bert")
"""The aliases from before version 3 of the record; their folders have no head."""


def known_model(model: str) -> KnownModel | None:
    """Look up an alias or the hub id behind one.

    Args:
        model: the name as written by the user.

    Returns:
        Its published facts; None for any other model.
    """
    by_hub_id = {known.hub_id: known for known in KNOWN_MODELS.values()}
    return KNOWN_MODELS.get(model) or by_hub_id.get(model)


def load_path(variant: VariantSpec) -> str:
    """Return the argument for ``from_pretrained``.

    Args:
        variant: a checked variant.

    Returns:
        An absolute folder, or a hub id: of an embedding's encoder for ``embed-logreg``. The name of
        a linear model without an encoder, which loads nothing.
    """
    name = weights_name(variant.model)
    if name is None:
        return variant.model
    folder = Path(name).expanduser()
    known = known_model(name)
    if known is None and folder.is_dir():
        return str(folder.resolve())
    return known.hub_id if known else name


def encoder_of(variant: VariantSpec) -> VariantSpec | None:
    """Return the frozen encoder of a linear model, as a variant of its own.

    Args:
        variant: any variant.

    Returns:
        The encoder with the variant's name and revision; None if it has none, or is fine-tuned.
    """
    encoder = weights_name(variant.model)
    if encoder is None or not is_linear(variant.model):
        return None
    return VariantSpec(model=encoder, name=variant.name, revision=variant.revision)


def model_id(variant: VariantSpec) -> str:
    """Return what a record calls a variant's model: its place, after the kind of a linear model."""
    encoder = encoder_of(variant)
    return f"{kind_of(variant.model)}:{load_path(encoder)}" if encoder else load_path(variant)


def is_on_hub(variant: VariantSpec) -> bool:
    """Whether a variant's weights come from the hub or its cache, not from a folder."""
    has_weights = variant.init == "pretrained" and weights_name(variant.model) is not None
    return has_weights and not Path(load_path(variant)).is_dir()


def check_model(variant: VariantSpec) -> None:
    """Refuse a name that cannot be a model, before anything is loaded.

    Args:
        variant: the variant, which names the model.

    Raises:
        ModelError: an unknown alias, a missing folder, one that cannot be loaded according to its
            small files, fresh weights for an unknown architecture, or a student that cannot be
            made of it.
    """
    if is_linear(variant.model):
        encoder = encoder_of(variant)
        if encoder is not None:
            check_model(encoder)
        return
    known, folder = known_model(variant.model), Path(variant.model).expanduser()
    if known is None and folder.is_dir():
        check_folder(folder)
    elif known is None and folder.is_file():
        raise explain_file(folder)
    elif known is None:
        _check_hub_id(variant.model)
    if variant.init == "random" and known is None:
        wanted = f"one of {', '.join(KNOWN_MODELS)} with --init random"
        hint = "use --init pretrained, or a known architecture"
        raise refused(variant.model, wanted, "another model", hint)
    config = _config(variant)
    if variant.student is not None and config is not None:
        check_student(variant.model, variant.student, config)


def identity(variant: VariantSpec) -> str:
    """Return the identity of a variant's weights, for the trial id.

    Args:
        variant: a checked variant.

    Returns:
        ``sha256:...`` of a local folder's files, otherwise the hub id and revision; for a linear
        model its kind and version, followed by those of its encoder.
    """
    kind = kind_of(variant.model)
    if kind is not None:
        encoder = encoder_of(variant)
        of_encoder = f":{identity(encoder)}" if encoder else ""
        return f"{kind} {LINEAR[kind].version}{of_encoder}"
    path = Path(load_path(variant))
    if not path.is_dir():
        return f"{load_path(variant)}@{variant.revision or 'main'}"
    digest = hashlib.sha256()
    for file in sorted(p for p in path.iterdir() if p.suffix in DIGESTED_SUFFIXES and p.is_file()):
        with file.open("rb") as content:
            digest.update(file.name.encode())
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:32]}"


def own_precision(variant: VariantSpec, wanted: Precision) -> Precision:
    """Return the precision in which a variant is trained, according to its folder's config.

    Args:
        variant: a checked variant.
        wanted: the precision that the study wants.

    Returns:
        fp32 for linear models and for the families that cannot be trained in bf16, else the wanted
        precision.
    """
    if is_linear(variant.model):
        return "fp32"
    config = Path(load_path(variant)) / "config.json"
    if wanted != "bf16" or variant.init == "random" or not config.is_file():
        return wanted
    model_type = read_json(config.parent, config).get("model_type")
    return "fp32" if model_type in NOT_IN_BF16 else wanted


def head_of(variant: VariantSpec) -> str:
    """Return the head with which a variant starts, for the trial id.

    Before version 3 of the record, a head with the right number of classes was kept without a note,
    so trials of models that may have a head have other ids now. The models known then have none.

    Args:
        variant: a checked variant.

    Returns:
        A suffix of the id; empty if there was no choice.
    """
    if is_linear(variant.model):
        return ""
    known = known_model(variant.model)
    holds_none = known in [KNOWN_MODELS[name] for name in KNOWN_BEFORE_HEADS]
    if variant.init == "random" or (holds_none and not variant.keep_head):
        return ""
    return "+kept head" if variant.keep_head else "+fresh head"


def display_name(variant: VariantSpec) -> str:
    """Name a variant for the table.

    Args:
        variant: a checked variant.

    Returns:
        Its own name if it has one, else the hub id or the last part of the folder's path that is
        not generic; of ``embed-logreg:ENCODER`` the encoder's behind the colon.
    """
    if variant.name:
        return variant.name
    encoder = encoder_of(variant)
    if encoder is not None:
        own = variant.model_copy(update={"model": encoder.model})
        return f"{kind_of(variant.model)}:{display_name(own)}"
    path = Path(load_path(variant))
    name = load_path(variant)
    if path.is_dir():
        name = path.name if path.name not in ("model", "artifact") else path.parent.name
    notes = ["fresh"] * (variant.init == "random") + ["kept head"] * variant.keep_head
    notes += taught_notes(variant)
    notes += [variant.engine] * (variant.engine != "fast")
    if variant.recipe:
        notes += [f"{key} {value}" for key, value in variant.recipe.stated().items()]
    return f"{name} ({', '.join(notes)})" if notes else name


def architecture(variant: VariantSpec) -> KnownModel:
    """Look up the architecture of a variant with fresh weights.

    Args:
        variant: a variant with ``init: random``.

    Returns:
        Its published facts.

    Raises:
        ModelError: the architecture is not known.
    """
    known = known_model(variant.model)
    if known is None:
        raise refused(variant.model, "a known architecture", "another", "see --help")
    return known


def sizes(variant: VariantSpec) -> dict[str, int]:
    """Return the sizes of a known architecture, or of a folder's model.

    Args:
        variant: the variant.

    Returns:
        The published sizes or those of config.json, replaced by the variant's own if it has them;
        the student's if one is made of the model.

    Raises:
        ModelError: the sizes are not known, or the heads do not divide the width.
    """
    config, names = _config(variant), tuple(ArchitectureSpec.model_fields)
    whole = own_sizes(config or {})
    if not set(names) <= whole.keys():
        raise refused(variant.model, "a known architecture", "another", "see --help")
    own = variant.architecture or ArchitectureSpec()
    chosen = {name: getattr(own, name) or whole[name] for name in names}
    if variant.student is not None:
        chosen = student_sizes(variant.student, chosen)
    if chosen["hidden_size"] % chosen["num_heads"]:
        found = f"hidden_size {chosen['hidden_size']} and num_heads {chosen['num_heads']}"
        hint = "change one of them"
        raise refused(variant.model, "hidden_size / num_heads whole", found, hint)
    return chosen


def _config(variant: VariantSpec) -> Mapping[str, Any] | None:
    """Read a folder's config.json, or make what is known of it; None for other models."""
    known = known_model(variant.model)
    if known is not None:
        stated = {name: getattr(known, size) for size, name in size_names(known.model_type).items()}
        return {"model_type": known.model_type, **known.settings, **stated}
    file = Path(load_path(variant)) / "config.json"
    return read_json(file.parent, file) if file.is_file() else None


def _check_hub_id(model: str) -> None:
    """Refuse a single word that is no alias as a typo, unless it looks like an old hub id."""
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise refused(model, "a folder", "nothing with that name", "check the path")
    choices = [*KNOWN_MODELS, *LINEAR, *(known.hub_id for known in KNOWN_MODELS.values())]
    close = get_close_matches(model, choices, n=1, cutoff=0.8)
    if "/" not in model and (close or "-" not in model):
        near = close or get_close_matches(model, choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write hub ids as owner/name"
        wanted = f"one of {', '.join([*KNOWN_MODELS, *LINEAR])}, a hub id or a folder"
        raise refused(model, wanted, "an unknown name", hint)
