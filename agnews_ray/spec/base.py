"""What the parts of a study share: their base class, and the words that several of them use."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Precision = Literal["fp32", "bf16", "fp16"]
Device = Literal["cpu", "cuda"]


NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""What may become a folder name: no separators, no leading dot."""


class Spec(BaseModel):
    """A frozen part of a study; unknown keys are errors, field docstrings are the reference."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )
