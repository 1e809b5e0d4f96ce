"""The work on a trial of a linear model, in a Ray task: fit, score, and write its files."""

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from agnews_ray.engine.artifact_check import check_artifact, deviation, replay
from agnews_ray.engine.divergence import divergence
from agnews_ray.engine.linear_fit import FitJob, Fitted, fit
from agnews_ray.engine.pauses import PauseWatch
from agnews_ray.engine.results import Predictions, TrainLog
from agnews_ray.engine.thread_waiting import SpinByLoad
from agnews_ray.model.embedding import EmbeddingFeatures
from agnews_ray.model.linear_classifier import LinearClassifier
from agnews_ray.model.memory import peak_memory_bytes, reset_peak_memory
from agnews_ray.model.zoo import encoder_of
from agnews_ray.record.environment import describe_environment, num_usable_cpus
from agnews_ray.record.object_store import check_staging, leaving_files
from agnews_ray.record.schema import TrainingRecord
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.run.trial_files import save_curve, save_predictions
from agnews_ray.run.worker_callbacks import scored
from agnews_ray.run.worker_config import LinearConfig, WorkerSummary
from agnews_ray.spec.linear_models import LINEAR_ENGINE, kind_of

CPU = torch.device("cpu")

BYTES_PER_PARAMETER = 4

SCORED_ROWS = 8192
"""The number of rows scored at a time."""


def run_linear(
    config: LinearConfig, splits: Mapping[str, pa.Table], on_phase: Callable[[str], None]
) -> WorkerSummary:
    """Fit, score and save one linear model.

    Args:
        config: the trial's settings.
        splits: ``SplitRows.table`` of each split by name: train, test, and validation if there is
            one.
        on_phase: called with what is done now, in a few words.

    Returns:
        The summary; its files are in the staged folder.
    """
    torch.set_num_threads(config.num_threads or num_usable_cpus())
    check_staging(config.staged)
    reset_peak_memory(CPU)
    with SpinByLoad():
        return _Work(config, splits, on_phase).run()


class _Work:
    def __init__(
        self, config: LinearConfig, splits: Mapping[str, pa.Table], on_phase: Callable[[str], None]
    ) -> None:
        self._config, self._splits, self._on_phase = config, splits, on_phase

    def run(self) -> WorkerSummary:
        config = self._config
        self._on_phase("loading")
        encoder = encoder_of(config.variant)
        length = config.facts.max_length_tokens
        loaded = EmbeddingFeatures.of_pretrained(encoder, length) if encoder else None
        reached_at, start = {"first step": time.time()}, time.perf_counter()
        with PauseWatch() as pauses:
            fitted = self._fit(loaded)
        paused_s = pauses.seconds()
        seconds = time.perf_counter() - start - paused_s
        classifier = fitted.classifier
        validation = (
            [scored(self._predict(classifier, "validation"))]
            if "validation" in self._splits
            else []
        )
        start = time.perf_counter()
        found = self._predict(classifier, "test") if config.scores_test else None
        scoring_s = time.perf_counter() - start
        peak = peak_memory_bytes(CPU)
        self._on_phase("saving")
        size_bytes, apart = self._save(classifier, found)
        num_rows = self._splits["train"].num_rows
        test = None if found is None else scored(found)
        return WorkerSummary(
            num_parameters=classifier.num_parameters,
            size_bytes=size_bytes,
            artifact_deviation=apart,
            training=TrainingRecord(
                num_steps=0,
                num_train_examples=num_rows,
                train_seconds=seconds,
                samples_per_second=num_rows / seconds,
                final_loss=None,
                padding_share=None,
                num_skipped_steps=0,
                peak_memory_bytes=peak,
                is_streamed=False,
                seconds_to_first_step=reached_at["first step"] - config.started_at,
                scoring_seconds=scoring_s,
                num_machines=1,
                engine=LINEAR_ENGINE,
                paused_seconds=paused_s,
            ),
            environment=describe_environment(),
            reached_at=reached_at,
            test=test,
            validation=tuple(validation),
            diverged=divergence(
                np.zeros(1), [one.predicted for one in [*validation, *([test] if test else [])]]
            ),
            notes=fitted.notes,
        )

    def _fit(self, encoder: EmbeddingFeatures | None) -> Fitted:
        train = self._splits["train"]
        kind = kind_of(self._config.variant.model)
        assert kind is not None  # noqa: S101  # only linear variants come here
        job = FitJob(
            kind=kind,
            texts=train["text"].to_pylist(),
            labels=train["label"].to_numpy(),
            num_classes=len(self._config.facts.class_names),
            seed=self._config.seed,
            class_weights=self._config.class_weights,
        )
        return fit(job, encoder, self._on_phase)

    def _predict(self, classifier: LinearClassifier, name: str) -> Predictions:
        """Score all rows of a split, in file order."""
        self._on_phase("scoring")
        split = self._splits[name]
        texts = split["text"]
        logits = [
            classifier.logits(texts.slice(first, SCORED_ROWS).to_pylist())
            for first in range(0, split.num_rows, SCORED_ROWS)
        ]
        return Predictions(
            split["row"].to_numpy(), split["label"].to_numpy(), np.concatenate(logits)
        )

    def _save(
        self, classifier: LinearClassifier, found: Predictions | None
    ) -> tuple[int, float | None]:
        """Write all files; return the model's size and how far it is from what was recorded."""
        config = self._config
        with (
            tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch,
            leaving_files(config.staged, Path(scratch)) as folder,
        ):
            size_bytes, apart = BYTES_PER_PARAMETER * classifier.num_parameters, None
            if config.keeps_artifact:
                size_bytes = classifier.save(folder / "artifact", config.facts)
                apart = self._check(folder / "artifact", found)
            if found is not None:
                save_predictions(found, folder)
            save_curve(_no_steps(), 0, 1, folder)
        return size_bytes, apart

    def _check(self, folder: Path, found: Predictions | None) -> float | None:
        if found is None or not self._config.replayed:
            return None
        rows, texts = zip(*self._config.replayed, strict=True)
        recorded = found.logits[np.searchsorted(found.rows, rows)]
        apart = deviation(replay(folder, texts, CPU, "fp32"), recorded)
        return check_artifact(f"trial {self._config.trial_id}", apart, "fp32")


def _no_steps() -> TrainLog:
    """Make the log of a training without steps."""
    numbers, counts = np.empty(0), np.empty(0, dtype=np.int64)
    return TrainLog(
        loss=numbers,
        learning_rate=numbers,
        rows=counts,
        tokens=counts,
        computed=counts,
        rows_hash=counts,
        seconds=numbers,
        num_skipped=0,
    )
