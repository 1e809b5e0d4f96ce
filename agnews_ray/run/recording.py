"""The record of a finished trial, from what it was planned as and what its workers found."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agnews_ray.engine.preflight import Findings
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.hub import loaded_revision
from agnews_ray.model.zoo import model_id
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import (
    DatasetRecord,
    ModelRecord,
    Scores,
    SearchRecord,
    TeachingRecord,
    TrialRecord,
)
from agnews_ray.record.shape import Record
from agnews_ray.record.taught import TransferRecord
from agnews_ray.run.worker_config import WorkerSummary
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.study import StudySpec

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """What makes the records of one study."""

    study: StudySpec
    dataset: DatasetRecord
    command: str
    transfers: Mapping[TransferSpec, TransferRecord] = field(default_factory=dict)
    """The facts about each source of texts without labels."""

    @property
    def artifact_facts(self) -> ArtifactFacts:
        """The facts that are saved with every artifact of the study."""
        return ArtifactFacts(
            class_names=self.dataset.class_names,
            max_length_tokens=self.study.data.max_length_tokens,
            text_columns=self.dataset.text_columns,
            label_kind=self.dataset.label_kind,
        )

    def record_of(
        self, trial: PlannedTrial, summary: WorkerSummary, findings: Findings | None
    ) -> TrialRecord:
        """Make the record of a finished trial.

        Args:
            trial: the trial.
            summary: what it left.
            findings: the findings about its model, or about a linear model's encoder.

        Returns:
            The record, with scores.
        """
        from agnews_ray.run.scoring import score  # evaluate takes seconds to import

        names = self.dataset.class_names
        return TrialRecord(
            study=self.study.name,
            trial_id=trial.trial_id,
            created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            command=self.command,
            variant=trial.variant,
            seed=trial.seed,
            recipe=trial.recipe,
            train_share=trial.train_share,
            scores_test=trial.scores_test,
            data=self.study.data,
            scaling=self.study.scaling,
            device=trial.device,
            precision=trial.precision,
            model=ModelRecord(
                model_id=model_id(trial.variant),
                revision=loaded_revision(trial.variant),
                parameters=summary.num_parameters,
                size_bytes=summary.size_bytes,
                head=findings.head if findings and not is_linear(trial.variant.model) else None,
                unknown_share=findings.unknown_share if findings else None,
                notes=(*(findings.notes if findings else ()), *summary.notes),
                artifact_deviation=summary.artifact_deviation,
            ),
            dataset=self.dataset,
            training=summary.training,
            test=score(summary.test.labels, summary.test.predicted, names)
            if summary.test is not None and summary.diverged is None
            else Scores.none_of(self.dataset.test.num_selected),
            validation=tuple(
                score(epoch.labels, epoch.predicted, names) for epoch in summary.validation
            ),
            search=_searched(trial, summary),
            work=trial.work,
            teaching=self._teaching(trial),
            labelling=_completed(summary.labelling, teacher_trial=trial.starts_from),
            pretraining=_completed(
                summary.pretraining,
                teacher_trial=trial.teacher_trial,
                transfer=self._transfer(trial),
            ),
            environment=summary.environment,
            diverged=summary.diverged,
        )

    def _teaching(self, trial: PlannedTrial) -> TeachingRecord | None:
        """Say what a fine-tuned model learned from beside labels."""
        if trial.work != "fine-tuning" or not (trial.starts_from or trial.labelled_by):
            return None
        return TeachingRecord(
            starts_from=trial.starts_from,
            labelled_by=trial.labelled_by,
            transfer=self._transfer(trial),
            uses_labelled_rows=not (trial.transfer and trial.transfer.only),
        )

    def _transfer(self, trial: PlannedTrial) -> TransferRecord | None:
        return None if trial.transfer is None else self.transfers[trial.transfer]


def _completed(record: R | None, **facts: Any) -> R | None:
    """Add what only the driver knows to a record from a worker."""
    return None if record is None else record.model_copy(update=facts)


def _searched(trial: PlannedTrial, summary: WorkerSummary) -> SearchRecord | None:
    """Return the trial's place in a search, with what happened at its rungs."""
    if trial.search is None:
        return None
    happened = {"rungs": summary.rungs, "is_stopped": summary.is_stopped}
    return trial.search.model_copy(update=happened)
