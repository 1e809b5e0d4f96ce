"""A planned trial, and what its id depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agnews_ray.plan.budget import rows_of_share
from agnews_ray.plan.names import content_hash, slug
from agnews_ray.record.schema import DatasetRecord, SearchRecord, Work
from agnews_ray.record.taught import TransferRecord
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.linear_models import is_linear, keys_with_effect
from agnews_ray.spec.recipe import WITHOUT_EFFECT, RecipeSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about the sources of a study before it is planned."""

    weights: Mapping[str, str]
    """The identity of each variant's weights, by variant name (hub id and revision, or a digest of
    local files); also of each model in ``teachers``, by its key there."""
    teachers: Mapping[str, VariantSpec] = field(default_factory=dict)
    """The teachers that are no variants of the study, as the user wrote them."""
    transfers: Mapping[TransferSpec, TransferRecord] = field(default_factory=dict)
    """The facts about each source of texts without labels."""

    def num_rows(self, dataset: DatasetRecord, share: float, transfer: TransferSpec | None) -> int:
        """Count the rows of an epoch.

        Args:
            dataset: the facts about the labelled rows.
            share: of the train rows, in (0, 1].
            transfer: the texts without labels among the rows; None: there are none.
        """
        own = rows_of_share(dataset.num_train, share)
        if transfer is None:
            return own
        return self.transfers[transfer].num_rows + (0 if transfer.only else own)


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
    """The number of optimiser updates; 0 for a linear model, which is fitted in one go, and for
    labelling."""
    num_rows: int = 0
    """The number of rows of an epoch, texts without labels included, or of rows to label."""
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
    teacher_trial: str | None = None
    """Of a pre-training trial: the id of the pre-training trial whose encoder is its teacher;
    None: the model that ``pretraining.teacher`` names, or no teacher."""
    teacher_model: VariantSpec | None = None
    """Of a pre-training trial: the model that teaches, unless ``teacher_trial`` left a better one;
    None without a teacher."""
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


def trial_id(trial: PlannedTrial, study: StudySpec, dataset: DatasetRecord, known: Known) -> str:
    """Make a trial's id: readable, then a hash of all that may change its result or its cost.

    The machine is no part of it; nor are the study's name, its paths, and its other trials, but
    for those that this one waits for.

    Args:
        trial: the trial, without an id.
        study: its study.
        dataset: the facts about the rows.
        known: what is known about weights and texts.
    """
    contents = {
        "fine-tuning": _of_fine_tuning,
        "pretraining": _of_pretraining,
        "labelling": _of_labelling,
    }
    content = contents[trial.work](trial, study, dataset, known)
    name = slug(trial.variant.name)
    if trial.work == "labelling":
        name += "-labels"
    elif trial.variant.pretraining and trial.work == "pretraining":
        # Several variants may start from the same pre-training, so it has none of their names.
        name = f"{trial.variant.pretraining.objective}-pretraining"
    return f"{name}-s{trial.seed}-{content_hash(content, 10)}"


def _of_fine_tuning(
    trial: PlannedTrial, study: StudySpec, dataset: DatasetRecord, known: Known
) -> dict[str, object]:
    variant = trial.variant
    rows = {"max_length_tokens", "limit_train", "limit_test", "validation_fraction", "split_seed"}
    if not is_linear(variant.model):
        rows |= {"max_resident_mb", "stream_window_rows"}  # a stream makes other batches
    content: dict[str, object] = {
        "identity": known.weights[variant.name],
        "init": variant.init,
        "engine": variant.engine,
        "architecture": variant.architecture.model_dump() if variant.architecture else None,
        "seed": trial.seed,
        "recipe": _of_recipe(trial),
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
    return content | _of_student(trial)


def _of_student(trial: PlannedTrial) -> dict[str, object]:
    """Name what a student is made of and learns from; nothing for others, whose ids stay."""
    content: dict[str, object] = {}
    variant = trial.variant
    if variant.student:
        content["student"] = variant.student.model_dump()
    if trial.starts_from:
        content["starts_from"] = trial.starts_from
    if variant.distillation:
        only = trial.transfer is not None and trial.transfer.only
        keys = {"temperature"} if only else {"temperature", "soft_weight"}  # no row has a label
        how = variant.distillation.model_dump(include=keys)
        content["distillation"] = how | {"labelled_by": trial.labelled_by, "only": only}
    return content


def _of_pretraining(
    trial: PlannedTrial, study: StudySpec, dataset: DatasetRecord, known: Known
) -> dict[str, object]:
    variant, spec = trial.variant, trial.variant.pretraining
    if spec is None:
        raise ValueError("want a variant with pre-training")
    rows = {"max_length_tokens", "limit_train", "validation_fraction", "split_seed"}
    rows |= {"max_resident_mb", "stream_window_rows"}
    return {
        "work": trial.work,
        "identity": known.weights[variant.name],
        "init": variant.init,
        "architecture": variant.architecture.model_dump() if variant.architecture else None,
        "student": variant.student.model_dump() if variant.student else None,
        "teacher": trial.teacher_trial or known.weights.get(spec.teacher or ""),
        "settings": spec.model_dump(exclude={"recipe", "transfer", "teacher"}),
        "recipe": _of_recipe(trial),
        "precision": trial.precision,
        "num_workers": study.scaling.num_workers,
        "fingerprint": dataset.train.fingerprint,
        "rows": study.data.model_dump(include=rows),
        "transfer": _of_transfer(trial, known),
    }


def _of_labelling(
    trial: PlannedTrial, study: StudySpec, dataset: DatasetRecord, known: Known
) -> dict[str, object]:
    rows = {"max_length_tokens", "limit_train", "limit_test", "validation_fraction", "split_seed"}
    return {
        "work": trial.work,
        "teacher": trial.starts_from or known.weights[trial.variant.name],
        "precision": trial.precision,
        "fingerprint": dataset.fingerprint,
        "class_names": dataset.class_names,
        "rows": study.data.model_dump(include=rows),
        "train_share": trial.train_share,
        "scores_test": trial.scores_test,
        "transfer": _of_transfer(trial, known),
    }


def _of_recipe(trial: PlannedTrial) -> dict[str, object]:
    recipe = trial.recipe.model_dump(exclude={"precision", *WITHOUT_EFFECT})
    recipe = {key: recipe[key] for key in keys_with_effect(trial.variant.model, recipe)}
    return {k: v for k, v in recipe.items() if k not in ADDED_SINCE or v != ADDED_SINCE[k]}


def _of_transfer(trial: PlannedTrial, known: Known) -> list[object] | None:
    if trial.transfer is None:
        return None
    return [known.transfers[trial.transfer].fingerprint, trial.transfer.only]
