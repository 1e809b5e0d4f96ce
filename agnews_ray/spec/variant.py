"""The compared configurations, as the user states them."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from agnews_ray.spec.base import Spec
from agnews_ray.spec.distillation import DistillationSpec, PretrainingSpec, StudentSpec
from agnews_ray.spec.engines import ENGINES, Engine
from agnews_ray.spec.linear_models import misfit
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec


class ArchitectureSpec(Spec):
    """The sizes that replace the published ones of a known architecture (fresh weights only)."""

    num_layers: int | None = Field(None, ge=1)
    """The number of transformer blocks."""
    hidden_size: int | None = Field(None, ge=1)
    """The width of the residual stream; a multiple of ``num_heads``."""
    num_heads: int | None = Field(None, ge=1)
    """The number of attention heads."""
    intermediate_size: int | None = Field(None, ge=1)
    """The width of the feed-forward layer."""
    vocab_size: int | None = Field(None, ge=100)
    """The number of rows of the embedding table; the trained tokenizer has at most as many
    entries."""


class VariantSpec(Spec):
    """A compared configuration without its seed."""

    model: str = Field(min_length=1)
    """An alias (``distilbert``, ``minilm``, ``modernbert``, ...), a hub id, or a local folder; or a
    linear model: ``tfidf-svm``, ``tfidf-logreg``, ``embed-logreg``, or ``embed-logreg:ENCODER``
    with one of the former as its frozen encoder."""
    name: str = ""
    """The label of the row in the table; empty means the model's own name."""
    revision: str | None = None
    """The hub revision (branch, tag or commit); None means the default branch."""
    init: Literal["pretrained", "random"] = "pretrained"
    """The first weights; ``random``: fresh ones for the architecture, and a tokenizer trained on
    the data."""
    architecture: ArchitectureSpec | None = None
    """The sizes that replace the published ones; only with ``init: random``."""
    keep_head: bool = False
    """Whether to start from the folder's own classification head, its rows matched to the classes
    by name; otherwise the head is fresh, as in the paper."""
    engine: Engine = "fast"
    """The engine that runs the recipe: ours, or the Hugging Face Trainer, as in the paper
    (``reference``), with batches of similar length and its fused optimiser (``-best``), or also
    compiled."""
    recipe: RecipeChanges | None = None
    """The keys of the study's recipe that this variant changes, with their values."""
    student: StudentSpec | None = None
    """The smaller model that is made of ``model``; None: ``model`` as it is."""
    pretraining: PretrainingSpec | None = None
    """The training on texts without labels, before fine-tuning."""
    distillation: DistillationSpec | None = None
    """The teacher whose predictions it is fine-tuned towards; None: labels alone."""

    def recipe_in(self, recipe: RecipeSpec) -> RecipeSpec:
        """Give the whole recipe that it is trained by.

        Args:
            recipe: the study's.

        Returns:
            The same, but for what is the variant's own.
        """
        return self.recipe.applied_to(recipe) if self.recipe else recipe

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
        if self.student is not None and self.init == "random":
            raise ValueError("student: want init: pretrained, found random; use architecture")
        if self.pretraining and not ENGINES[self.engine].is_ours:
            found = f"want engine: fast beside it, found {self.engine}"
            raise ValueError(f"pretraining: {found}; only ours can pre-train")
        if self.keep_head and (self.student or self.pretraining):
            raise ValueError("keep_head: want none with student or pretraining; leave it out")
        return self

    @model_validator(mode="after")
    def _linear_models_have_few_settings(self) -> "VariantSpec":
        of_recipe = self.recipe.stated() if self.recipe else {}
        changed = [
            name
            for name, field in type(self).model_fields.items()
            if name not in ("model", "name", "recipe") and getattr(self, name) != field.default
        ]
        reason = misfit(self.model, [*changed, *(f"recipe.{key}" for key in of_recipe)])
        if reason:
            raise ValueError(reason)
        return self
