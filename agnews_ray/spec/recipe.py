"""The hyperparameters of fine-tuning, as the user states them."""

from collections.abc import Iterable
from math import isfinite
from typing import Any, Literal

from pydantic import Field, field_validator, model_serializer

from agnews_ray.spec.base import Precision, Spec


class StopSpec(Spec):
    """A rule that ends training when validation no longer improves, and keeps the best epoch."""

    patience: int = Field(ge=1)
    """The number of epochs without improvement after which training ends."""
    min_delta: float = Field(0.0, ge=0, lt=1)
    """The gain in the metric that an improvement has to exceed, a fraction in [0, 1)."""
    metric: Literal["accuracy", "macro-f1"] = "accuracy"
    """The metric, on the validation split after each epoch."""

    def __str__(self) -> str:
        return f"patience {self.patience}, min_delta {self.min_delta:g} of {self.metric}"


class RecipeSpec(Spec):
    """The hyperparameters of fine-tuning. The defaults are the paper's."""

    num_epochs: int = Field(2, ge=1)
    """The number of passes over the train split."""
    learning_rate: float = Field(2e-5, gt=0, lt=1)
    """AdamW's peak learning rate, reached at the end of warm-up; then it falls linearly to 0."""
    global_batch_size: int = Field(16, ge=1)
    """The number of rows per optimiser update, over all workers."""
    evaluation_batch_size: int = Field(64, ge=1)
    """The number of rows per forward pass in scoring; it does not change what is learned."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's decoupled weight decay; it is not applied to biases and LayerNorm."""
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    """The share of all steps in which the learning rate rises linearly from 0."""
    max_grad_norm: float = Field(1.0, gt=0)
    """The largest global L2 norm of the gradients; larger ones are scaled down."""
    adam_beta1: float = Field(0.9, ge=0, lt=1)
    """The decay of AdamW's first moment."""
    adam_beta2: float = Field(0.999, ge=0, lt=1)
    """The decay of AdamW's second moment."""
    adam_epsilon: float = Field(1e-8, gt=0)
    """The term added to AdamW's denominator."""
    precision: Literal[Precision, "auto"] = "auto"
    """``auto``: fp16 on a GPU (as in the paper); on a CPU bf16 if it is native, else fp32."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of a row's target that is spread evenly over all classes."""
    class_weights: Literal["none", "balanced"] | tuple[float, ...] = "none"
    """What a row's loss counts, by its class: ``balanced`` weighs classes by how few train rows
    they have, a list gives one weight for each class, in label order."""
    stop: StopSpec | None = None
    """When training ends before ``num_epochs``, by scores on a validation split; the weights of the
    best epoch are then the result. None, as in the paper: never, and the last epoch's are."""

    @field_validator("class_weights", mode="before")
    @classmethod
    def _weights_are_positive(cls, value: Any) -> Any:
        if value in ("none", "balanced"):
            return value
        if isinstance(value, list | tuple) and value and all(map(_is_weight, value)):
            return tuple(float(weight) for weight in value)
        raise ValueError(
            f"want none, balanced, or a positive number for each class, found {value!r}"
        )


WITHOUT_EFFECT = ("evaluation_batch_size",)
"""Fields that change no score."""


class RecipeChanges(RecipeSpec):
    """The values of the recipe that one variant changes; only written values count.

    It has all fields of the recipe, so that a new one is here too, with its limits.
    """

    def stated(self) -> dict[str, Any]:
        """Return the fields that were written, in the recipe's order."""
        return {
            name: getattr(self, name)
            for name in RecipeSpec.model_fields
            if name in self.model_fields_set
        }

    def applied_to(self, recipe: RecipeSpec) -> RecipeSpec:
        """Return a whole recipe: the study's, with the values stated here."""
        return RecipeSpec.model_validate(recipe.model_dump() | self.stated())

    @model_serializer
    def _only_what_is_stated(self) -> dict[str, Any]:
        """Leave out defaults, which would be read back as if they had been written."""
        return self.stated()

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return self.stated().items()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecipeChanges) and self.stated() == other.stated()

    def __hash__(self) -> int:
        return hash(tuple(self.stated().items()))


def _is_weight(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return is_number and value > 0 and isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False
