"""The recipe that a study's trials share, and the keys that a variant changes."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from agnews_ray.errors import RecordError
from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.linear_models import keys_with_effect
from agnews_ray.spec.recipe import WITHOUT_EFFECT

LOOKED_AT_ELSEWHERE = ("precision",)
"""The keys that are compared elsewhere: the resolved precision is a column of the row."""


class RecipeChange(BaseModel):
    """A key of the recipe whose value for one row differs from the study's."""

    model_config = ConfigDict(frozen=True)

    key: str
    value: JsonValue
    in_study: JsonValue = None
    """The study's value; None if every variant states its own."""

    def __str__(self) -> str:
        known = "" if self.in_study is None else f" (study: {_text(self.in_study)})"
        return f"{self.key} {_text(self.value)}{known}"


def _text(value: JsonValue) -> str:
    """Write a value of the recipe; one that has parts, as the rule to stop, with their names."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return f"({', '.join(f'{name} {part}' for name, part in value.items())})"
    return str(value)


def compared(record: TrialRecord) -> dict[str, JsonValue]:
    """Return the keys of a trial's recipe that may change its scores."""
    excluded = {*LOOKED_AT_ELSEWHERE, *WITHOUT_EFFECT}
    content: dict[str, JsonValue] = record.recipe.model_dump(mode="json", exclude=excluded)
    return {key: content[key] for key in keys_with_effect(record.variant.model, content)}


def shared_recipe(records: Sequence[TrialRecord]) -> dict[str, JsonValue]:
    """Find the study's recipe: the values of all trials whose variant does not change them.

    Args:
        records: the records of one study.

    Returns:
        The values by key, without the keys that every variant states.

    Raises:
        RecordError: two trials have different values of a key that neither variant states.
    """
    shared: dict[str, JsonValue] = {}
    first_of: dict[str, str] = {}
    for record in records:
        own = record.variant.recipe.stated() if record.variant.recipe else {}
        for key, value in compared(record).items():
            if key in own:
                continue
            first = first_of.setdefault(key, record.trial_id)
            if shared.setdefault(key, value) != value:
                found = f"{key} {value}, and {shared[key]} in {first}"
                hint = "delete the folder of the older trial, or give the new study another --name"
                where = f"trial {record.trial_id}"
                raise RecordError(where, "the same recipe, but for a variant's own", found, hint)
    return shared


def recipe_changes(record: TrialRecord, shared: dict[str, JsonValue]) -> tuple[RecipeChange, ...]:
    """List the keys in which a trial's recipe differs from its study's.

    Args:
        record: the record of any trial of the row.
        shared: the result of ``shared_recipe``.

    Returns:
        One change for each key, in the recipe's order.
    """
    return tuple(
        RecipeChange(key=key, value=value, in_study=shared.get(key))
        for key, value in compared(record).items()
        if key not in shared or shared[key] != value
    )
