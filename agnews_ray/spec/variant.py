"""The compared configurations, as the user states them."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from agnews_ray.spec.base import Spec
from agnews_ray.spec.engines import Engine


class ArchitectureSpec(Spec):
    """Sizes that replace the published ones of a known architecture (fresh weights only)."""

    num_layers: int | None = Field(None, ge=1)
    """Transformer blocks."""
    hidden_size: int | None = Field(None, ge=1)
    """Width of the residual stream; a multiple of ``num_heads``."""
    num_heads: int | None = Field(None, ge=1)
    """Attention heads."""
    intermediate_size: int | None = Field(None, ge=1)
    """Width of the feed-forward layer."""
    vocab_size: int | None = Field(None, ge=100)
    """Rows of the embedding table, and the most entries the trained tokenizer may have."""


class VariantSpec(Spec):
    """A compared configuration without its seed."""

    model: str = Field(min_length=1)
    """An alias (``distilbert``, ``minilm``, ``bert``), a hub id, or a local folder."""
    name: str = ""
    """Row label in the table; empty means the model's own name."""
    revision: str | None = None
    """Hub revision (branch, tag or commit); None means the default branch."""
    init: Literal["pretrained", "random"] = "pretrained"
    """``random`` builds the architecture with fresh weights and trains a tokenizer on the data."""
    architecture: ArchitectureSpec | None = None
    """Other sizes than the published ones; only with ``init: random``."""
    keep_head: bool = False
    """Start from the folder's own classification head, its rows matched to the classes by name;
    otherwise the head is fresh, as in the paper, whatever the folder holds."""
    engine: Engine = "fast"
    """What runs the recipe: ours, or the Hugging Face Trainer, as in the paper (``reference``),
    with batches of like length and its fused optimiser (``-best``), or compiled as well."""

    @field_validator("name")
    @classmethod
    def _name_is_printable(cls, value: str) -> str:
        if not value.isprintable() or len(value) > 100:
            raise ValueError("want at most 100 printable characters")
        return value

    @model_validator(mode="after")
    def _sizes_need_fresh_weights(self) -> "VariantSpec":
        if self.architecture is not None and self.init != "random":
            raise ValueError("architecture: want init: random beside it, found init: pretrained")
        if self.keep_head and self.init == "random":
            raise ValueError("keep_head: want init: pretrained beside it, found init: random")
        return self
