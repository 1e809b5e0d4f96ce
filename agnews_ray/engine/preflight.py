"""A model's first pass, before its expensive training: two rows, forward and backward.

It finds problems that no config shows: a precision in which a family cannot be trained, weights
that are not numbers, a row whose logits depend on its padding.
"""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from agnews_ray.engine.child_process import call_alone
from agnews_ray.engine.first_pass import FirstPass, Setting, reason_of, two_rows
from agnews_ray.model.build import build_with_notes, num_parameters
from agnews_ray.model.messages import clipped, refused
from agnews_ray.model.tokenizer import (
    LoadedTokenizer,
    check_max_length,
    ready_tokenizer,
    unknown_share,
)
from agnews_ray.spec.base import Precision
from agnews_ray.spec.variant import VariantSpec

WARN_UNKNOWN, MOST_UNKNOWN = 0.05, 0.5
"""The shares of unknown pieces above which there is a note, or the model is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The facts about a model that are known before it is trained."""

    head: Literal["fresh", "kept"]
    precision: Precision
    """The training's precision: the wanted one, or fp32 if the model cannot be trained in it."""
    num_parameters: int
    """The number of the model's parameters, embeddings and head included."""
    unknown_share: float
    """The share of unknown pieces in a sample of train rows, in [0, 1]."""
    notes: tuple[str, ...] = ()
    """The assumptions and changes that were made, a line each."""


def check(
    variant: VariantSpec,
    class_names: tuple[str, ...],
    texts: Sequence[str],
    max_length_tokens: int,
    precision: Precision,
) -> Findings:
    """Load a pretrained variant's tokenizer, and check it and its model on the CPU.

    Args:
        variant: a variant with ``init: pretrained``.
        class_names: the names in label order.
        texts: a sample of train rows.
        max_length_tokens: the length to which longer rows are truncated.
        precision: the wanted precision.

    Returns:
        The findings.

    Raises:
        HubError: neither the hub nor its cache has the model.
        ModelError: the model cannot be trained.
    """
    ready = ready_tokenizer(variant)
    check_max_length(variant, ready.tokenizer, max_length_tokens)
    setting = Setting(
        class_names=class_names,
        max_length_tokens=max_length_tokens,
        precision=precision,
        device="cpu",
        trains_on="cpu",
    )
    return look_at(variant, ready, texts, setting)


def look_at(
    variant: VariantSpec, ready: LoadedTokenizer, texts: Sequence[str], setting: Setting
) -> Findings:
    """Find out whether a model can be trained as wanted; see ``check``.

    On a GPU this runs in a separate process, whose end frees the GPU's memory.

    Args:
        variant: the variant; with fresh weights, only its tokenizer is checked.
        ready: its tokenizer.
        texts: a sample of train rows.
        setting: the setting of its training.

    Returns:
        The findings.
    """
    if setting.device == "cpu" or variant.init == "random":
        return _look_at(variant, ready, texts, setting)
    found: Findings = call_alone(_look_at, variant, ready, texts, setting)
    return found


def _look_at(
    variant: VariantSpec, ready: LoadedTokenizer, texts: Sequence[str], setting: Setting
) -> Findings:
    try:
        share = unknown_share(ready.tokenizer, texts)
    except Exception as error:  # tokenizers raises no narrower type
        hint = "add the unknown token to the vocabulary, or copy tokenizer.json again"
        wanted = "a tokenizer that encodes every row"
        raise refused(variant.model, wanted, reason_of(error), hint) from error
    if share > MOST_UNKNOWN:
        hint = "pass a model of the texts' language, or its own tokenizer"
        found = f"{share:.1%} unknown in a sample of {len(texts):,} rows"
        raise refused(variant.model, "pieces that are in its vocabulary", found, hint)
    notes = [*ready.notes]
    if share > WARN_UNKNOWN:
        notes.append(f"{share:.1%} of the rows' pieces are not in its vocabulary")
    precision = setting.precision
    if variant.init == "pretrained":
        built = build_with_notes(variant, setting.class_names, 0, ready.tokenizer)
        size = num_parameters(built.model)
        notes += built.notes
        one = FirstPass(variant, built.model.to(setting.device), ready.tokenizer, setting)
        rows = two_rows(ready.tokenizer, texts, setting)
        one.check_weights()
        one.check_padding(rows)
        precision, said = one.choose_precision(rows)
        notes += said
        del one, built
        gc.collect()  # frees the weights: Ray's processes need memory next
    else:
        with torch.device("meta"):  # weights without values: only counted
            fresh = build_with_notes(variant, setting.class_names, 0, ready.tokenizer)
        size = num_parameters(fresh.model)
    return Findings(
        head="kept" if variant.keep_head else "fresh",
        precision=precision,
        num_parameters=size,
        unknown_share=share,
        notes=tuple(clipped(note, 200) for note in notes),
    )
