"""A study times its seeds: planned trials with content-hash ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agnews_ray.errors import SpecError
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.plan.class_weights import class_weights
from agnews_ray.plan.names import content_hash, slug
from agnews_ray.record.schema import DatasetRecord
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.recipe import WITHOUT_EFFECT, RecipeSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrial:
    """One variant with one seed, ready to be run."""

    trial_id: str
    variant: VariantSpec
    seed: int
    device: Device
    precision: Precision
    recipe: RecipeSpec
    """The whole of it: the study's, but for what is the variant's own."""
    num_steps: int
    scores_test: bool = True
    """Whether the test split is scored: a trial that others are chosen by must not see it."""
    waits_for: tuple[str, ...] = ()
    """Ids of trials that must have finished before this one starts."""
    class_weights: tuple[float, ...] | None = None
    """What a row's loss counts, by class id; None where all count the same."""


ADDED_SINCE: Mapping[str, object] = {"label_smoothing": 0.0, "class_weights": "none"}
"""Fields of a recipe that version 0.1.0 had not, and what they were then: at this value they are
no part of an id, or finished trials would be trained again."""


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
        study: with a name for every variant.
        dataset: as scanned.
        identities: variant name to what identifies its weights (hub id and revision, or a
            digest of local files).
        device: what the trials will run on.
        precision: what ``auto`` came to on that device; or by variant name, where one cannot be
            trained in it.
        scores_test: whether the trials score the test split.

    Returns:
        One trial per variant and seed. The id depends on what may change a result or its cost,
        but for the machine: not on the study's name, paths, or other variants.

    Raises:
        SpecError: two variants have one name, there are fewer train rows than one batch has, or
            not one class weight for each class.
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
                device=device,
                precision=by_name[variant.name],
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
    batch = recipe.global_batch_size
    if num_rows < batch:
        hint = "lower --global-batch-size, or use more rows"
        whose = f" of {variant.name}" if variant.recipe else ""
        found = f"train split: want at least one global batch{whose} ({batch} rows)"
        raise SpecError("study", [f"{found}, found {num_rows}; {hint}"])
    return steps_per_epoch(num_rows, batch) * recipe.num_epochs


WHERE_ROWS_LIE = ("source", "test_source", "validation_source")


def same_question(first: StudySpec, second: StudySpec, *, has_same_rows: bool = False) -> list[str]:
    """Compare what must agree between two submits into one study folder.

    Args:
        first: what is kept there.
        second: what is asked for now.
        has_same_rows: whether the rows of both were seen to be the same; it does not matter then
            by which name, or in which folder, they were found.

    Returns:
        Dotted names of the settings that differ; models and seeds may.
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
    rows |= {"max_resident_mb", "stream_window_rows"}  # a stream makes other batches
    recipe = trial.recipe.model_dump(exclude={"precision", *WITHOUT_EFFECT})
    recipe = {k: v for k, v in recipe.items() if k not in ADDED_SINCE or v != ADDED_SINCE[k]}
    content = {
        "identity": identity,
        "init": variant.init,
        "engine": variant.engine,
        "architecture": variant.architecture.model_dump() if variant.architecture else None,
        "seed": trial.seed,
        "recipe": recipe,
        "precision": trial.precision,
        "num_workers": study.scaling.num_workers,
        "fingerprint": dataset.fingerprint,
        "class_names": dataset.class_names,
        "rows": study.data.model_dump(include=rows),
    }
    if not trial.scores_test:  # or its record would be taken for that of a trial with scores
        content["scores_test"] = False
    return f"{slug(variant.name)}-s{trial.seed}-{content_hash(content, 10)}"
