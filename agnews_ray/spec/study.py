"""A study as the user states it: frozen, checked, without behaviour."""

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from agnews_ray.spec.base import NAME_PATTERN, Spec
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.engines import ENGINES
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.variant import VariantSpec

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
        if workers > 1 and any(ENGINES[variant.engine].has_one_worker for variant in self.models):
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
