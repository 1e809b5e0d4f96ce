"""The work of a rank that labels: a teacher's logits for the rows of its students."""

import tempfile
import time
from pathlib import Path

from agnews_ray.data.batches import NO_LABEL
from agnews_ray.engine.labelling import check_teacher, describe_labels
from agnews_ray.engine.results import Predictions
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.memory import peak_memory_bytes
from agnews_ray.record.environment import describe_environment
from agnews_ray.record.object_store import leaving_files
from agnews_ray.record.schema import LabellingRecord, TrainingRecord
from agnews_ray.record.soft_labels import FILE_NAME, save_soft_labels
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.run.engine_choice import max_over_ranks
from agnews_ray.run.trial_files import save_predictions
from agnews_ray.run.worker_callbacks import scored
from agnews_ray.run.worker_config import WorkerSummary
from agnews_ray.run.worker_setup import WorkerSetup, started_from


class Labeller:
    """One rank's work on a trial that computes a teacher's logits.

    Args:
        setup: the rank.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup

    def run(self) -> WorkerSummary | None:
        """Compute the logits of the train rows, texts without labels included, and of test.

        Returns:
            The summary on rank 0, None elsewhere.

        Raises:
            ModelError: the teacher's classes are not those of the data, or it is not better than
                chance on the labelled train rows.
        """
        setup, config = self._setup, self._setup.config
        setup.begin()
        with setup.model_folder(config.starts_from) as folder:
            variant = started_from(config.variant, folder, keeps_head=True)
            model = build_classifier(variant, config.class_names, config.seed, setup.tokenizer)
        model = model.to(setup.rank.device)
        setup.reached_at["model"] = setup.reached_at["first step"] = time.time()
        setup.reporter.phase("scoring")
        started = time.perf_counter()
        labels = setup.rows.predict(model, "train")
        seconds = time.perf_counter() - started
        test = setup.rows.predict(model, "test")
        scoring_s = time.perf_counter() - started - seconds
        peak = int(max_over_ranks(peak_memory_bytes(setup.rank.device), setup.rank))
        num_machines = setup.num_machines()
        if setup.rank.index != 0:
            return None
        found = self._describe(labels, seconds)
        setup.reporter.phase("saving")
        with (
            tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch,
            leaving_files(config.staged, Path(scratch)) as staged,
        ):
            save_predictions(test, staged)
            save_soft_labels(staged / FILE_NAME, labels.rows, labels.logits)
        return WorkerSummary(
            num_parameters=num_parameters(model),
            size_bytes=sum(p.numel() * p.element_size() for p in model.parameters()),
            artifact_deviation=None,
            training=TrainingRecord(
                num_steps=0,
                num_train_examples=len(labels.rows),
                train_seconds=seconds,
                samples_per_second=len(labels.rows) / seconds,
                final_loss=None,
                padding_share=None,
                num_skipped_steps=0,
                peak_memory_bytes=peak,
                is_streamed=setup.rows.is_streamed,
                seconds_to_first_step=setup.reached_at["first step"] - config.started_at,
                scoring_seconds=scoring_s,
                num_machines=num_machines,
            ),
            environment=describe_environment(),
            reached_at=setup.reached_at,
            test=scored(test),
            validation=(),
            labelling=found,
            diverged=None,
        )

    def _describe(self, labels: Predictions, seconds: float) -> LabellingRecord:
        config = self._setup.config
        check_teacher(config.variant.name, labels.logits, labels.labels)
        facts = describe_labels(labels.logits, labels.labels)
        num_labelled = int((labels.labels != NO_LABEL).sum())
        return LabellingRecord(
            teacher=config.variant.name,
            teacher_trial=None,  # the driver knows it
            num_labelled=num_labelled,
            num_transfer=len(labels.rows) - num_labelled,
            accuracy=facts.accuracy,
            calibration_error=facts.calibration_error,
            mean_confidence=facts.mean_confidence,
            seconds=seconds,
        )
