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
from agnews_ray.spec.recovery import RecoverySpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.search import SearchSpec, unfit_values
from agnews_ray.spec.shares import Share, in_percent
from agnews_ray.spec.spending import BudgetSpec
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
    curve: tuple[Share, ...] = ()
    """The shares of the train rows, as ``3%`` or ``0.03``, with each of which every variant and
    seed is trained too; empty: only with all rows, which are always part of the curve. A share's
    rows are among those of any larger one, and the same for every variant and seed."""
    data: DataSpec = DataSpec()
    recipe: RecipeSpec = RecipeSpec()
    scaling: ScalingSpec = ScalingSpec()
    budget: BudgetSpec | None = None
    """What it may cost; None: whatever it costs."""
    recovery: RecoverySpec = RecoverySpec()
    """How a trial goes on after a failure."""
    search: SearchSpec | None = None
    """The search that `agnews-ray tune` makes; `submit` ignores it."""

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
        if len(set(self.curve)) != len(self.curve):
            problems[("curve",)] = "want different shares, found one twice; leave it out once"
        elif len(self.curve) == 1:
            found = f"want at least two shares, found one ({in_percent(self.curve[0])})"
            problems[("curve",)] = f"{found}; use for instance 1%,3%,10%,30%,100%"
        unfit = self._unfit_search()
        if problems or unfit:
            details = [*_as_details(problems), *unfit]
            raise ValidationError.from_exception_data("StudySpec", details)
        return self

    @property
    def train_shares(self) -> tuple[float, ...]:
        """The shares of the train rows with which every variant is trained, the smallest first."""
        return tuple(sorted({*self.curve, 1.0}))

    def _unfit_search(self) -> list[InitErrorDetails]:
        """Say which values of the search space some variant cannot have, one for each path."""
        found: dict[tuple[int | str, ...], InitErrorDetails] = {}
        if self.search is None:
            return []
        for variant in self.models:
            for details in unfit_values(self.search, variant):
                location = ("search", *details["loc"])
                found.setdefault(location, {**details, "loc": location})
        return [*found.values(), *_as_details(self._uneven_searched_batches())]

    def _uneven_searched_batches(self) -> Problems:
        path, workers = "recipe.global_batch_size", self.scaling.num_workers
        parameter = self.search.space.get(path) if self.search else None
        if parameter is None:
            return {}
        numbers = [*parameter.samples(), *([parameter.step or 1] if parameter.is_range else [])]
        uneven = [one for one in numbers if isinstance(one, int | float) and one % workers]
        text = f"want multiples of scaling.num_workers ({workers}), found {{}}; change it"
        return {("search", "space", path): text.format(f"{uneven[0]:g}")} if uneven else {}

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
