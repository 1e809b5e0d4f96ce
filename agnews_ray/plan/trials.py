"""The trials of a study: one for each variant and seed, with content-hash ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agnews_ray.errors import SpecError
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.plan.class_weights import class_weights
from agnews_ray.plan.names import content_hash, slug
from agnews_ray.record.schema import DatasetRecord
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.linear_models import is_linear, keys_with_effect
from agnews_ray.spec.recipe import WITHOUT_EFFECT, RecipeSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrial:
    """One variant with one seed, ready to run."""

    trial_id: str
    variant: VariantSpec
    seed: int
    device: Device
    precision: Precision
    recipe: RecipeSpec
    """The complete recipe: the study's recipe, with the variant's own settings in it."""
    num_steps: int
    """The number of optimiser updates; 0 for a linear model, which is fitted in one go."""
    scores_test: bool = True
    """Whether the test split is scored; a trial by which settings are chosen must not see it."""
    waits_for: tuple[str, ...] = ()
    """The ids of trials that must have finished before this one starts."""
    rungs: tuple[int, ...] = ()
    """The steps after which validation is scored and the driver is asked whether the trial goes
    on, as a search wants it; the last step is none of them."""
    class_weights: tuple[float, ...] | None = None
    """The weight of a row's loss by class id; None if all rows have the same."""


ADDED_SINCE: Mapping[str, object] = {"label_smoothing": 0.0, "class_weights": "none"}
"""The fields of a recipe that version 0.1.0 did not have, with the values that it used. A field
with this value is no part of an id; otherwise finished trials would be trained again."""


def plan_trials(
    study: StudySpec,
    dataset: DatasetRecord,
    identities: Mapping[str, str],
    device: Device,
    precision: Precision | Mapping[str, Precision],
    *,
    scores_test: bool = True,
) -> tuple[PlannedTrial, ...]:
    """Plan every trial of a study, seeds innermost.

    Args:
        study: the study, with a name for every variant.
        dataset: the facts about the scanned dataset.
        identities: the identity of each variant's weights, by variant name (hub id and revision, or
            a digest of local files).
        device: the device on which the trials will run; linear models run on a CPU, in fp32.
        precision: the precision on that device, with ``auto`` resolved; or the precisions by
            variant name, if a variant cannot be trained in it.
        scores_test: whether the trials score the test split.

    Returns:
        One trial per variant and seed. The id depends on everything that may change a result or its
        cost, except the machine; it does not depend on the study's name, paths, or other variants.

    Raises:
        SpecError: two variants have the same name, there are fewer train rows than one batch has,
            or there is not one class weight for each class.
    """
    names = [variant.name for variant in study.models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        found = f"models: want different names, found {twice[0]!r} twice; set `name` in a job file"
        raise SpecError("study", [found])
    by_name = precision if isinstance(precision, Mapping) else dict.fromkeys(names, precision)
    trials = []
    for variant in study.models:
        recipe = variant.recipe_in(study.recipe)
        num_steps = _num_steps(variant, recipe, dataset.num_train)
        for seed in study.seeds:
            trial = PlannedTrial(
                trial_id="",
                variant=variant,
                seed=seed,
                device="cpu" if is_linear(variant.model) else device,
                precision="fp32" if is_linear(variant.model) else by_name[variant.name],
                recipe=recipe,
                num_steps=num_steps,
                scores_test=scores_test,
                class_weights=class_weights(
                    recipe, dataset.class_names, dataset.train.class_counts
                ),
            )
            trial_id = _trial_id(trial, study, dataset, identities[variant.name])
            trials.append(replace(trial, trial_id=trial_id))
    return tuple(trials)


def _num_steps(variant: VariantSpec, recipe: RecipeSpec, num_rows: int) -> int:
    if is_linear(variant.model):
        return 0
    batch = recipe.global_batch_size
    if num_rows < batch:
        hint = "lower --global-batch-size, or use more rows"
        whose = f" of {variant.name}" if variant.recipe else ""
        found = f"train split: want at least one global batch{whose} ({batch} rows)"
        raise SpecError("study", [f"{found}, found {num_rows}; {hint}"])
    return steps_per_epoch(num_rows, batch) * recipe.num_epochs


WHERE_ROWS_LIE = ("source", "test_source", "validation_source")


def same_question(first: StudySpec, second: StudySpec, *, has_same_rows: bool = False) -> list[str]:
    """Compare the settings that must be equal in two submits into one study folder.

    Args:
        first: the study in the folder.
        second: the study to submit now.
        has_same_rows: whether the rows of both are known to be the same; then their names and
            folders need not be equal.

    Returns:
        The settings that differ, each as a text with its dotted name and both values; models and
        seeds may differ.
    """
    differing = []
    for section in ("data", "recipe", "scaling"):
        before = getattr(first, section).model_dump()
        after = getattr(second, section).model_dump()
        differing += [
            f"{section}.{key}: {before[key]!r} there, {after[key]!r} asked"
            for key in before
            if before[key] != after[key] and not (has_same_rows and key in WHERE_ROWS_LIE)
        ]
    return differing


def _trial_id(trial: PlannedTrial, study: StudySpec, dataset: DatasetRecord, identity: str) -> str:
    variant = trial.variant
    rows = {"max_length_tokens", "limit_train", "limit_test", "validation_fraction", "split_seed"}
    if not is_linear(variant.model):
        rows |= {"max_resident_mb", "stream_window_rows"}  # a stream makes other batches
    recipe = trial.recipe.model_dump(exclude={"precision", *WITHOUT_EFFECT})
    recipe = {key: recipe[key] for key in keys_with_effect(variant.model, recipe)}
    recipe = {k: v for k, v in recipe.items() if k not in ADDED_SINCE or v != ADDED_SINCE[k]}
    content: dict[str, object] = {
        "identity": identity,
        "init": variant.init,
        "engine": variant.engine,
        "architecture": variant.architecture.model_dump() if variant.architecture else None,
        "seed": trial.seed,
        "recipe": recipe,
        "precision": trial.precision,
        "num_workers": 1 if is_linear(variant.model) else study.scaling.num_workers,
        "fingerprint": dataset.fingerprint,
        "class_names": dataset.class_names,
        "rows": study.data.model_dump(include=rows),
    }
    if not trial.scores_test:  # otherwise its record would be used for a trial with scores
        content["scores_test"] = False
    if trial.rungs:
        content["rungs"] = trial.rungs
    return f"{slug(variant.name)}-s{trial.seed}-{content_hash(content, 10)}"
