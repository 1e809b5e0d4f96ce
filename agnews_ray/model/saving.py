"""Save a trained classifier as an artifact with which plain transformers predicts as measured.

A tokenizer has its own settings (the side it pads, how much it truncates, which inputs it returns)
and a config has those of another task. The artifact has the settings that were used in training
instead.
"""

import copy
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from agnews_ray.model.artifact_facts import ArtifactFacts

MODEL_INPUTS = ["input_ids", "attention_mask"]
"""All inputs that a model gets here; a tokenizer that also returned segments would change
logits."""


def save_artifact(
    folder: Path, model: Any, tokenizer: PreTrainedTokenizerFast, facts: ArtifactFacts
) -> int:
    """Write a folder that the Auto classes and a pipeline load without further settings.

    The tokenizer pads on the same side as in training, and ``truncation=True`` alone truncates at
    the same length. The config asks for a softmax, whatever task the head had before.

    Args:
        folder: the folder to write; it is created if missing.
        model: a trained transformers classifier; its config is changed.
        tokenizer: the tokenizer that was used; not changed.
        facts: what the model was trained on; they are written into the folder too.

    Returns:
        The size of the weights in bytes.
    """
    model.config.problem_type = "single_label_classification"
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    as_used(tokenizer, facts.max_length_tokens).save_pretrained(folder)
    facts.write(folder)
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def as_used(tokenizer: PreTrainedTokenizerFast, max_length_tokens: int) -> PreTrainedTokenizerFast:
    """Copy a tokenizer with the settings in use, as only settings given at creation are saved."""
    used = copy.deepcopy(tokenizer)
    used.backend_tokenizer.no_truncation()  # calls of the tokenizer set it
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
