"""Whether two tokenizers turn each text into the same ids, as losses between tokens need it."""

import json
from typing import Any

from transformers import PreTrainedTokenizerFast

from agnews_ray.errors import ModelError

SPECIAL = ("pad_token_id", "mask_token_id", "unk_token_id", "cls_token_id", "sep_token_id")

PARTS = {
    "model": "vocabulary",
    "normalizer": "normaliser",
    "pre_tokenizer": "pre-tokenizer",
    "added_tokens": "list of added tokens",
}
"""The parts of tokenizer.json that decide the ids, beside special tokens, and their names."""


def check_same_tokenizer(
    student: PreTrainedTokenizerFast, teacher: PreTrainedTokenizerFast
) -> None:
    """Refuse a teacher whose tokens are not those of its student.

    Args:
        student: the student's tokenizer.
        teacher: the teacher's tokenizer.

    Raises:
        ModelError: they may give other ids, or truncate on another side; the message says where
            they differ.
    """
    differences = _differences(student, teacher)
    if differences:
        hint = (
            "choose a teacher with the student's tokenizer, or teach by distillation "
            "instead, for which tokenizers may differ"
        )
        found = f"another {' and '.join(differences)}"
        raise ModelError("pretraining.teacher", "the same tokenizer as the student's", found, hint)


def _differences(one: Any, other: Any) -> list[str]:
    contents = [json.loads(tokenizer.backend_tokenizer.to_str()) for tokenizer in (one, other)]
    found = [name for part, name in PARTS.items() if contents[0][part] != contents[1][part]]
    if _frame(one) != _frame(other):
        found.append("set of special tokens")
    if one.truncation_side != other.truncation_side:
        found.append("side of truncation")
    return found


def _frame(tokenizer: Any) -> list[object]:
    """The ids of special tokens, and of a text without words, in which they stand around it.

    Files say in several ways which tokens stand there, so what they do is compared.
    """
    return [*(getattr(tokenizer, name) for name in SPECIAL), tokenizer("")["input_ids"]]
