"""The base class of records."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable part of a record; unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )
