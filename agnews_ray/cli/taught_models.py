"""What ``--teacher`` means: each other model is trained alone and also taught."""

from collections.abc import Mapping, Sequence
from typing import Any

from agnews_ray.errors import SpecError
from agnews_ray.model.architectures import KNOWN_MODELS
from agnews_ray.spec.linear_models import is_linear


def with_taught(models: Sequence[Any], teaching: Mapping[str, Any]) -> list[Any]:
    """Add a taught twin after each model that is not a teacher.

    Args:
        models: the models of a study, unchecked: mappings, or what is no model.
        teaching: ``teacher`` (names), ``temperature``, ``soft_weight``, ``transfer`` (a source), as
            far as they were given.

    Returns:
        The models; a teacher that is an alias and not among them comes first.

    Raises:
        SpecError: there is no teacher, or no model that it could teach.
    """
    teachers = teaching.get("teacher")
    if not teachers:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in teaching)
        raise SpecError("flags", [f"{flags}: want --teacher beside it, found none; name one"])
    named = {one.get(key) for one in models if isinstance(one, dict) for key in ("name", "model")}
    added = [{"model": one} for one in teachers if one in KNOWN_MODELS and one not in named]
    distillation = {key: value for key, value in teaching.items() if key != "transfer"}
    if "transfer" in teaching:
        distillation["transfer"] = {"source": teaching["transfer"]}
    found: list[Any] = list(added)
    for one in models:
        found.append(one)
        if _may_learn(one, teachers):
            found.append({**one, **_own_name(one), "distillation": distillation})
    if len(found) == len(models) + len(added):
        wanted = "want another fine-tuned model for it to teach"
        raise SpecError("--teacher", [f"{wanted}, found none; add one to --models"])
    return found


def _may_learn(model: Any, teachers: Sequence[str]) -> bool:
    if not isinstance(model, dict) or is_linear(str(model.get("model"))):
        return False
    is_teacher = model.get("name") in teachers or model.get("model") in teachers
    return not is_teacher and "distillation" not in model


def _own_name(model: Mapping[str, Any]) -> dict[str, str]:
    """Name a twin after its model, if that has a name of its own; otherwise its model names it."""
    return {"name": f"{model['name']} taught"} if model.get("name") else {}
