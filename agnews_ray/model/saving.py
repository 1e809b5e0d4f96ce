"""A trained classifier to an artifact: what plain transformers must know to do as was measured.

A tokenizer comes with habits of its own (which side it pads, how much it truncates, which inputs
it gives) and a config with those of another task. What was trained and measured goes into the
artifact in their place.
"""

import copy
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from agnews_ray.model.artifact_facts import ArtifactFacts

MODEL_INPUTS = ["input_ids", "attention_mask"]
"""All that a model is given here; a tokenizer that gives segments as well would change logits."""


def save_artifact(
    folder: Path, model: Any, tokenizer: PreTrainedTokenizerFast, facts: ArtifactFacts
) -> int:
    """Write a folder that the Auto classes and a pipeline load without further settings.

    The tokenizer pads on its side as in training, and ``truncation=True`` alone cuts where the
    training did. The config asks for a softmax, whatever the head was for before.

    Args:
        folder: made if it is not there.
        model: a trained transformers classifier; its config is changed.
        tokenizer: as it was used; left as it is.
        facts: what it was trained and measured on; left in the folder too.

    Returns:
        Bytes of the weights.
    """
    model.config.problem_type = "single_label_classification"
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    _as_used(tokenizer, facts.max_length_tokens).save_pretrained(folder)
    facts.write(folder)
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _as_used(tokenizer: PreTrainedTokenizerFast, max_length_tokens: int) -> PreTrainedTokenizerFast:
    """A copy whose saved settings are those in use: only what was set at its making is saved."""
    used = copy.deepcopy(tokenizer)
    used.backend_tokenizer.no_truncation()  # a call of the tokenizer leaves its own there
    used.backend_tokenizer.no_padding()
    settings = {
        "model_max_length": max_length_tokens,
        "model_input_names": MODEL_INPUTS,
        "padding_side": tokenizer.padding_side,
        "truncation_side": tokenizer.truncation_side,
    }
    for name, value in settings.items():
        setattr(used, name, value)
        used.init_kwargs[name] = value
    return used
