"""Where the rows come from and how they are read, as the user states it."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from agnews_ray.spec.base import Spec

DELIMITER_NAMES = {
    "comma": ",",
    "tab": "\t",
    "\\t": "\t",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
}
"""Words for what a shell makes hard to write."""


class DataSpec(Spec):
    """Where the rows come from and which of them are used."""

    source: str = Field("ag_news", min_length=1)
    """A hub id, a CSV, Parquet or JSON Lines file, a folder of such files, or ``synthetic:``."""
    test_source: str | None = None
    """The test file, where ``source`` is a single train file."""
    validation_source: str | None = None
    """The validation file; None takes one found beside the train file, ``none`` leaves it out."""
    config: str | None = None
    """The configuration, for a dataset that has several."""
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
