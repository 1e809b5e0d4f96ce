"""Whether a trial answers the question that a published number answers: recipe, rows, weights."""

from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.linear_models import keys_with_effect
from agnews_ray.spec.recipe import WITHOUT_EFFECT, RecipeSpec
from agnews_ray.spec.variant import VariantSpec

PAPER_TRAIN_ROWS, PAPER_TEST_ROWS, PAPER_CLASSES = 120_000, 7600, 4
NOT_OF_THE_RECIPE = {"precision", *WITHOUT_EFFECT}
"""Fields that are not expected to change a score."""


def unlike_paper(record: TrialRecord) -> str:
    """Say why a trial's scores cannot be judged by the paper's; empty if they can."""
    if record.variant.init == "random":
        return "fresh weights: not the published model"
    dataset = record.dataset
    for found, wanted, what in (
        (record.test.num_examples, PAPER_TEST_ROWS, "test rows"),
        (len(dataset.class_names), PAPER_CLASSES, "classes"),
        (dataset.num_train, PAPER_TRAIN_ROWS, "train rows"),
    ):
        if found != wanted:
            return f"{found:,} {what}: not the paper's {wanted:,}"
    paper = RecipeSpec().model_dump() | _rows_settings(DataSpec())
    asked = _asked_of_model(record.variant)
    differing = _differing(
        _settings(record) | asked, paper | _asked_of_model(VariantSpec(model="any"))
    )
    return f"{differing}: not the paper's" if differing else ""


def unlike_study(record: TrialRecord, other: TrialRecord) -> str:
    """Say why two studies' scores are shown but not judged; empty if they are judged."""
    if record.dataset.test.fingerprint != other.dataset.test.fingerprint or (
        record.test.num_examples != other.test.num_examples
    ):
        return "other test rows"
    if record.dataset.train.fingerprint != other.dataset.train.fingerprint or (
        record.dataset.num_train != other.dataset.num_train
    ):
        return f"{record.dataset.num_train:,} train rows: not the other study's"
    differing = _differing(_settings(record) | _weights(record), _settings(other) | _weights(other))
    return f"{differing}: not the other study's" if differing else ""


def _settings(record: TrialRecord) -> dict[str, object]:
    recipe = record.recipe.model_dump()
    keys = keys_with_effect(record.variant.model, recipe)
    return {key: recipe[key] for key in keys} | _rows_settings(record.data)


def _rows_settings(data: DataSpec) -> dict[str, object]:
    """The settings of the data that choose or truncate rows."""
    chosen = (data.limit_train, data.limit_test, data.validation_fraction)
    return {
        "split_seed": data.split_seed if any(chosen) else None,
        "max_length_tokens": data.max_length_tokens,
        "limit_train": data.limit_train,
        "limit_test": data.limit_test,
        "validation_fraction": data.validation_fraction,
    }


def _weights(record: TrialRecord) -> dict[str, object]:
    """The weights that are trained, apart from the variant's name and engine."""
    return _asked_of_model(record.variant) | {"weights": record.model.revision}


def _asked_of_model(variant: VariantSpec) -> dict[str, object]:
    """Without its own part of the recipe: the whole recipe is looked at."""
    others = {"name", "model", "engine", "revision", "recipe"}
    asked: dict[str, object] = variant.model_dump(exclude=others)
    return asked


def _differing(ours: dict[str, object], theirs: dict[str, object]) -> str:
    names = [
        name for name in ours if name not in NOT_OF_THE_RECIPE and ours[name] != theirs.get(name)
    ]
    return ", ".join(_setting(name, ours[name]) for name in names[:3])


def _setting(name: str, value: object) -> str:
    """Write a setting; of one that has parts, such as ``distillation``, the name alone."""
    return name if isinstance(value, dict) else f"{name} {value}"
