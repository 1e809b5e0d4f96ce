"""A search for better settings, as the user states it."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from agnews_ray.spec.base import Spec
from agnews_ray.spec.recipe import WITHOUT_EFFECT
from agnews_ray.spec.variant import VariantSpec

Choice = bool | int | float | str
Settings = Mapping[str, JsonValue]
"""Values by dotted path in a variant, such as ``recipe.learning_rate``."""


class ParameterSpec(Spec):
    """The values that are tried for one setting: a range, or a list of choices."""

    low: float | None = None
    """The lowest value."""
    high: float | None = None
    """The highest value."""
    log: bool = False
    """Whether values are drawn evenly in their logarithm."""
    step: float | None = Field(None, gt=0)
    """The distance between values, counted from ``low``; None: any value, or any whole number."""
    choices: tuple[Choice, ...] = ()
    """The values, if there is no range; in a job file a plain list is enough."""

    @model_validator(mode="before")
    @classmethod
    def _a_list_names_choices(cls, value: Any) -> Any:
        value = {"choices": value} if isinstance(value, list | tuple) else value
        if isinstance(value, dict) and isinstance(value.get("choices"), list):
            return {**value, "choices": tuple(value["choices"])}  # strict: a list is no tuple here
        return value

    @field_validator("choices", mode="before")
    @classmethod
    def _choices_are_plain(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value  # refused as what it is
        wrong = [one for one in value if not isinstance(one, bool | int | float | str)]
        if wrong:
            raise ValueError(f"want numbers, texts, true or false, found {wrong[0]!r}; remove it")
        return value

    @model_validator(mode="after")
    def _has_values(self) -> "ParameterSpec":
        if (self.low is None) != (self.high is None):
            raise ValueError("want both low and high, found one; add the other")
        if self.low is None or self.high is None:
            if len(set(map(repr, self.choices))) < max(2, len(self.choices)):
                found = f"want at least two different values, found {list(self.choices)}"
                raise ValueError(f"{found}; write [a, b], or {{low: a, high: b}}")
        elif self.choices:
            raise ValueError("want a range or choices, found both; remove one")
        elif self.low >= self.high:
            raise ValueError(f"want low < high, found {self.low:g} and {self.high:g}; change one")
        elif self.log and (self.low <= 0 or self.step is not None):
            found = f"low {self.low:g}" if self.low <= 0 else f"step {self.step:g}"
            raise ValueError(f"want low > 0 and no step with log, found {found}; change it")
        elif self.step is not None and self.step > self.high - self.low:
            found = f"want a step of at most high - low, found {self.step:g}"
            raise ValueError(f"{found}; lower it, or leave it out")
        return self

    @property
    def is_range(self) -> bool:
        """Whether it has a lowest and a highest value."""
        return self.low is not None

    def holds(self, value: JsonValue) -> bool:
        """Whether a value is one that may be tried."""
        if self.low is None or self.high is None:
            return value in self.choices
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return abs(steps - round(steps)) < 1e-9

    def samples(self) -> tuple[JsonValue, ...]:
        """Return values that show whether all are allowed: every choice, or a range's ends."""
        return (self.low, self.high) if self.is_range else self.choices


class SearchSpec(Spec):
    """The search for a variant's best settings, by scores on the validation split."""

    space: dict[str, ParameterSpec] = Field(min_length=1)
    """The tried values by dotted path: ``recipe.learning_rate: {low: 1.0e-5, high: 2.0e-4,
    log: true}``, ``recipe.num_epochs: [1, 2, 3]``, ``architecture.num_layers: {low: 2, high: 6}``.
    """
    num_trials: int = Field(20, ge=1)
    """The number of settings that are tried for each variant, the default among them."""
    num_seeds: int = Field(1, ge=1)
    """The number of seeds of a setting that is not stopped; its score is their mean."""
    searcher: Literal["tpe", "random"] = "tpe"
    """How settings are chosen: by Optuna's tree-structured Parzen estimator, or at random."""
    scheduler: Literal["asha", "none"] = "asha"
    """Whether settings that fall behind are stopped (asynchronous successive halving)."""
    metric: Literal["accuracy", "macro-f1"] = "accuracy"
    """The score on the validation split by which settings are compared."""
    min_epochs: float = Field(0.25, gt=0)
    """The number of epochs before a setting may be stopped."""
    reduction_factor: int = Field(4, ge=2)
    """A setting goes on if it is in the best one of so many; the next look comes after as many
    times more epochs."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """The seed of the searcher's choices."""

    @field_validator("space", mode="before")
    @classmethod
    def _sections_may_be_nested(cls, value: Any) -> Any:
        """Read ``recipe: {num_epochs: [1, 2]}`` as ``recipe.num_epochs: [1, 2]``."""
        return dict(_flat(value, "")) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _paths_exist(self) -> "SearchSpec":
        problems = {path: _why_not(path, one) for path, one in self.space.items()}
        problems = {path: text for path, text in problems.items() if text}
        if problems:
            details = [_problem(("space", path), text) for path, text in problems.items()]
            raise ValidationError.from_exception_data("SearchSpec", details)
        return self


def is_in(space: Mapping[str, ParameterSpec], settings: Settings) -> bool:
    """Whether settings have a value of each parameter of a space, and no other."""
    return settings.keys() == space.keys() and all(
        space[path].holds(value) for path, value in settings.items()
    )


def _flat(space: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in space.items():
        path = f"{above}{name}"
        if isinstance(value, dict) and value and _fields(path):
            yield from _flat(value, f"{path}.")
        else:
            yield path, value


def with_settings(variant: VariantSpec, settings: Settings) -> VariantSpec:
    """Return a variant with other settings.

    Args:
        variant: the variant; it is not changed.
        settings: the values by dotted path.

    Raises:
        ValidationError: a value is not allowed for this variant.
    """
    content = variant.model_dump(mode="json")
    for path, value in settings.items():
        *sections, key = path.split(".")
        below = content
        for section in sections:
            below[section] = dict(below.get(section) or {})
            below = below[section]
        below[key] = value
    return VariantSpec.model_validate_json(json.dumps(content), strict=True)


def unfit_values(search: SearchSpec, variant: VariantSpec) -> list[InitErrorDetails]:
    """Find the values of a search space that are not allowed for a variant.

    Args:
        search: the search.
        variant: a variant of the study.

    Returns:
        At most one problem for each path, located at ``space.<path>``.
    """
    found = []
    for path, parameter in search.space.items():
        for value in parameter.samples():
            try:
                with_settings(variant, {path: as_written(path, value)})
            except ValidationError as error:
                details = error.errors(include_url=False)[0]
                found.append(_relocated(details, ("space", path), value))
                break
    return found


def as_written(path: str, value: JsonValue) -> JsonValue:
    """Return a value as the field at a path wants it: 3.0 as 3 for a whole number."""
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole and is_integer(path) and isinstance(value, float) else value


def is_integer(path: str) -> bool:
    """Whether the field at a dotted path of a variant holds whole numbers."""
    kinds = _kinds(path)
    return int in kinds and float not in kinds


def _why_not(path: str, parameter: ParameterSpec) -> str:
    """Say why a path cannot be searched; empty if it can."""
    known = sorted(_fields(path.rpartition(".")[0]))
    name = path.rpartition(".")[2]
    if "." not in path or not known:
        return f"want a path such as recipe.learning_rate, found {path!r}; change it"
    if name not in known:
        return f"want a field of {path.rpartition('.')[0]}, found {name!r}: {', '.join(known)}"
    if name in WITHOUT_EFFECT:
        return "want a setting that may change a score, found one that does not; remove it"
    if parameter.is_range and not {int, float} & set(_kinds(path)):
        return "want a list of values, found a range; the field holds no numbers"
    if not is_integer(path):
        return ""
    numbers = [one for one in (parameter.low, parameter.high, parameter.step) if one is not None]
    broken = [one for one in numbers if not one.is_integer()]
    return f"want whole numbers, found {broken[0]:g}; change it" if broken else ""


def _fields(section: str) -> dict[str, Any]:
    """Return the annotations of a section's fields; empty if there is no such section."""
    model: type[BaseModel] = VariantSpec
    for part in section.split("."):
        field = model.model_fields.get(part)
        inner = [one for one in _parts(field.annotation) if _is_model(one)] if field else []
        if not inner:
            return {}
        model = inner[0]
    return {name: field.annotation for name, field in model.model_fields.items()}


def _kinds(path: str) -> list[Any]:
    section, _, name = path.rpartition(".")
    return list(_parts(_fields(section).get(name)))


def _parts(annotation: Any) -> Iterator[Any]:
    """Return a type and all types that it is made of."""
    yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _problem(location: tuple[str, ...], text: str) -> InitErrorDetails:
    kind = PydanticCustomError("value_error", "{text}", {"text": text})
    return InitErrorDetails(type=kind, loc=location, input=None)


def _relocated(details: Any, location: tuple[str, ...], value: JsonValue) -> InitErrorDetails:
    """Move an error of a variant to the place in the search space that it comes from."""
    if details["type"] in ("value_error", "assertion_error"):
        return _problem(location, details["msg"].removeprefix("Value error, "))
    context = details.get("ctx", {})
    return InitErrorDetails(type=details["type"], loc=location, input=value, ctx=context)
