"""A worker's settings and results; the module is small, as Ray's controller also imports it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.record.schema import (
    EnvironmentRecord,
    LabellingRecord,
    PretrainingRecord,
    RungScore,
    TrainingRecord,
    Work,
)
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.recovery import RecoverySpec
from agnews_ray.spec.variant import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSettings:
    """Where and how often a training is kept."""

    location: str
    """The trial's folder of checkpoints, or its URI."""
    attempt: str
    """A text of letters, digits and hyphens that differs from that of any other attempt."""
    recovery: RecoverySpec
    has_notices: bool = False
    """Whether Ray may give notice that a node is about to be taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """All settings of a worker for a trial; it is pickled."""

    trial_id: str
    work: Work = "fine-tuning"
    variant: VariantSpec
    starts_from: str | None = None
    """The artifact, as a folder or URI, that is used instead of the variant's model: what
    pre-training left, or of a labelling trial its teacher."""
    teacher: VariantSpec | None = None
    """Of a pre-training trial: the model that teaches."""
    teacher_folder: str | None = None
    """The artifact that is used instead of it, as a folder or URI: what another trial left."""
    seed: int
    recipe: RecipeSpec
    precision: Precision
    num_steps: int
    """The planned number of updates; a stopped training makes fewer."""
    num_train_rows: int
    """The number of train rows, which are the rows of one epoch."""
    rungs: tuple[int, ...] = ()
    """The steps after which validation is scored and the driver is asked whether to go on."""
    class_names: tuple[str, ...]
    class_weights: tuple[float, ...] | None
    """The weight of a row's loss by class id; None if all rows have the same."""
    pickled_tokenizer: bytes
    """The tokenizer, pickled until it is needed, because unpickling it imports transformers."""
    threads_per_worker: int
    """The number of threads; 0 means the worker's share of its node's CPUs."""
    window_rows: dict[str, int]
    """The number of rows per streamed window by split; 0 for a resident split."""
    staged: str
    """The folder, or its URI, for artifact, predictions and curve."""
    facts: ArtifactFacts
    """The facts to be saved with the artifact."""
    replayed: tuple[tuple[int, str], ...]
    """The numbers and texts of test rows on which the saved artifact's logits are compared with the
    recorded ones."""
    passes: int = 1
    """The number of passes into which a rank's share of a step is cut."""
    unrecorded: str | None
    """The reason why steps must not be recorded on a GPU; None records them where that works."""
    train_rows: bytes | None = None
    """The numbers of the train rows to use, as bits (``data.subsets``); None for all."""
    scores_test: bool = True
    """Whether the test split is scored, and its predictions are kept."""
    keeps_artifact: bool = True
    """Whether the trained model is saved."""
    checkpoints: CheckpointSettings | None = None
    """Where and how often the training is kept; None: nowhere."""
    started_at: float
    """The Unix time from which the seconds to the first step count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConfig:
    """All settings of a linear trial; it is pickled."""

    trial_id: str
    variant: VariantSpec
    seed: int
    class_weights: tuple[float, ...] | None
    scores_test: bool
    keeps_artifact: bool = True
    """Whether the model is saved."""
    num_threads: int
    """The CPU threads; 0 for all of its node's."""
    staged: str
    """The folder, or its URI, for artifact and predictions."""
    facts: ArtifactFacts
    replayed: tuple[tuple[int, str], ...]
    """The numbers and texts of test rows on which the artifact is compared with what was
    recorded."""
    started_at: float
    """The Unix time from which the seconds to the start of its fit count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRows:
    """The labels and predictions of one split, in file order."""

    labels: NDArray[np.int64]
    """Shape (N,): the class ids."""
    predicted: NDArray[np.int64]
    """Shape (N,): the predicted class ids; below 0 if the logits are not numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSummary:
    """The results of a trial, from rank 0."""

    num_parameters: int
    size_bytes: int
    """The size of the saved safetensors file; of a model that is not saved, that of its weights."""
    artifact_deviation: float | None
    """The deviation of its logits from the recorded ones; None if there was no row to compare."""
    training: TrainingRecord
    environment: EnvironmentRecord
    """The environment of the node that trained."""
    test: ScoredRows | None
    """The rows of the test split; None if it is not scored."""
    validation: tuple[ScoredRows, ...]
    """The rows of the validation split, one entry per finished epoch; empty if there is none."""
    rungs: tuple[RungScore, ...] = ()
    """The scores with which the driver was asked whether to go on."""
    is_stopped: bool = False
    """Whether the training ended at the last of them."""
    labelling: LabellingRecord | None = None
    """What a teacher's labels are like; None: the trial labelled nothing."""
    pretraining: PretrainingRecord | None = None
    """How an encoder was pre-trained; None: the trial did not pre-train."""
    diverged: str | None
    """The reason why the trained model has no scores; None if it has."""
    started_from_step: int = 0
    """The number of steps that earlier attempts had made."""
    notes: tuple[str, ...] = ()
    """What there is to say about the model beyond the findings before its training."""
    reached_at: dict[str, float]
    """The Unix times at which the worker took the trial, loaded its model, and made its first
    step."""
