"""The trials of a study: one for each variant, share and seed, with content-hash ids."""

from collections.abc import Mapping
from itertools import product

from agnews_ray.errors import SpecError
from agnews_ray.plan.budget import rows_of_share
from agnews_ray.plan.looks import Looks
from agnews_ray.plan.planned import Known, PlannedTrial
from agnews_ray.plan.planner import Planner
from agnews_ray.record.schema import DatasetRecord
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.shares import in_percent
from agnews_ray.spec.study import StudySpec

__all__ = ["Known", "PlannedTrial", "plan_trials", "same_question"]


def plan_trials(
    study: StudySpec,
    dataset: DatasetRecord,
    known: Known,
    device: Device,
    precision: Precision | Mapping[str, Precision],
    looks: Looks | None = None,
) -> tuple[PlannedTrial, ...]:
    """Plan every trial of a study: by variant, then from the smallest share on, then by seed.

    Args:
        study: the study, with a name for every variant.
        dataset: the facts about the scanned dataset.
        known: what is known about weights, teachers and texts without labels.
        device: the device on which the trials will run; linear models run on a CPU, in fp32.
        precision: the precision on that device, with ``auto`` resolved; or the precisions by
            variant name, if a variant cannot be trained in it.
        looks: for the trials of a search, which do not score the test split and have all train
            rows: after how many epochs it looks at them.

    Returns:
        One trial per variant, share of the train rows and seed, and what they wait for: a
        pre-training for each variant that has one, and for each teacher and seed the labelling of
        its students' rows. The id depends on everything that may change a result or its cost,
        except the machine; it does not depend on the study's name, paths, other variants or
        shares: those of all rows are the trials of the study without a curve. The others keep no
        artifact, which would fill the disk with models that nobody uses. Class weights are those
        of all rows, as a stratified share has the same.

    Raises:
        SpecError: two variants have the same name, a share has fewer train rows than one batch or
            than there are classes, there is not one class weight for each class, a rule of
            early stopping has no validation split, or a teacher cannot be one.
    """
    names = [variant.name for variant in study.models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        found = f"models: want different names, found {twice[0]!r} twice; set `name` in a job file"
        raise SpecError("study", [found])
    _check_validation(study, dataset)
    shares = study.train_shares if looks is None else (1.0,)
    _refuse_few_rows(study, shares, dataset, known)
    by_name = precision if isinstance(precision, Mapping) else dict.fromkeys(names, precision)
    planner = Planner(study, dataset, known, device, by_name, looks)
    for variant in study.models:
        for share, seed in product(shares, study.seeds):
            planner.fine_tuned(variant, share, seed)
    return planner.trials


def _refuse_few_rows(
    study: StudySpec, shares: tuple[float, ...], dataset: DatasetRecord, known: Known
) -> None:
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
            transfer = variant.distillation.transfer if variant.distillation else None
            count = known.num_rows(dataset, share, transfer)
            if count < batch and not is_linear(variant.model):
                problems.append(
                    f"{where}: want at least one global batch{whose} ({batch} rows), found "
                    f"{count}; lower --global-batch-size, or {hint}"
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
