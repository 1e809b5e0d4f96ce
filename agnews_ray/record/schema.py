"""The versioned record of one trial, and the facts about data and machine inside it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agnews_ray.spec.study import DataSpec, Device, Precision, RecipeSpec, ScalingSpec, VariantSpec

SCHEMA_VERSION = 3
"""2 added ``variant.engine``; records of version 1 were all made by ``fast``, its default. 3 added
what was assumed of data and model; what older records lack has a default that was true of them."""

READABLE_VERSIONS = (1, 2, 3)


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
    """File format read: csv, parquet or jsonl."""
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
    num_validation: int
    """Rows cut from the selected train rows."""

    @property
    def fingerprint(self) -> str:
        """One short hash for both splits."""
        return f"{self.train.fingerprint[:16]}-{self.test.fingerprint[:16]}"

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
    """Scores on one split; fractions in [0, 1]."""

    accuracy: float
    macro_f1: float
    num_examples: int
    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    """``[i][j]`` counts class-i rows predicted as j."""


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
    final_loss: float
    """Mean loss of the last tenth of the steps."""
    padding_share: float
    """Share of the computed tokens that were padding, in [0, 1]."""
    num_skipped_steps: int
    """Updates skipped by FP16 loss scaling after an overflow."""
    peak_memory_bytes: int
    """Per worker: device memory on a GPU, resident memory on a CPU."""
    is_streamed: bool
    """Whether the rows were streamed in windows instead of held."""
    seconds_to_first_step: float
    """From ``submit`` (a study's first trial) or the trial's own start to its first update."""
    scoring_seconds: float
    """Wall time of scoring the test split."""


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
    data: DataSpec
    scaling: ScalingSpec
    device: Device
    precision: Precision
    model: ModelRecord
    dataset: DatasetRecord
    training: TrainingRecord
    test: Scores
    validation: tuple[Scores, ...] = ()
    """One entry per epoch, where a validation split was cut."""
    environment: EnvironmentRecord
