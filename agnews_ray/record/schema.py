"""The versioned record of one trial, and the facts about data and machine inside it."""

from math import isfinite
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.variant import VariantSpec

SCHEMA_VERSION = 6
"""2 added ``variant.engine``; records of version 1 were all made by ``fast``, its default. 3 added
what was assumed of data and model, 4 the engine that really ran and pauses in mid-training, 5
``recipe.label_smoothing`` and ``recipe.class_weights``, 6 a
variant's own part of the recipe and whether test was scored; what older records lack has a
default that was true of them."""

READABLE_VERSIONS = (1, 2, 3, 4, 5, 6)
FIRST_TO_NAME_DIVERGENCE = 3


class Record(BaseModel):
    """An immutable part of a record; unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )


class SplitRecord(Record):
    """One split as it was read."""

    files: tuple[str, ...]
    """Names of the files, without their folder."""
    num_rows: int
    """Rows in the files, before any limit."""
    num_selected: int
    """Rows used."""
    num_empty: int
    """Rows whose text is empty or white space; kept, and reported."""
    class_counts: tuple[int, ...]
    """Rows per class, in label order, before any limit."""
    fingerprint: str
    """Hash of texts and labels in row order, independent of the file format."""


class DatasetRecord(Record):
    """A dataset as it was read."""

    source: str
    """As asked for."""
    kind: str
    """File format read: csv, parquet, arrow or jsonl."""
    text_columns: tuple[str, ...]
    """Columns that were joined into the text."""
    label_column: str
    """Column of the labels; for a file without header its position."""
    label_kind: Literal["integers from 0", "integers from 1", "names"]
    """How labels were written in the source, as said or inferred."""
    class_names: tuple[str, ...]
    """Names in label order."""
    revision: str | None = None
    """Hub revision or generator settings, where there is one."""
    train: SplitRecord
    test: SplitRecord
    validation: SplitRecord | None = None
    """A validation split that the source brought along, where it did."""
    num_validation: int
    """Rows cut from the selected train rows; 0 where the source brought a validation split."""
    missing_classes: tuple[str, ...] = ()
    """A sentence for each split whose used rows have none of some classes."""
    assumptions: tuple[str, ...] = ()
    """What was taken for granted to read the source, in short words."""

    @property
    def fingerprint(self) -> str:
        """One short hash for all splits."""
        splits = [self.train, self.test, *([self.validation] if self.validation else [])]
        return "-".join(split.fingerprint[:16] for split in splits)

    @property
    def num_train(self) -> int:
        """Rows trained on: selected, less the validation split."""
        return self.train.num_selected - self.num_validation


class ClassScores(Record):
    """Scores of one class; fractions in [0, 1]."""

    name: str
    precision: float
    recall: float
    f1: float
    num_examples: int


class Scores(Record):
    """Scores on one split; fractions in [0, 1]. Where logits are not numbers there are none."""

    accuracy: float | None
    macro_f1: float | None
    num_examples: int
    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    """``[i][j]`` counts class-i rows predicted as j."""

    @classmethod
    def none_of(cls, num_examples: int) -> "Scores":
        """Say that so many rows have no scores."""
        return cls(
            accuracy=None, macro_f1=None, num_examples=num_examples, per_class=(), confusion=()
        )


class ModelRecord(Record):
    """The model as it was built."""

    model_id: str
    """Hub id, folder or alias that it came from."""
    revision: str | None
    """Commit on the hub, or a digest of the local files."""
    parameters: int
    """All parameters, embeddings included."""
    size_bytes: int
    """Bytes of the saved safetensors file."""
    head: Literal["fresh", "kept"] | None = None
    """The classification head that training began from: drawn by the seed, or the model's own, its
    rows matched to the classes by name. None: before version 3, when a head of as many classes was
    kept, in whatever order."""
    unknown_share: float | None = None
    """Share of pieces that the vocabulary does not know, in a sample of train rows, in [0, 1]."""
    notes: tuple[str, ...] = ()
    """What was assumed of the model or changed in it: pad token, embeddings, precision."""
    artifact_deviation: float | None = None
    """Largest difference between the recorded logits and those of the saved artifact, loaded anew
    and given texts, on a few test rows, as a share of the largest logit; None: not compared."""


class TrainingRecord(Record):
    """What fine-tuning took."""

    num_steps: int
    num_train_examples: int
    """Rows per epoch."""
    train_seconds: float
    """Wall time of all optimiser updates; without start-up, scoring and saving."""
    samples_per_second: float
    """Rows trained on over all epochs, per second of ``train_seconds``."""
    final_loss: float | None
    """Mean loss of the last tenth of the steps; None where one of them is not a number."""
    padding_share: float
    """Share of the computed tokens that were padding, in [0, 1]."""
    num_skipped_steps: int
    """Updates skipped by FP16 loss scaling after an overflow."""
    peak_memory_bytes: int
    """Per worker: taken from the device on a GPU (before version 4: allocated, without the pool of
    recorded steps), resident memory on a CPU (before: at least its parent's)."""
    is_streamed: bool
    """Whether the rows were streamed in windows instead of held."""
    seconds_to_first_step: float
    """From ``submit`` (a study's first trial) or the trial's own start to its first update."""
    scoring_seconds: float
    """Wall time of scoring the test split."""
    num_machines: int | None = None
    """Machines that the workers were on; records before version 3 do not say."""
    engine: str | None = None
    """What really ran: an engine's name, or ``fast, unrecorded`` where a GPU's steps were not
    recorded as CUDA graphs. None: before version 4, when nothing fell back."""
    engine_note: str | None = None
    """Why it ran unrecorded, or another engine ran than the variant's; None: it did not."""
    paused_seconds: float | None = None
    """Seconds in mid-training in which this process did not run (a sleeping laptop, a stopped
    process or container); not part of ``train_seconds``. None: before version 4, not looked for."""


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
    """Commit of this package's checkout, ``-dirty`` appended where files were changed."""
    versions: dict[str, str]


class TrialRecord(Record):
    """All that is known of one finished trial."""

    schema_version: int = SCHEMA_VERSION
    study: str
    trial_id: str
    created_at: str
    """UTC, ISO 8601."""
    command: str
    """The command line that made it."""
    variant: VariantSpec
    seed: int
    recipe: RecipeSpec
    """The whole of what it was trained by: the study's, but for what is the variant's own."""
    data: DataSpec
    scaling: ScalingSpec
    device: Device
    precision: Precision
    model: ModelRecord
    dataset: DatasetRecord
    training: TrainingRecord
    test: Scores
    scores_test: bool = True
    """Whether the test split was to be scored; without, there are no predictions, and the trial is
    in no row of a table."""
    validation: tuple[Scores, ...] = ()
    """One entry per epoch, where a validation split was cut."""
    environment: EnvironmentRecord
    diverged: str | None = None
    """Why nothing can be said of the model: its loss or its logits are not numbers. Such a trial
    has no scores and is part of no mean. Records before version 3 have NaN for a final loss."""

    @model_validator(mode="before")
    @classmethod
    def _name_divergence(cls, content: Any) -> Any:
        """Read older records, which say NaN and count the rows as class 0."""
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
        content: as read from JSON.
        reason: in what it diverged.

    Returns:
        The same, with what was counted as scores left out.
    """
    num_examples = content["test"]["num_examples"]
    return content | {"diverged": reason, "test": Scores.none_of(num_examples).model_dump()}
