"""Students and how they are taught, as the user states it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from agnews_ray.spec.base import Spec
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec

Objective = Literal["masked-lm", "distilbert", "minilm", "minilm-v2"]
"""What pre-training minimises: a masked language model without a teacher, or one of the losses
between a student and its teacher."""

OBJECTIVES_WITH_HEAD = ("masked-lm", "distilbert")
"""The objectives that need a masked-language-model head."""


class TransferSpec(Spec):
    """Texts without labels, from which a student learns too."""

    source: str = Field(min_length=1)
    """A hub id, a file, or a folder of files, as ``data.source``; a label column is not read."""
    text_columns: tuple[str, ...] | None = None
    """The text columns, joined by one space; None: those named like the data's, else found."""
    limit: int | None = Field(None, ge=1)
    """The number of texts, drawn by ``data.split_seed``; None: all."""
    only: bool = False
    """Whether the labelled train rows are left out, so that no label is used in training."""


class StudentSpec(Spec):
    """A smaller model made from a variant's ``model``: chosen layers of it, or other sizes.

    It has the same tokenizer.
    """

    layers: tuple[int, ...] | None = None
    """The layers that are copied, counted from 0, in rising order, with the embeddings."""
    form: Literal["same", "distilbert"] = "same"
    """``distilbert``: the copied BERT layers become a DistilBERT, without token types and
    pooler."""
    num_layers: int | None = Field(None, ge=1)
    """The number of layers, of fresh weights; None: that of ``model``."""
    hidden_size: int | None = Field(None, ge=1)
    """The width of the residual stream; a multiple of ``num_heads``."""
    num_heads: int | None = Field(None, ge=1)
    """The number of attention heads."""
    intermediate_size: int | None = Field(None, ge=1)
    """The width of the feed-forward layer; None: as many times ``hidden_size`` as in ``model``."""

    @property
    def sizes(self) -> dict[str, int]:
        """The stated sizes by field name."""
        names = ("num_layers", "hidden_size", "num_heads", "intermediate_size")
        stated = {name: getattr(self, name) for name in names}
        return {name: value for name, value in stated.items() if value is not None}

    @model_validator(mode="after")
    def _layers_or_sizes(self) -> "StudentSpec":
        layers = self.layers
        if (layers is None) == (not self.sizes):
            found = "neither" if layers is None else f"both layers and {', '.join(self.sizes)}"
            raise ValueError(f"want layers to copy, or sizes, found {found}; state one of them")
        if layers is not None and (
            not layers or min(layers) < 0 or sorted(set(layers)) != list(layers)
        ):
            found = f"want layers counted from 0, rising, found {list(layers)}"
            raise ValueError(f"{found}; write for instance [0, 2, 4]")
        if self.form != "same" and layers is None:
            raise ValueError(f"form: want layers beside {self.form}, found sizes; leave it out")
        return self


class DistillationSpec(Spec):
    """Soft targets: a student is fine-tuned towards what a teacher predicts (Hinton et al. 2015).

    A labelled row's loss is soft_weight x T² x KL(teacher || student, both softened by T)
    + (1 - soft_weight) x cross-entropy; that of a row without label is T² x KL.
    """

    teacher: tuple[str, ...] = Field(min_length=1)
    """The teacher or teachers, whose probabilities are averaged: each is the name of another
    variant (its trial with the same seed), the folder of a finished trial or of an artifact, or
    the hub id of a classifier, whose classes are matched by name."""
    temperature: float = Field(4.0, gt=0, le=100)
    """T, by which both models' logits are divided; larger values show more of the small
    probabilities."""
    soft_weight: float = Field(0.9, ge=0, le=1)
    """What the teacher's part weighs; 1: labels are not used."""
    transfer: TransferSpec | None = None
    """Further texts without labels, which the teacher labels softly."""

    @field_validator("teacher", mode="before")
    @classmethod
    def _one_teacher_needs_no_list(cls, value: Any) -> Any:
        value = (value,) if isinstance(value, str) else value
        return tuple(value) if isinstance(value, list) else value  # strict: a list is no tuple here

    @field_validator("teacher")
    @classmethod
    def _teachers_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value) or "" in value:
            raise ValueError("want different teachers with a name, found one twice or none")
        return value


PRETRAINING_RECIPE = RecipeSpec(
    num_epochs=3,
    learning_rate=5e-4,
    global_batch_size=256,
    weight_decay=0.0,
    warmup_fraction=0.05,
    max_grad_norm=5.0,
    adam_beta2=0.98,
    adam_epsilon=1e-6,
)
"""The recipe of pre-training unless something else is stated: DistilBERT's, as published."""


OBJECTIVES_OF: Mapping[str, tuple[Objective, ...]] = {
    "masked_fraction": ("masked-lm", "distilbert"),
    "rare_token_power": ("masked-lm", "distilbert"),
    "temperature": ("distilbert",),
    "soft_weight": ("distilbert",),
    "masked_lm_weight": ("distilbert",),
    "cosine_weight": ("distilbert",),
    "soft_tokens": ("distilbert",),
    "relation_heads": ("minilm-v2",),
}
"""The objectives for which a field of a pre-training has a meaning; the others are for all."""

WITHOUT_MEANING = ("stop", "class_weights", "label_smoothing", "precision")
"""The keys of a recipe that a pre-training does not have; its precision is the variant's."""


class PretrainingSpec(Spec):
    """Training of an encoder on texts without labels, before it is fine-tuned."""

    objective: Objective
    """``masked-lm``: fill gaps, without a teacher. ``distilbert``: its triple loss (Sanh et al.
    2019). ``minilm``: the last layer's attention and value relations (Wang et al. 2020);
    ``minilm-v2``: relations between queries, keys and values (Wang et al. 2021)."""
    teacher: str | None = None
    """The teacher's encoder: the name of another variant (what its pre-training left, if it has
    one, else its model), an alias, a hub id or a folder; None: the variant's ``model`` as it is
    before it is made smaller."""
    trains: Literal["all", "head"] = "all"
    """``head``: only the masked-language-model head (with ``masked-lm``)."""
    transfer: TransferSpec | None = None
    """Further texts beside those of the train split."""
    seed: int = Field(42, ge=0, lt=2**31)
    """The seed; there is one pre-training for all seeds of the study, as is usual."""
    masked_fraction: float = Field(0.15, gt=0, lt=1)
    """The share of tokens to predict, drawn anew each time; 80 % become the mask, 10 % another
    token."""
    rare_token_power: float = Field(0.7, ge=0)
    """Tokens are masked in proportion to their count to the power of minus this, so that rare ones
    come more often; 0: all alike."""
    temperature: float = Field(2.0, gt=0, le=100)
    """The temperature of ``distilbert``'s soft targets over the vocabulary."""
    soft_weight: float = Field(5.0, ge=0)
    """The weight of ``distilbert``'s soft targets."""
    masked_lm_weight: float = Field(2.0, ge=0)
    """The weight of its masked language model."""
    cosine_weight: float = Field(1.0, ge=0)
    """The weight of its cosine loss between the last hidden states."""
    soft_tokens: Literal["all", "masked"] = "all"
    """The tokens with soft targets: all but padding, as published, or only masked ones, which is
    several times faster on a CPU."""
    relation_heads: int | None = Field(None, ge=1)
    """The number of heads into which ``minilm-v2`` cuts queries, keys and values; None: the
    teacher's."""
    recipe: RecipeChanges | None = None
    """The keys of the recipe that differ from ``PRETRAINING_RECIPE``: 3 epochs, batches of 256,
    learning rate 5e-4, warm-up 5 %, and so on; never the study's."""

    @property
    def whole_recipe(self) -> RecipeSpec:
        """The recipe of the pre-training."""
        return self.recipe.applied_to(PRETRAINING_RECIPE) if self.recipe else PRETRAINING_RECIPE

    @property
    def has_teacher(self) -> bool:
        """Whether another model teaches."""
        return self.objective != "masked-lm"

    @model_validator(mode="after")
    def _settings_belong_together(self) -> "PretrainingSpec":
        if self.objective == "masked-lm" and self.teacher is not None:
            raise ValueError("teacher: want none with masked-lm, found one; leave it out")
        if self.trains == "head" and self.objective != "masked-lm":
            raise ValueError(f"trains: want all with {self.objective}, found head; change it")
        for key, objectives in OBJECTIVES_OF.items():
            changed = getattr(self, key) != type(self).model_fields[key].default
            if changed and self.objective not in objectives:
                found = f"want none with {self.objective}, found {getattr(self, key)}"
                raise ValueError(f"{key}: {found}; leave it out")
        unfit = [key for key in WITHOUT_MEANING if self._states(key)]
        if unfit:
            found = f"want none in pre-training, found {', '.join(unfit)}; leave it out"
            raise ValueError(f"recipe: {found}")
        return self

    def _states(self, key: str) -> bool:
        return self.recipe is not None and key in self.recipe.stated()
