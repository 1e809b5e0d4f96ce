"""The source of the rows and how they are read, as the user states it."""

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
"""Names for characters that are hard to write in a shell."""


class DataSpec(Spec):
    """The source of the rows, and which of them are used."""

    source: str = Field("ag_news", min_length=1)
    """A hub id, a CSV, Parquet or JSON Lines file, a folder of such files, or ``synthetic:``."""
    test_source: str | None = None
    """The test file, if ``source`` is a single train file."""
    validation_source: str | None = None
    """The validation file; None uses one found beside the train file, ``none`` uses none."""
    config: str | None = None
    """The configuration, for a dataset that has several."""
    delimiter: str | None = None
    """The delimiter of a CSV: a character or its name; None: it is found."""
    quote: Literal['"', "'", "none"] | None = None
    """The quote character of a CSV; None: it is found."""
    encoding: str | None = None
    """The encoding of CSV and JSON files; None: UTF-8, else it is found from the bytes."""
    has_header: bool | None = None
    """Whether the first row of a CSV names the columns; None: it is found."""
    text_columns: tuple[str, ...] | None = None
    """The text columns, joined by one space, by name or (without header) position; None: they are
    found."""
    label_column: str | None = None
    """The label column, by name or (without header) position; None: it is found."""
    label_base: int | None = Field(None, ge=0, le=1)
    """The lowest integer label; None: it is inferred from the train split."""
    class_names: tuple[str, ...] | None = None
    """The class names in label order; None: they are taken from the source."""
    max_length_tokens: int = Field(128, ge=4, le=8192)
    """The longest text in tokens, with special tokens; longer texts are truncated."""
    limit_train: int | None = Field(None, ge=1)
    """The size of a stratified sample of train rows; None: all rows."""
    limit_test: int | None = Field(None, ge=1)
    """The size of a stratified sample of test rows; None: all rows."""
    validation_fraction: float = Field(0.0, ge=0.0, lt=1.0)
    """The share of train rows that become the validation split, stratified."""
    test_fraction: float | None = Field(None, gt=0.0, lt=1.0)
    """The share of a single train file that becomes the test split, stratified; None means 0.2."""
    split_seed: int = Field(42, ge=0)
    """The seed of samples and of splits drawn from train; the same for every trial of the study."""
    max_resident_mb: int = Field(512, ge=0)
    """The largest tokenised split held in memory, in MiB; larger ones are streamed in windows."""
    stream_window_rows: int = Field(65_536, ge=1)
    """The rows in memory at a time while streaming; batches of similar length are made in a
    window."""

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
        except (LookupError, ValueError):
            raise ValueError("want a name such as utf-8, utf-16, cp1252 or latin-1") from None
        return value

    @model_validator(mode="after")
    def _names_are_unique(self) -> "DataSpec":
        if self.class_names is not None and len(set(self.class_names)) != len(self.class_names):
            raise ValueError("class_names: want different names, found one twice")
        if self.class_names is not None and len(self.class_names) < 2:
            raise ValueError("class_names: want at least two")
        return self
