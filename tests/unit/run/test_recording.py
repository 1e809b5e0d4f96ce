"""A record is made of what was planned and of what a worker found; here of trials for students."""

from dataclasses import replace

import pytest

from agnews_ray.run.recording import Recorder
from agnews_ray.run.worker_config import WorkerSummary
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.study import StudySpec
from tests.fakes.records import a_dataset, a_labelling, a_pretraining, a_record, a_transfer
from tests.unit.run.test_queue import some_trials

TEXTS = TransferSpec(source="texts")
ONLY_TEXTS = TransferSpec(source="texts", only=True)


@pytest.fixture
def record_of():
    """Makes the record of a trial with these plans, from a worker that found these facts."""
    transfers = {TEXTS: a_transfer(), ONLY_TEXTS: a_transfer()}
    recorder = Recorder(study=StudySpec(), dataset=a_dataset(), command="", transfers=transfers)

    def record_of(found=None, **planned):
        summary = WorkerSummary(
            num_parameters=1,
            size_bytes=4,
            artifact_deviation=None,
            training=a_record().training,
            environment=a_record().environment,
            test=None,
            validation=(),
            diverged=None,
            reached_at={},
            **(found or {}),
        )
        return recorder.record_of(replace(some_trials(1)[0], **planned), summary, None)

    return record_of


def test_a_plain_trial_was_taught_by_nobody(record_of):
    record = record_of()
    assert (record.work, record.teaching, record.labelling) == ("fine-tuning", None, None)


@pytest.mark.parametrize(("texts", "uses_labelled_rows"), [(TEXTS, True), (ONLY_TEXTS, False)])
def test_a_students_record_names_all_that_it_learned_from(record_of, texts, uses_labelled_rows):
    record = record_of(starts_from="pre", labelled_by=("a", "b"), transfer=texts)
    assert (record.teaching.starts_from, record.teaching.labelled_by) == ("pre", ("a", "b"))
    assert record.teaching.transfer == a_transfer()
    assert record.teaching.uses_labelled_rows == uses_labelled_rows


def test_the_record_of_labels_names_the_trial_of_the_teacher(record_of):
    found = {"labelling": a_labelling().labelling}
    record = record_of(found, work="labelling", starts_from="teacher-s1", transfer=TEXTS)
    assert record.labelling == a_labelling(of_trial="teacher-s1").labelling
    assert record.teaching is None


def test_the_record_of_a_pretraining_names_its_teachers_trial_and_texts(record_of):
    found = {"pretraining": a_pretraining().pretraining}
    record = record_of(found, work="pretraining", teacher_trial="half", transfer=TEXTS)
    assert record.pretraining.teacher_trial == "half"
    assert record.pretraining.transfer == a_transfer()
    assert record.pretraining.final_parts == a_pretraining().pretraining.final_parts
