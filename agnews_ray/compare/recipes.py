"""What a study's trials have in common of their recipes, and what is a variant's own."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from agnews_ray.errors import RecordError
from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.recipe import WITHOUT_EFFECT, RecipeSpec

LOOKED_AT_ELSEWHERE = ("precision",)
"""What ``auto`` came to is a row's own column, whatever was asked for."""


class RecipeChange(BaseModel):
    """A key of the recipe that is other for one row than for the study."""

    model_config = ConfigDict(frozen=True)

    key: str
    value: JsonValue
    in_study: JsonValue = None
    """The study's value; None where every variant states one of its own."""

    def __str__(self) -> str:
        known = "" if self.in_study is None else f" (study: {self.in_study})"
        return f"{self.key} {self.value}{known}"


def compared(recipe: RecipeSpec) -> dict[str, JsonValue]:
    """Give the keys of a recipe that may change a score."""
    excluded = {*LOOKED_AT_ELSEWHERE, *WITHOUT_EFFECT}
    content: dict[str, JsonValue] = recipe.model_dump(mode="json", exclude=excluded)
    return content


def shared_recipe(records: Sequence[TrialRecord]) -> dict[str, JsonValue]:
    """Find the study's recipe: what trials were trained by whose variant does not say otherwise.

    Args:
        records: of one study.

    Returns:
        Value by key; without the keys that every variant states.

    Raises:
        RecordError: two trials have another value of a key that neither variant states.
    """
    shared: dict[str, JsonValue] = {}
    first_of: dict[str, str] = {}
    for record in records:
        own = record.variant.recipe.stated() if record.variant.recipe else {}
        for key, value in compared(record.recipe).items():
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
    """Say what a trial's recipe has otherwise than its study's.

    Args:
        record: of any trial of the row.
        shared: from ``shared_recipe``.

    Returns:
        One for each key, in the recipe's order.
    """
    return tuple(
        RecipeChange(key=key, value=value, in_study=shared.get(key))
        for key, value in compared(record.recipe).items()
        if key not in shared or shared[key] != value
    )
