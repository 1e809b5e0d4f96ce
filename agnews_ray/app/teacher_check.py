"""Are the teachers of a study fit? Asked before the first trial, so that none is in vain."""

from typing import Any

from agnews_ray.errors import ModelError
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.run.inputs import InputCache
from agnews_ray.spec.distillation import OBJECTIVES_WITH_HEAD
from agnews_ray.spec.variant import VariantSpec

HEAD_HINT = "write the data's class names into id2label of its config.json, or name another teacher"


def check_pretraining(trial: PlannedTrial, data: InputCache) -> None:
    """Build a pre-training's student, teacher and objective, as its workers will.

    Args:
        trial: a planned pre-training.
        data: the cache that loads tokenizers.

    Raises:
        HubError: neither the hub nor its cache has a model.
        ModelError: student and teacher do not fit together, or not the objective.
    """
    from agnews_ray.engine.pretraining import make_objective
    from agnews_ray.model.encoder import build_encoder

    spec = trial.variant.pretraining
    if spec is None:
        raise ValueError("want a variant with pre-training")
    with_head = spec.objective in OBJECTIVES_WITH_HEAD
    tokenizer = data.tokenizer(trial.variant)
    teacher = None if trial.teacher_model is None else _teacher(trial, with_head, data)
    student = build_encoder(trial.variant, trial.seed, tokenizer, with_head)
    make_objective(spec, student, teacher, "fp32", is_recorded=False)


def of_teacher(variant: VariantSpec, error: ModelError) -> ModelError:
    """Make an error about a head to keep one about a teacher, of whom the user asked no such thing.

    Args:
        variant: a teacher that is no variant of the study.
        error: what is wrong with it.
    """
    if "keep_head" not in error.hint:
        return error
    return ModelError(f"teacher {variant.name}", error.wanted, error.found, HEAD_HINT)


def _teacher(trial: PlannedTrial, with_head: bool, data: InputCache) -> Any:
    """Build a teacher as far as it is known: one that is pre-trained here has no weights yet."""
    from agnews_ray.model.encoder import build_encoder, load_teacher
    from agnews_ray.model.tokenizer_match import check_same_tokenizer

    model = trial.teacher_model
    if model is None:
        raise ValueError("want a pre-training with a teacher")
    tokenizer = data.tokenizer(model)
    check_same_tokenizer(data.tokenizer(trial.variant), tokenizer)
    if trial.teacher_trial is None:
        return load_teacher(model.model, model.revision, with_head, tokenizer)
    own = model.pretraining
    if with_head and own is not None and own.objective not in OBJECTIVES_WITH_HEAD:
        wanted = "a masked-language-model head, which distilbert's objective needs"
        hint = "give it the objective masked-lm or distilbert, or name another teacher"
        raise ModelError(f"teacher {model.name}", wanted, f"none after {own.objective}", hint)
    return build_encoder(model, 0, tokenizer, with_head)
