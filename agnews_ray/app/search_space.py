"""What a search's space means for one variant: its default, its longest training, its seeds."""

from pydantic import JsonValue

from agnews_ray.model import zoo
from agnews_ray.run.variant_search import Settings
from agnews_ray.spec.search import SearchSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


def other_seeds(count: int, seeds: tuple[int, ...]) -> tuple[int, ...]:
    """Return seeds for a search; the study's own stay fresh for winners and defaults."""
    free = (seed for seed in range(1, count + len(seeds) + 1) if seed not in seeds)
    return tuple(seed for seed, _ in zip(free, range(count), strict=False))


def default_settings(variant: VariantSpec, study: StudySpec, search: SearchSpec) -> Settings | None:
    """Return the variant's own values of the searched settings; None if one is not in the space."""
    content: dict[str, JsonValue] = {
        "recipe": variant.recipe_in(study.recipe).model_dump(mode="json"),
        "architecture": dict(zoo.sizes(variant)) if variant.init == "random" else None,
    }
    found: Settings = {}
    for path, parameter in search.space.items():
        value: JsonValue = content
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not parameter.holds(value):
            return None
        found[path] = value
    return found


def most_epochs(variant: VariantSpec, study: StudySpec, search: SearchSpec) -> float:
    """Return the most epochs that a setting of the variant may have."""
    parameter = search.space.get("recipe.num_epochs")
    if parameter is None:
        return float(variant.recipe_in(study.recipe).num_epochs)
    return max(float(one) for one in parameter.samples() if isinstance(one, int | float))
