"""The trials of a study: one for each variant, share and seed, with content-hash ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

from agnews_ray.errors import SpecError
from agnews_ray.plan.budget import rows_of_share, steps_per_epoch
from agnews_ray.plan.class_weights import class_weights
from agnews_ray.plan.looks import Looks
from agnews_ray.plan.names import content_hash, slug
from agnews_ray.record.schema import DatasetRecord, SearchRecord, Work
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.linear_models import is_linear, keys_with_effect
from agnews_ray.spec.recipe import WITHOUT_EFFECT, RecipeSpec
from agnews_ray.spec.shares import in_percent
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrial:
    """One variant with one seed, ready to run; or work that such a trial waits for."""

    trial_id: str
    variant: VariantSpec
    """The variant; of a labelling trial its teacher, with ``keep_head`` if it is trained already.
    """
    work: Work = "fine-tuning"
    """What it does: ``pretraining`` trains an encoder on texts, ``labelling`` computes a teacher's
    logits for the rows of its students."""
    seed: int
    device: Device
    precision: Precision
    recipe: RecipeSpec
    """The complete recipe: the study's recipe, with the variant's own settings in it."""
    num_steps: int
    """The number of optimiser updates; 0 for a linear model, which is fitted in one go."""
    train_share: float = 1.0
    """The share of the train rows that it is trained with, in (0, 1]."""
    scores_test: bool = True
    """Whether the test split is scored; a trial by which settings are chosen must not see it."""
    waits_for: tuple[str, ...] = ()
    """The ids of trials that must have finished before this one starts."""
    rungs: tuple[int, ...] = ()
    """The steps after which validation is scored and the driver is asked whether the trial goes
    on, as a search wants it; the last step is none of them."""
    keeps_artifact: bool = True
    """Whether the trained model is saved; the trials of a search, and those with a share of the
    train rows, leave none."""
    search: SearchRecord | None = None
    """The trial's place in a search, without scores yet; no part of its id, which has the settings
    themselves."""
    class_weights: tuple[float, ...] | None = None
    """The weight of a row's loss by class id; None if all rows have the same."""
    starts_from: str | None = None
    """The id of the pre-training trial whose encoder it starts from; None: the variant's model. Of
    a labelling trial: the id of the trial whose artifact is the teacher; None: the variant's model
    is a trained classifier."""
    teacher: str | None = None
    """Of a pre-training trial: the id of the pre-training trial whose encoder is its teacher;
    None: the model that ``pretraining.teacher`` names, or no teacher."""
    labelled_by: tuple[str, ...] = ()
    """The ids of the labelling trials whose soft labels it learns from."""
    transfer: TransferSpec | None = None
    """The texts without labels that are among its rows."""


ADDED_SINCE: Mapping[str, object] = {
    "label_smoothing": 0.0,
    "class_weights": "none",
    "stop": None,
}
"""The fields of a recipe that version 0.1.0 did not have, with the values that it used. A field
with this value is no part of an id; otherwise finished trials would be trained again."""


def plan_trials(
    study: StudySpec,
    dataset: DatasetRecord,
    identities: Mapping[str, str],
    device: Device,
    precision: Precision | Mapping[str, Precision],
    looks: Looks | None = None,
) -> tuple[PlannedTrial, ...]:
    """Plan every trial of a study: by variant, then from the smallest share on, then by seed.

    Args:
        study: the study, with a name for every variant.
        dataset: the facts about the scanned dataset.
        identities: the identity of each variant's weights, by variant name (hub id and revision, or
            a digest of local files).
        device: the device on which the trials will run; linear models run on a CPU, in fp32.
        precision: the precision on that device, with ``auto`` resolved; or the precisions by
            variant name, if a variant cannot be trained in it.
        looks: for the trials of a search, which do not score the test split and have all train
            rows: after how many epochs it looks at them.

    Returns:
        One trial per variant, share of the train rows and seed. The id depends on everything that
        may change a result or its cost, except the machine; it does not depend on the study's name,
        paths, other variants or shares: those of all rows are the trials of the study without a
        curve. The others keep no artifact, which would fill the disk with models that nobody uses.
        Class weights are those of all rows, as a stratified share has the same.

    Raises:
        SpecError: two variants have the same name, a share has fewer train rows than one batch or
            than there are classes, there is not one class weight for each class, or a rule of
            early stopping has no validation split.
    """
    names = [variant.name for variant in study.models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        found = f"models: want different names, found {twice[0]!r} twice; set `name` in a job file"
        raise SpecError("study", [found])
    _check_validation(study, dataset)
    by_name = precision if isinstance(precision, Mapping) else dict.fromkeys(names, precision)
    shares = study.train_shares if looks is None else (1.0,)
    _refuse_few_rows(study, shares, dataset)
    trials = []
    for variant in study.models:
        recipe = variant.recipe_in(study.recipe)
        for share, seed in product(shares, study.seeds):
            num_rows = rows_of_share(dataset.num_train, share)
            num_steps = steps_per_epoch(num_rows, recipe.global_batch_size) * recipe.num_epochs
            num_steps = 0 if is_linear(variant.model) else num_steps
            trial = PlannedTrial(
                trial_id="",
                variant=variant,
                seed=seed,
                device="cpu" if is_linear(variant.model) else device,
                precision="fp32" if is_linear(variant.model) else by_name[variant.name],
                recipe=recipe,
                num_steps=num_steps,
                train_share=share,
                scores_test=looks is None,
                keeps_artifact=looks is None and share == 1,
                rungs=tuple(looks.steps(recipe.num_epochs, num_steps)) if looks else (),
                class_weights=class_weights(
                    recipe, dataset.class_names, dataset.train.class_counts
                ),
            )
            trial_id = _trial_id(trial, study, dataset, identities[variant.name])
            trials.append(replace(trial, trial_id=trial_id))
    return tuple(trials)


def _refuse_few_rows(study: StudySpec, shares: tuple[float, ...], dataset: DatasetRecord) -> None:
    """Name every share of the train rows that is too small to train a variant."""
    problems = []
    num_classes = sum(count > 0 for count in dataset.train.class_counts)
    for share in shares:
        num_rows = rows_of_share(dataset.num_train, share)
        is_whole = share == 1
        where = "train split" if is_whole else f"curve: {in_percent(share)} of the train rows"
        hint = "use more rows" if is_whole else "use a larger share, or more rows"
        for variant in study.models:
            batch = variant.recipe_in(study.recipe).global_batch_size
            whose = f" of {variant.name}" if variant.recipe else ""
            if num_rows < batch and not is_linear(variant.model):
                problems.append(
                    f"{where}: want at least one global batch{whose} ({batch} rows), found "
                    f"{num_rows}; lower --global-batch-size, or {hint}"
                )
        if batch <= num_rows < num_classes and not is_whole:
            problems.append(
                f"{where}: want a row of each of {num_classes} classes, found {num_rows} rows; "
                f"{hint}"
            )
    if problems:
        raise SpecError("study", list(dict.fromkeys(problems)))


def _check_validation(study: StudySpec, dataset: DatasetRecord) -> None:
    """Refuse rules of early stopping if there are no rows to score."""
    if dataset.validation is not None or dataset.num_validation:
        return
    stopping = [one.name for one in study.models if one.recipe_in(study.recipe).stop is not None]
    if stopping:
        hint = "set data.validation_fraction or data.validation_source, or leave stop out"
        whose = "" if study.recipe.stop else f" of {', '.join(stopping)}"
        found = f"recipe.stop{whose}: want a validation split, found none; {hint}"
        raise SpecError("study", [found])


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
    if trial.train_share < 1:
        content["train_share"] = trial.train_share
    if trial.rungs:
        content["rungs"] = trial.rungs
    if not trial.keeps_artifact:  # otherwise it would be used for a trial whose model is wanted
        content["keeps_artifact"] = False
    return f"{slug(variant.name)}-s{trial.seed}-{content_hash(content, 10)}"
