"""Whether disk and GPU memory are enough for a study, checked before training."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from agnews_ray.errors import ResourceError
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import DatasetRecord
from agnews_ray.record.storage import is_uri
from agnews_ray.spec.base import Precision
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.study import StudySpec

BYTES_PER_PARAMETER = 4
"""The bytes of a parameter in an artifact, which is float32 for every precision of training."""

BYTES_PER_LOGIT = 4

FEATURES_PER_ROW = 6
"""The words and pairs of words that a train row adds to a TF-IDF vocabulary: on AG News 5.9 for
2,000 rows and 4.3 for 68,519."""

SPARE_BYTES = 32 << 20
"""The bytes for files that are not counted: tokenizers, curves, logs."""

SPARE_BYTES_WITHOUT_ARTIFACT = 1 << 20
"""The same for a trial whose model is not saved."""

MIB = 1 << 20


def check_disk(
    location: str,
    trials: Sequence[PlannedTrial],
    num_parameters: Mapping[str, int],
    num_logits: int,
) -> None:
    """Refuse trials whose files do not fit on their disk.

    Args:
        location: the study's place; the free space of an object store is unknown.
        trials: the trials to run.
        num_parameters: the number of parameters by variant name.
        num_logits: the number of logits kept of each trial: test rows times classes.

    Raises:
        ResourceError: the disk is too small; the message says how much is needed and free.
    """
    if is_uri(location):
        return
    wanted = sum(_size_of(trial, num_parameters, num_logits) for trial in trials)
    free = shutil.disk_usage(_existing(Path(location))).free
    if free < wanted:
        asked = f"{wanted / MIB:,.0f} MiB of disk for the files of {len(trials)} trial(s)"
        hint = "free some, ask for fewer models or seeds, or choose another disk with --runs"
        raise ResourceError(location, asked, f"{free / MIB:,.0f} MiB free", hint)


def linear_parameters(dataset: DatasetRecord) -> int:
    """Estimate the parameters of a TF-IDF model: a weight for each class, and what names a feature.

    Args:
        dataset: the dataset, with its train rows and classes.

    Returns:
        A number that texts longer than a paragraph may exceed.
    """
    names_and_weights = 6 + len(dataset.class_names)  # a name takes about 20 bytes
    return FEATURES_PER_ROW * dataset.num_train * names_and_weights


def _size_of(trial: PlannedTrial, num_parameters: Mapping[str, int], num_logits: int) -> int:
    """Estimate the bytes of a trial's files, by what it leaves."""
    predictions = num_logits * BYTES_PER_LOGIT * trial.scores_test
    if not trial.keeps_artifact:
        return predictions + SPARE_BYTES_WITHOUT_ARTIFACT
    artifact = num_parameters[trial.variant.name] * BYTES_PER_PARAMETER
    return artifact + predictions + SPARE_BYTES


def _existing(path: Path) -> Path:
    """Return the folder, or the first one above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def gpu_memory_line(study: StudySpec, there: int) -> tuple[str, str | None]:
    """Describe the GPU memory that training needs, for the largest model and the longest batch.

    Args:
        study: the study, with its models and batches; at least one is fine-tuned.
        there: the GPU's memory, in bytes.

    Returns:
        A line, and what fits: ``recorded``, ``unrecorded`` or None.
    """
    from agnews_ray.model.memory import training_memory  # imports torch, which takes seconds

    length = study.data.max_length_tokens
    found = []
    for variant in study.models:
        if is_linear(variant.model):
            continue
        recipe = variant.recipe_in(study.recipe)
        precision: Precision = "fp16" if recipe.precision == "auto" else recipe.precision
        rows = recipe.global_batch_size // study.scaling.num_workers
        found.append((training_memory(variant, rows, length, precision), rows))
    most, rows = max(found, key=lambda one: one[0].recorded)
    text = (
        f"{there / 2**30:.1f} GiB, about {most.recorded / 2**30:.1f} wanted for batches of "
        f"{rows} x {length} tokens ({most.unrecorded / 2**30:.1f} with unrecorded steps)"
    )
    if most.recorded <= there:
        return text, "recorded"
    return text, "unrecorded" if most.unrecorded <= there else None
