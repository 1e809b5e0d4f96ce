"""The parts of a study as the user states them: frozen, checked, without behaviour."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Precision = Literal["fp32", "bf16", "fp16"]
Device = Literal["cpu", "cuda"]
Engine = Literal["fast", "reference", "reference-best", "reference-compiled"]

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""What may become a folder name: no separators, no leading dot."""


DELIMITER_NAMES = {
    "comma": ",",
    "tab": "\t",
    "\\t": "\t",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
}
"""Words for what a shell makes hard to write."""


class Spec(BaseModel):
    """A frozen part of a study; unknown keys are errors, field docstrings are the reference."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )


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


class DataSpec(Spec):
    """Where the rows come from and which of them are used."""

    source: str = Field("ag_news", min_length=1)
    """A hub id, a CSV, Parquet or JSON Lines file, a folder of such files, or ``synthetic:``."""
    test_source: str | None = None
    """The test file, where ``source`` is a single train file."""
    validation_source: str | None = None
    """The validation file; None takes one found beside the train file, ``none`` leaves it out."""
    config: str | None = None
    """Which configuration of a dataset that has several."""
    delimiter: str | None = None
    """What separates the fields of a CSV: a character or its name; None finds it."""
    quote: Literal['"', "'", "none"] | None = None
    """What may stand around a field of a CSV; None finds it."""
    encoding: str | None = None
    """Of CSV and JSON files; None tries UTF-8, then what the bytes say."""
    has_header: bool | None = None
    """Whether the first row of a CSV names the columns; None finds it."""
    text_columns: tuple[str, ...] | None = None
    """Columns joined by one space, by name or (without header) position; None finds them."""
    label_column: str | None = None
    """By name or (without header) position; None finds it."""
    label_base: int | None = Field(None, ge=0, le=1)
    """Lowest integer label; None infers it from the train split."""
    class_names: tuple[str, ...] | None = None
    """Names in label order; None takes them from the source."""
    max_length_tokens: int = Field(128, ge=4, le=8192)
    """Longer texts are truncated to this many tokens, special tokens included."""
    limit_train: int | None = Field(None, ge=1)
    """Use a stratified sample of this many train rows."""
    limit_test: int | None = Field(None, ge=1)
    """Use a stratified sample of this many test rows."""
    validation_fraction: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the train rows cut off as validation split, stratified."""
    test_fraction: float | None = Field(None, gt=0.0, lt=1.0)
    """Share of a lone train file cut off as test split, stratified; None means 0.2 of it."""
    split_seed: int = Field(42, ge=0)
    """Draws the limits and the splits that are cut off; the same for every trial of the study."""
    max_resident_mb: int = Field(512, ge=0)
    """Tokenised splits larger than this many MiB are streamed in windows, not held."""
    stream_window_rows: int = Field(65_536, ge=1)
    """Rows held at a time while streaming; batches of like length are made inside a window."""

    @field_validator("delimiter")
    @classmethod
    def _delimiter_is_one_character(cls, value: str | None) -> str | None:
        value = DELIMITER_NAMES.get(value.lower(), value) if value else value
        if value is not None and (len(value) != 1 or value in "\r\n\"'"):
            raise ValueError(f"want one character, or {', '.join(DELIMITER_NAMES)}")
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str | None) -> str | None:
        try:
            "".encode(value or "utf-8")
        except LookupError:
            raise ValueError("want a name such as utf-8, utf-16, cp1252 or latin-1") from None
        return value

    @model_validator(mode="after")
    def _names_are_unique(self) -> "DataSpec":
        if self.class_names is not None and len(set(self.class_names)) != len(self.class_names):
            raise ValueError("class_names: want different names, found one twice")
        if self.class_names is not None and len(self.class_names) < 2:
            raise ValueError("class_names: want at least two")
        return self


class RecipeSpec(Spec):
    """The hyperparameters of fine-tuning. The defaults are the paper's."""

    num_epochs: int = Field(2, ge=1)
    """Passes over the train split."""
    learning_rate: float = Field(2e-5, gt=0, lt=1)
    """Peak AdamW learning rate, reached at the end of warm-up; then it falls linearly to 0."""
    global_batch_size: int = Field(16, ge=1)
    """Rows per optimiser update, over all workers."""
    evaluation_batch_size: int = Field(64, ge=1)
    """Rows per forward pass when scoring; no effect on what is learned."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's decoupled decay; not applied to biases and LayerNorm."""
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    """Share of all steps during which the learning rate rises linearly from 0."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradients are scaled down to this global L2 norm."""
    adam_beta1: float = Field(0.9, ge=0, lt=1)
    """Decay of AdamW's first moment."""
    adam_beta2: float = Field(0.999, ge=0, lt=1)
    """Decay of AdamW's second moment."""
    adam_epsilon: float = Field(1e-8, gt=0)
    """Added to AdamW's denominator."""
    precision: Literal[Precision, "auto"] = "auto"
    """``auto``: fp16 on a GPU (as in the paper); on a CPU bf16 where it is native, else fp32."""


class ScalingSpec(Spec):
    """How much of the machine one trial takes."""

    num_workers: int = Field(1, ge=1)
    """Ray Train workers of one trial; one GPU each where there are GPUs."""
    device: Literal[Device, "auto"] = "auto"
    """``auto`` uses GPUs where there are any; ``cuda`` fails at once where there are none."""


Seed = Annotated[int, Field(ge=0, lt=2**31)]


class StudySpec(Spec):
    """One question: models, data, recipe and seeds."""

    name: str = ""
    """Folder under the runs folder; empty means a name made from the data and the recipe."""
    question: str = ""
    """What the study is to answer, in a sentence."""
    models: tuple[VariantSpec, ...] = Field(
        (VariantSpec(model="distilbert"), VariantSpec(model="minilm")), min_length=1
    )
    """The compared variants; the first is the baseline."""
    seeds: tuple[Seed, ...] = Field((42,), min_length=1)
    """One trial per variant and seed."""
    data: DataSpec = DataSpec()
    recipe: RecipeSpec = RecipeSpec()
    scaling: ScalingSpec = ScalingSpec()

    @field_validator("name")
    @classmethod
    def _name_is_a_folder_name(cls, value: str) -> str:
        if value and not re.fullmatch(NAME_PATTERN, value):
            raise ValueError("want letters, digits, '.', '_' and '-', starting with a letter/digit")
        return value

    @model_validator(mode="after")
    def _parts_fit_together(self) -> "StudySpec":
        workers, batch = self.scaling.num_workers, self.recipe.global_batch_size
        if batch % workers:
            nearest = -(-batch // workers) * workers
            raise ValueError(
                f"recipe.global_batch_size: want a multiple of scaling.num_workers ({workers}), "
                f"found {batch}; use {nearest}, or another number of workers"
            )
        if workers > 1 and any(variant.engine != "fast" for variant in self.models):
            raise ValueError(
                f"scaling.num_workers: want 1 with engine: reference, found {workers}; "
                "use engine: fast, or one worker"
            )
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("seeds: want different seeds, found one twice")
        return self

    def is_default_study(self) -> bool:
        """Whether data and recipe are the paper's, whatever models and seeds were chosen."""
        return self.data == DataSpec() and self.recipe == RecipeSpec()
