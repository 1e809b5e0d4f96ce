"""The base class of a study's parts, and the types that several of them use."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Precision = Literal["fp32", "bf16", "fp16"]
Device = Literal["cpu", "cuda"]


NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""The pattern of names that become folder names: no separators, no leading dot."""


class Spec(BaseModel):
    """A frozen part of a study; unknown keys are errors, and field docstrings are the reference."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )
