"""Where a study's data and models lie: paths are checked, and made the same from any folder."""

from collections.abc import Collection
from pathlib import Path

from agnews_ray.errors import SpecError
from agnews_ray.model import zoo
from agnews_ray.plan.trials import WHERE_ROWS_LIE
from agnews_ray.spec.distillation import DistillationSpec, PretrainingSpec
from agnews_ray.spec.linear_models import EMBEDDING, is_linear, weights_name
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


def check_paths(study: StudySpec, where: str) -> None:
    """Refuse paths that the file system does not accept."""
    named = {f"data.{key}": getattr(study.data, key) for key in WHERE_ROWS_LIE}
    named |= {
        f"models.{number}.model": weights_name(one.model) for number, one in enumerate(study.models)
    }
    for number, variant in enumerate(study.models):
        for index, name in enumerate(other_places(variant)):
            named[f"models.{number}, teacher or texts {index + 1}"] = name
    problems = []
    for key, name in named.items():
        try:
            Path(name or "").expanduser().exists()
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "no such user"
            problems.append(f"{key}: want a name or a path, found {name[:60]!r}: {reason}; fix it")
    if problems:
        raise SpecError(where, problems)


def with_places(study: StudySpec) -> StudySpec:
    """Make the paths of data and models absolute, so that a study is the same from any folder.

    Args:
        study: the study as requested.

    Returns:
        The same study; paths on this machine are absolute, without ``~`` and links.
    """
    data = {key: place(getattr(study.data, key)) for key in WHERE_ROWS_LIE}
    names = {variant.name for variant in study.models}
    models = tuple(_variant_with_places(variant, names) for variant in study.models)
    return study.model_copy(update={"models": models, "data": study.data.model_copy(update=data)})


def other_places(variant: VariantSpec) -> tuple[str, ...]:
    """Return what may be a path beside a variant's model: its teachers, and texts without labels.

    Args:
        variant: the variant; its teachers may also be names of other variants.
    """
    taught, pretrained = variant.distillation, variant.pretraining
    transfers = [part.transfer for part in (taught, pretrained) if part and part.transfer]
    teachers = [*(taught.teacher if taught else ()), pretrained.teacher if pretrained else None]
    return (*(one.source for one in transfers), *(name for name in teachers if name))


def _variant_with_places(variant: VariantSpec, names: Collection[str]) -> VariantSpec:
    """Make a variant's paths absolute; a teacher with the name of a variant is no path."""

    def moved(part: DistillationSpec | PretrainingSpec | None) -> dict[str, object]:
        if part is None or part.transfer is None:
            return {}
        source = place(part.transfer.source)
        return {"transfer": part.transfer.model_copy(update={"source": source})}

    def placed(name: str | None) -> str | None:
        return name if name in names else place(name)

    taught, pretrained = variant.distillation, variant.pretraining
    if taught:
        teachers = tuple(str(placed(name)) for name in taught.teacher)
        taught = taught.model_copy(update=moved(taught) | {"teacher": teachers})
    if pretrained:
        own = {"teacher": placed(pretrained.teacher)}
        pretrained = pretrained.model_copy(update=moved(pretrained) | own)
    changes = {"model": _model_place(variant), "distillation": taught, "pretraining": pretrained}
    return variant.model_copy(update=changes)


def _model_place(variant: VariantSpec) -> str:
    if weights_name(variant.model) is None or not Path(zoo.load_path(variant)).is_dir():
        return variant.model
    before_colon = f"{EMBEDDING}:" if is_linear(variant.model) else ""
    return before_colon + zoo.load_path(variant)


def place(name: str | None) -> str | None:
    """Return the absolute path of a name that is one on this machine; any other name unchanged."""
    if name is None or name == "none" or not Path(name).expanduser().exists():
        return name
    return str(Path(name).expanduser().resolve())
