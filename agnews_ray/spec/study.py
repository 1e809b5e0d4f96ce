"""A study as the user states it: frozen, checked, without behaviour."""

import re
from typing import Annotated

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from agnews_ray.spec import DEFAULT_MODELS
from agnews_ray.spec.base import NAME_PATTERN, Spec
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.engines import ENGINES
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.variant import VariantSpec

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Problems = dict[tuple[str | int, ...], str]
"""What is wrong, by its path."""


class StudySpec(Spec):
    """One question: models, data, recipe and seeds."""

    name: str = ""
    """The folder under the runs folder; empty means a name made from the data and the recipe."""
    question: str = ""
    """The question that the study answers, in a sentence."""
    models: tuple[VariantSpec, ...] = Field(
        tuple(VariantSpec(model=model) for model in DEFAULT_MODELS), min_length=1
    )
    """The compared variants; the first is the baseline."""
    seeds: tuple[Seed, ...] = Field((42,), min_length=1)
    """The seeds; there is one trial per variant and seed."""
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
        problems = self._uneven_batches()
        workers = self.scaling.num_workers
        if workers > 1 and any(ENGINES[variant.engine].has_one_worker for variant in self.models):
            problems["scaling", "num_workers"] = (
                f"want 1 with engine: reference, found {workers}; use engine: fast, or one worker"
            )
        if len(set(self.seeds)) != len(self.seeds):
            problems[("seeds",)] = "want different seeds, found one twice"
        if problems:
            raise ValidationError.from_exception_data("StudySpec", _as_details(problems))
        return self

    def _uneven_batches(self) -> Problems:
        """Say whose batches cannot be cut in equal parts, each where it is stated."""
        problems: Problems = {}
        workers = self.scaling.num_workers
        for number, variant in enumerate(self.models):
            batch = variant.recipe_in(self.recipe).global_batch_size
            is_own = variant.recipe is not None and "global_batch_size" in variant.recipe.stated()
            if batch % workers and not is_linear(variant.model):
                nearest = -(-batch // workers) * workers
                above = ("models", number) if is_own else ()
                problems[(*above, "recipe", "global_batch_size")] = (
                    f"want a multiple of scaling.num_workers ({workers}), "
                    f"found {batch}; use {nearest}, or another number of workers"
                )
        return problems

    def is_default_study(self) -> bool:
        """Whether data and recipe are the paper's, with any models and seeds."""
        return self.data == DataSpec() and self.recipe == RecipeSpec()


def _as_details(problems: Problems) -> list[InitErrorDetails]:
    """Write problems as pydantic wants them: a plain ``ValueError`` has one, and no path."""
    return [
        InitErrorDetails(
            type=PydanticCustomError("value_error", "{text}", {"text": text}),
            loc=path,
            input=None,
        )
        for path, text in problems.items()
    ]
