"""What a worker is given and gives back; light, because Ray's controller imports it too."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.record.schema import EnvironmentRecord, TrainingRecord
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Everything a worker needs to know; travels by pickle."""

    trial_id: str
    variant: VariantSpec
    seed: int
    recipe: RecipeSpec
    precision: Precision
    num_steps: int
    class_names: tuple[str, ...]
    class_weights: tuple[float, ...] | None
    """What a row's loss counts, by class id; None where all count the same."""
    pickled_tokenizer: bytes
    """Kept closed until it is needed: opening it imports transformers."""
    threads_per_worker: int
    """0: its share of the CPUs of the node it finds itself on."""
    window_rows: dict[str, int]
    """Rows per streamed window by split; 0 where the split is resident."""
    staged: str
    """Folder, or URI of one, for artifact, predictions and curve."""
    facts: ArtifactFacts
    """What the artifact is to say of itself."""
    replayed: tuple[tuple[int, str], ...]
    """Numbers and texts of test rows, to hold the saved artifact against what was recorded."""
    unrecorded: str | None
    """Why a GPU's steps are not to be recorded; None records them where that works."""
    scores_test: bool = True
    """Whether the test split is scored, and its predictions are kept."""
    started_at: float
    """Unix time from which the seconds to the first step count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRows:
    """Labels and predictions of one split, in file order."""

    labels: NDArray[np.int64]
    """Shape (N,), class ids."""
    predicted: NDArray[np.int64]
    """Shape (N,), class ids; below 0 where the logits are not numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSummary:
    """What rank 0 found out."""

    num_parameters: int
    size_bytes: int
    """Of the saved safetensors file."""
    artifact_deviation: float | None
    """Of its logits from the recorded ones; None where there was no row to compare."""
    training: TrainingRecord
    environment: EnvironmentRecord
    """Of the node that trained."""
    test: ScoredRows | None
    """None where it was not to be scored."""
    validation: tuple[ScoredRows, ...]
    """One entry per epoch, where there is a validation split."""
    diverged: str | None
    """Why nothing can be said of the model, if that is so."""
    reached_at: dict[str, float]
    """The Unix times at which the worker took the trial, had its model, had made its first step."""
