"""The versioned record of one trial, and the facts about data and machine inside it."""

from math import isfinite
from typing import Any, Literal

from pydantic import JsonValue, model_validator

from agnews_ray.record.attempts import AttemptRecord as AttemptRecord
from agnews_ray.record.dataset import DatasetRecord as DatasetRecord
from agnews_ray.record.dataset import SplitRecord as SplitRecord
from agnews_ray.record.predicted import PredictionRecord as PredictionRecord
from agnews_ray.record.shape import Record as Record
from agnews_ray.record.taught import LabellingRecord as LabellingRecord
from agnews_ray.record.taught import PretrainingRecord as PretrainingRecord
from agnews_ray.record.taught import TeachingRecord as TeachingRecord
from agnews_ray.record.taught import Work as Work
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.variant import VariantSpec

SCHEMA_VERSION = 9
"""2 added ``variant.engine``; records of version 1 were all made by ``fast``, its default. 3 added
what was assumed of data and model, 4 the engine that really ran and pauses in mid-training, 5
``recipe.label_smoothing`` and ``recipe.class_weights``, 6 a variant's own part of the recipe and
whether test was scored, 7 the place of a trial in a search, its share of the train rows,
``recipe.stop`` and the best epoch, what was predicted of it, its whole time, and linear models,
without steps and padding, 8 students, teachers and pre-training, 9 the attempts at a trial and the
passes of a step; what older records lack has a default that was true of them."""

READABLE_VERSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 9)
FIRST_TO_NAME_DIVERGENCE = 3


class ClassScores(Record):
    """The scores of one class; fractions in [0, 1]."""

    name: str
    precision: float
    recall: float
    f1: float
    num_examples: int


class Scores(Record):
    """The scores on one split; fractions in [0, 1]. If logits are not numbers, there are none."""

    accuracy: float | None
    macro_f1: float | None
    num_examples: int
    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    """``[i][j]`` is the number of rows of class i predicted as class j."""

    @classmethod
    def none_of(cls, num_examples: int) -> "Scores":
        """Make scores of that many rows, without values."""
        return cls(
            accuracy=None, macro_f1=None, num_examples=num_examples, per_class=(), confusion=()
        )


class ModelRecord(Record):
    """The model as it was built."""

    model_id: str
    """The hub id, folder or alias of the model."""
    revision: str | None
    """The commit on the hub, or a digest of the local files."""
    parameters: int
    """The number of all parameters, including embeddings."""
    size_bytes: int
    """The bytes of the saved weights, kept or not, and of a TF-IDF model's vocabulary."""
    head: Literal["fresh", "kept"] | None = None
    """The classification head at the start of training: drawn by the seed, or the model's own with
    its rows matched to the classes by name. None: a linear model, whose head is fitted; or before
    version 3, when a head with the same number of classes was kept, in any order."""
    unknown_share: float | None = None
    """The share of unknown pieces in a sample of train rows, in [0, 1]."""
    notes: tuple[str, ...] = ()
    """The assumptions about the model and the changes to it: pad token, embeddings, precision."""
    artifact_deviation: float | None = None
    """The largest difference between the recorded logits and those of the saved artifact, loaded
    again and run on the texts of a few test rows, as a share of the largest logit; None: not
    compared."""


class TrainingRecord(Record):
    """The time and memory that training took."""

    num_steps: int
    """The number of updates: fewer than planned after an early stop, none of a linear model."""
    num_train_examples: int
    """The number of rows per epoch."""
    train_seconds: float
    """The wall time of all updates or of a linear fit, without start-up, scoring and saving."""
    samples_per_second: float
    """The train rows of all steps, per second of ``train_seconds``."""
    final_loss: float | None
    """The mean loss of the last tenth of the steps; None if one is not a number, or without any."""
    padding_share: float | None
    """The share of the computed tokens that were padding, in [0, 1]; None for a linear model."""
    num_skipped_steps: int
    """The number of updates that FP16 loss scaling skipped after an overflow."""
    peak_memory_bytes: int
    """The peak memory per worker: reserved from the device on a GPU (before version 4: allocated,
    without the pool of recorded steps), resident on a CPU (before: at least its parent's)."""
    is_streamed: bool
    """Whether the rows were streamed in windows instead of held in memory."""
    seconds_to_first_step: float
    """The time from ``submit`` (for a study's first trial) or from the trial's start to its first
    update, or to the start of a linear model's fit."""
    scoring_seconds: float
    """The wall time of scoring the test split."""
    num_machines: int | None = None
    """The number of machines of the workers; None: before version 3."""
    engine: str | None = None
    """The engine that really ran: its name, or ``fast, unrecorded`` if a GPU's steps were not
    recorded as CUDA graphs; ``scikit-learn`` for a linear model. None: before version 4, when there
    was no fallback."""
    engine_note: str | None = None

    """Why it ran unrecorded, or why another engine than the variant's ran; None: neither."""
    paused_seconds: float | None = None
    """The seconds during training in which this process did not run (a sleeping laptop, a stopped
    process or container); not part of ``train_seconds``. None: before version 4, not measured."""
    best_epoch: int | None = None
    """The epoch, counted from 1, whose weights were scored on test and saved, if the recipe has a
    rule to stop; None: the last one."""
    stopped_after_epoch: int | None = None
    """The epoch after which this rule ended the training; None: it did not."""
    passes_per_step: int = 1
    """The number of passes into which each rank's rows of a step were cut in the last attempt: more
    than one after a GPU's memory was full."""


class RungScore(Record):
    """The validation scores of a trial in mid-training; fractions in [0, 1]."""

    step: int
    """The number of finished updates."""
    epochs: float
    """The same in epochs of the trial."""
    accuracy: float | None
    macro_f1: float | None


class SearchRecord(Record):
    """A trial's place in a search for better settings (`agnews-ray tune`)."""

    variant: str
    """The name of the variant whose settings are searched."""
    number: int
    """The setting's number in the search of that variant, from 0; its trials with other seeds have
    the same."""
    settings: dict[str, JsonValue]
    """The tried values by dotted path, such as ``recipe.learning_rate``."""
    metric: Literal["accuracy", "macro-f1"] = "accuracy"
    """The validation score by which the search judges."""
    rungs: tuple[RungScore, ...] = ()
    """The scores at which the search decided whether the trial goes on."""
    is_stopped: bool = False
    """Whether the search ended it at the last of them; its other numbers are of what it did."""


class EnvironmentRecord(Record):
    """The machine and the software."""

    python: str
    platform: str
    cpu: str
    num_cpus: int
    memory_bytes: int
    gpu: str | None
    num_gpus: int
    commit: str | None
    """The commit of this package's checkout, with ``-dirty`` if files were changed."""
    versions: dict[str, str]


class TrialRecord(Record):
    """All that is known about one finished trial."""

    schema_version: int = SCHEMA_VERSION
    study: str
    trial_id: str
    created_at: str
    """The time of the record, in UTC, ISO 8601."""
    command: str
    """The command line that made the record."""
    variant: VariantSpec
    seed: int
    recipe: RecipeSpec
    """The whole of what it was trained by: the study's, but for what is the variant's own. On a
    linear model only ``class_weights`` had an effect."""
    data: DataSpec
    scaling: ScalingSpec
    device: Device
    precision: Precision
    model: ModelRecord
    dataset: DatasetRecord
    training: TrainingRecord
    test: Scores
    train_share: float = 1.0
    """The share of the train rows that it was trained with, in (0, 1]; a trial with less than all
    is in no row of a table, but on the study's curve."""
    scores_test: bool = True
    """Whether the test split was to be scored; without, there are no predictions, and the trial is
    in no row of a table."""
    validation: tuple[Scores, ...] = ()
    """The scores after each epoch, if there is a validation split."""
    search: SearchRecord | None = None
    """Its place in a search; None if it belongs to none."""
    work: Work = "fine-tuning"
    """What the trial did; only fine-tuned models are in rows of a table. Of ``labelling`` the
    variant is the teacher and ``test`` its scores; ``pretraining`` scores nothing."""
    teaching: TeachingRecord | None = None
    """What a student learned from; None: from labels alone."""
    labelling: LabellingRecord | None = None
    """What a teacher's labels are like; None: the trial labelled nothing."""
    pretraining: PretrainingRecord | None = None
    """How the encoder was pre-trained; None: the trial did not pre-train."""
    total_seconds: float | None = None
    """The wall time from ``submit`` (for a study's first trial) or from the trial's start to its
    record; None: before version 7."""
    predicted: PredictionRecord | None = None
    """What was predicted of it; None if nothing was."""
    attempts: tuple[AttemptRecord, ...] = ()
    """The attempts at it, the finished one last; before version 9 none were noted."""
    environment: EnvironmentRecord
    diverged: str | None = None
    """Why the model has no scores: its loss or its logits are not numbers. Such a trial is left out
    of every mean. Records before version 3 have NaN as final loss instead."""

    @model_validator(mode="before")
    @classmethod
    def _name_divergence(cls, content: Any) -> Any:
        """Read older records, which have NaN and count the rows as class 0."""
        training = content.get("training") if isinstance(content, dict) else None
        if not isinstance(training, dict):
            return content
        loss = training.get("final_loss")
        if not isinstance(loss, float) or isfinite(loss):
            return content
        content = content | {"training": {**training, "final_loss": None}}
        return without_scores(content, "loss is not a number")


def without_scores(content: dict[str, Any], reason: str) -> dict[str, Any]:
    """Mark the content of a record as that of a diverged trial.

    Args:
        content: the record's JSON.
        reason: what was not a number.

    Returns:
        The same content without its scores.
    """
    num_examples = content["test"]["num_examples"]
    return content | {"diverged": reason, "test": Scores.none_of(num_examples).model_dump()}
